package a

import (
	"context"
	"errors"
	"net/http"
	"time"
)

type client struct{ ctx context.Context }

func (client) get(ctx context.Context, id string) error    { return nil }
func (client) Unlock(ctx context.Context) error            { return nil }
func load(ctx context.Context) error                       { return nil }
func generic[T any](ctx context.Context, v T) T            { return v }
func both(a, b context.Context)                            {}
func plain(id string)                                      {}
func options(ctx context.Context, opts ...context.Context) {}

// What has to be found.

func direct(ctx context.Context) error {
	return load(context.Background()) // want `a fresh context.Background\(\) goes to load, although ctx is in reach`
}

func todoLeft(ctx context.Context) error {
	return load(context.TODO()) // want `a fresh context.TODO\(\) goes to load, although ctx is in reach`
}

func handler(w http.ResponseWriter, r *http.Request) {
	_ = load(context.Background()) // want `although r.Context\(\) is in reach`
}

func blank(_ context.Context) error {
	return load(context.Background()) // want `although the context parameter is in reach`
}

func method(ctx context.Context, c client) error {
	return c.get(context.Background(), "a") // want `goes to c.get, although ctx is in reach`
}

func inIf(ctx context.Context) {
	if err := load((context.Background())); err != nil { // want `goes to load`
		return
	}
}

func variable(ctx context.Context) error {
	own := context.Background() // want `goes to load, although ctx is in reach`
	return load(own)
}

func declared(ctx context.Context) error {
	var own = context.TODO() // want `goes to load, although ctx is in reach`
	return load(own)
}

func child(ctx context.Context) error {
	own, cancel := context.WithTimeout(context.Background(), time.Second) // want `goes to load, although ctx is in reach`
	defer cancel()
	return load(own)
}

func nestedChild(ctx context.Context) error {
	own, cancel := context.WithTimeout(context.WithValue(context.Background(), key{}, 1), time.Second) // want `goes to load`
	defer cancel()
	return load(own)
}

type key struct{}

func genericCall(ctx context.Context) int {
	return generic(context.Background(), 1) // want `goes to generic`
}

func explicit(ctx context.Context) int {
	return generic[int](context.Background(), 1) // want `goes to generic\[int\]`
}

func closure(ctx context.Context, each func(func(int) error)) {
	each(func(int) error {
		return load(context.Background()) // want `goes to load`
	})
}

func secondArgument(ctx context.Context) {
	both(ctx, context.Background()) // want `goes to both`
}

func (c client) fromField() error {
	return load(context.Background()) // want `although c.ctx is in reach`
}

func nilArgument(ctx context.Context) error {
	return load(nil) // want `nil goes to load for a context`
}

func nilWithout() error {
	return load(nil) // want `nil goes to load for a context`
}

// What must not be found.

func given(ctx context.Context) error { return load(ctx) }

func noneInReach() error { return load(context.Background()) } // want noneInReach:`fresh\(noneInReach > load\)`

func fallback(ctx context.Context) error {
	if ctx == nil {
		ctx = context.Background()
	}
	return load(ctx)
}

func detachedFor(ctx context.Context) error { return load(context.WithoutCancel(ctx)) }

func said(ctx context.Context) error {
	//fractl:detach the audit record is written whatever becomes of the request
	return load(context.Background())
}

func saidBehind(ctx context.Context) error {
	return load(context.Background()) //fractl:detach it must go on
}

func deferredLiteral(ctx context.Context) {
	defer func() { _ = load(context.Background()) }()
}

func deferredCall(ctx context.Context) {
	defer load(context.Background())
}

func goroutine(ctx context.Context) {
	go func() { _ = load(context.Background()) }()
	go load(context.Background())
}

func stored(ctx context.Context) func() error {
	return func() error { return load(context.Background()) }
}

func afterDone(ctx context.Context) error {
	<-ctx.Done()
	return load(context.Background())
}

func inCase(ctx context.Context, c chan int) error {
	select {
	case <-ctx.Done():
		return load(context.Background())
	case <-c:
	}
	return nil
}

func whenOver(ctx context.Context) error {
	if ctx.Err() != nil {
		return load(context.Background())
	}
	if err := load(ctx); errors.Is(err, context.Canceled) {
		return load(context.Background())
	}
	return nil
}

func unlocks(ctx context.Context, c client) error { return c.Unlock(context.Background()) }

func (c *client) Start(ctx context.Context) error { return load(context.Background()) }

func (c *client) keeps(ctx context.Context) { c.ctx = context.Background() }

func afterFunc(ctx context.Context) {
	time.AfterFunc(time.Second, func() { _ = load(context.Background()) })
	context.AfterFunc(ctx, func() { _ = load(context.Background()) })
}

func compared(ctx context.Context) bool { return ctx == context.Background() }

func returned(ctx context.Context) context.Context { return context.Background() }

func intoGoroutine(ctx context.Context) {
	own := context.Background()
	go func() { _ = load(own) }()
}

func variadic(ctx context.Context) { options(ctx) }

func conversion() context.Context { return context.Context(nil) }

type conn struct{}

func (*conn) Close() error { return nil }

func newConn(ctx context.Context) (*conn, error)                           { return nil, nil }
func startWatch(ctx context.Context)                                       {}
func withTrace(ctx context.Context) context.Context                        { return ctx }
func guard(f func(any))                                                    {}
func option(opts ...func(context.Context, int)) func(context.Context, int) { return nil }

type group struct{}

func (group) Go(f func() error) {}

func derivedElsewhere(ctx context.Context) error {
	return load(withTrace(context.Background())) // want `goes to load`
}

// What goes on after its caller, or has an end of its own.

func longLivedResult(ctx context.Context) (*conn, error) {
	_ = load(ctx)
	return newConn(context.Background())
}

func starts(ctx context.Context) {
	_ = load(ctx)
	startWatch(context.Background())
}

func ownEnd(ctx context.Context) (func() error, func()) {
	own, cancel := context.WithCancel(context.Background())
	return func() error { return load(own) }, cancel
}

func inGroup(ctx context.Context, g group) {
	g.Go(func() error { return load(context.Background()) })
}

func inDeferredArgument(ctx context.Context) {
	defer guard(func(any) { _ = load(context.Background()) })
}

func ofAFunctionValue(ctx context.Context) { option()(nil, 1) }
