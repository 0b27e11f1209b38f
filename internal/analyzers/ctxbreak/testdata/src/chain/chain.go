package chain

import (
	"context"
	"net/http"

	"pathlib"
)

func use(ctx context.Context) error { return nil }

func inner() { // want inner:`fresh\(inner > use\)`
	use(context.Background())
}

func outer() { // want outer:`fresh\(outer > inner > use\)`
	inner()
}

func calls(ctx context.Context) {
	inner()        // want `inner passes a fresh context to use, although ctx is in reach`
	outer()        // want `outer passes a fresh context to use`
	pathlib.Load() // want `pathlib.Load passes a fresh context to load`
	pathlib.Deep() // want `pathlib.Deep passes a fresh context to load`
	defer outer()
	go outer()
	use(ctx)
}

func handler(w http.ResponseWriter, r *http.Request) {
	outer() // want `although r.Context\(\) is in reach`
	takes(r)
}

// The callee gets what yields it.
func takes(r *http.Request) {}

func makes(ctx context.Context) {
	use(pathlib.New())   // want `pathlib.New\(\), a fresh context.TODO\(\), goes to use`
	use(pathlib.Child()) // want `pathlib.Child\(\), a fresh context.Background\(\), goes to use`
	use(pathlib.Own(ctx))
}

var (
	background = context.Background()
	perhaps    = context.Background()
	Shared     = context.Background()
)

func init() { perhaps = pathlib.Own(nil) } // want `nil goes to pathlib.Own`

type holder struct{ base, own context.Context }

func newHolder(ctx context.Context) *holder {
	return &holder{base: context.TODO(), own: ctx}
}

func stored(ctx context.Context, h *holder) {
	use(background) // want `background, a fresh context.Background\(\), goes to use`
	use(h.base)     // want `h.base, a fresh context.TODO\(\), goes to use`
	use(perhaps)
	use(Shared)
	use(h.own)
}

// Nobody has one.
func lone() { // want lone:`fresh\(lone > inner > use\)`
	inner()
}
