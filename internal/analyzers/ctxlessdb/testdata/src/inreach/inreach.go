// Package inreach has contexts in every place that counts, and in some that do
// not.
package inreach

import (
	"context"
	"database/sql"
	"net/http"
	"sync"
	"testing"
	"time"
)

var db *sql.DB

func none() { // want none:`ctxlessDB\(none > \(\*sql.DB\).Exec\)`
	db.Exec("x") // want `\(\*sql.DB\).Exec is called without a context; there is ExecContext$`
}

func parameter(ctx context.Context) {
	db.Exec("x") // want `use ExecContext; ctx is in reach`
}

func blank(_ context.Context) {
	db.Exec("x") // want `use ExecContext; the unnamed parameter of line 24 gives a context`
}

func unnamed(context.Context) {
	db.Exec("x") // want `the unnamed parameter of line 28 gives a context`
}

func shadowed(ctx context.Context) {
	if ctx := 1; ctx > 0 {
		db.Exec("x") // want `the unnamed parameter of line 32 gives a context`
	}
}

func handler(w http.ResponseWriter, r *http.Request) {
	db.Exec("x") // want `use ExecContext; r.Context\(\) is in reach`
}

func responseOnly(w http.ResponseWriter) { // want responseOnly:`ctxlessDB`
	db.Exec("x") // want `there is ExecContext$`
}

func local(r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), time.Second)
	defer cancel()
	_ = ctx
	db.Exec("x") // want `use ExecContext; ctx is in reach`
}

func localAfter(get func() context.Context) { // want localAfter:`ctxlessDB`
	db.Exec("x") // want `there is ExecContext$`
	ctx := get()
	_ = ctx
}

func localFresh() { // want localFresh:`ctxlessDB`
	ctx := context.Background()
	_ = ctx
	db.Exec("x") // want `there is ExecContext$`
}

func localFreshDerived() { // want localFreshDerived:`ctxlessDB`
	ctx, cancel := context.WithCancel(context.TODO())
	defer cancel()
	_ = ctx
	db.Exec("x") // want `there is ExecContext$`
}

func innerScope(get func() context.Context, on bool) { // want innerScope:`ctxlessDB`
	if on {
		ctx := get()
		_ = ctx
	}
	db.Exec("x") // want `there is ExecContext$`
}

type withField struct {
	name string
	ctx  context.Context
}

func (s *withField) run() {
	db.Exec("x") // want `use ExecContext; s.ctx is in reach`
}

type withMethod struct{}

func (withMethod) Context() context.Context { return nil }

func (s withMethod) run() {
	db.Exec("x") // want `use ExecContext; s.Context\(\) is in reach`
}

func (withMethod) anonymous() {
	db.Exec("x") // want `the unnamed parameter of line \d+ gives a context`
}

type without struct{ context string }

func (s *without) Context(name string) context.Context { return nil }

func (s *without) run() { // want run:`ctxlessDB`
	db.Exec("x") // want `there is ExecContext$`
}

func stream(s interface{ Context() context.Context }) {
	db.Exec("x") // want `use ExecContext; s.Context\(\) is in reach`
}

func parameterWithField(s *withField) { // want parameterWithField:`ctxlessDB`
	db.Exec("x") // want `there is ExecContext$`
}

// Closures.

func closure(ctx context.Context, each func(func(int) error)) {
	each(func(int) error {
		_, err := db.Exec("x") // want `use ExecContext; ctx is in reach`
		return err
	})
	func() {
		db.Exec("x") // want `use ExecContext; ctx is in reach`
	}()
}

func closureOfItsOwn(each func(func(context.Context))) {
	each(func(ctx context.Context) {
		db.Exec("x") // want `use ExecContext; ctx is in reach`
	})
}

func deferredCalls(ctx context.Context) {
	defer db.Exec("x") // want `use ExecContext; ctx is in reach`
	defer func() {
		db.Exec("x") // want `use ExecContext; ctx is in reach`
	}()
}

func goroutines(ctx context.Context) {
	go db.Exec("x") // want `use ExecContext; ctx is in reach`
	go func() {
		db.Exec("x") // want `use ExecContext; ctx is in reach`
	}()
	go func(ctx context.Context) {
		db.ExecContext(ctx, "x")
	}(ctx)
}

func later(ctx context.Context, run func(func())) {
	run(func() {
		db.Exec("x") // want `use ExecContext; ctx is in reach`
	})
}

// Once.

var once sync.Once

func initialise(ctx context.Context) {
	once.Do(func() {
		db.Exec("x") // want `use ExecContext; ctx is in reach`
	})
}

var lazy = sync.OnceValue(func() error {
	_, err := db.Exec("x") // want `there is ExecContext$`
	return err
})

// Where there is no context after all.

func fallback(ctx context.Context) error {
	if ctx != nil {
		_, err := db.ExecContext(ctx, "x")
		return err
	}
	_, err := db.Exec("x")
	return err
}

func fallbackElse(ctx context.Context) {
	if ctx != nil && db != nil {
		db.Exec("x") // want `use ExecContext; ctx is in reach`
	} else {
		db.Exec("x") // want `use ExecContext; ctx is in reach`
	}
	if db == nil || ctx != nil {
		return
	} else {
		db.Exec("x")
	}
	if ctx == nil && db != nil {
		db.Exec("x")
	}
}

func noFallback(ctx context.Context) {
	if ctx != nil {
		db.PingContext(ctx)
	}
	db.Exec("x") // want `use ExecContext; ctx is in reach`
}

func (s *withField) fallback() {
	if s.ctx == nil {
		db.Exec("x")
		return
	}
	db.Exec("x") // want `use ExecContext; s.ctx is in reach`
}

// A type that is given its context by WithContext carries it.

type carrier interface {
	WithContext(ctx context.Context) carrier
	Exec(query string, args ...any) (sql.Result, error)
}

func carried(ctx context.Context, c carrier) {
	c.WithContext(ctx).Exec("x")
}

// handed is called with the value that has the context.

func handed(e interface{ Name() string }) { // want handed:`ctxlessDB`
	db.Exec("x") // want `there is ExecContext$`
}

func (s *withField) Name() string { return s.name }

func (s *withField) hands() {
	handed(s)
}

func (s *withField) doesNotHand(other interface{ Name() string }) {
	handed(other) // want `inreach.handed calls \(\*sql.DB\).Exec without a context; s.ctx is in reach`
}

// A session of another library has its context in itself.

type session interface {
	Context() context.Context
	SQL() runner
	DB() *sql.DB
}

type runner interface {
	Exec(query string) error
	ExecContext(ctx context.Context, query string) error
	Query(query string) (*sql.Rows, error)
	QueryContext(ctx context.Context, query string) (*sql.Rows, error)
}

func ofItsOwn(s session, other runner) {
	s.SQL().Exec("x")
	s.DB().Exec("x") // want `use ExecContext; s.Context\(\) is in reach`
	other.Exec("x")  // want `use ExecContext; s.Context\(\) is in reach`
}

func notOfItsOwn(ctx context.Context, s session) {
	s.SQL().Exec("x") // want `use ExecContext; ctx is in reach`
}

// A helper of tests, outside of a test file.

func helper(t testing.TB) {
	db.Exec("x") // want `use ExecContext; t.Context\(\) is in reach`
}
