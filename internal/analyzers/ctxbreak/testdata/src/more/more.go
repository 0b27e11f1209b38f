package more

import (
	"context"
	"database/sql"
	"net"
	"testing"
	"time"
)

type key struct{}

type rows struct{ *sql.Rows }

type iterator struct{}

func (*iterator) Next() bool { return false }
func (*iterator) Stop()      {}

type conn struct{}

func (*conn) Close() error { return nil }

type tracer struct{}

func (tracer) Start(ctx context.Context, name string) (context.Context, int) { return ctx, 0 }

func FromServerContext(ctx context.Context) bool { return ctx != nil }

func query(ctx context.Context) (*rows, error) { return nil, nil }

func read(ctx context.Context) *iterator { return nil }

func open(ctx context.Context) *conn { return nil }

func work(ctx context.Context) {}

func withOrigin(ctx context.Context) context.Context { return ctx }

func startServer(ctx context.Context) {}

// Names are made of words: Server is not serve.
func words(ctx context.Context) {
	FromServerContext(context.Background()) // want `a fresh context.Background\(\) goes to FromServerContext`
	startServer(context.Background())
	work(ctx)
}

// What is read through serves the caller; a connection may live on.
func results(ctx context.Context) {
	query(context.Background()) // want `goes to query`
	read(context.Background())  // want `goes to read`
	open(context.Background())
	work(ctx)
	var d net.Dialer
	d.DialContext(context.Background(), "tcp", "x") // want `goes to d.DialContext`
}

// A context that comes with something else is a child all the same.
func traced(ctx context.Context) {
	ctx, span := tracer{}.Start(context.Background(), "x") // want `goes to tracer\{\}.Start`
	work(ctx)
	_ = span
}

func replaced(ctx context.Context) {
	ctx = withOrigin(context.Background()) // want `goes to withOrigin`
	work(ctx)
}

// NewContext drops what its caller gave.
func NewContext(ctx context.Context, v int) context.Context {
	return context.WithValue(context.Background(), key{}, v) // want `goes to context.WithValue`
}

// Detach keeps a value, on purpose.
func Detach(ctx context.Context) context.Context {
	return context.WithValue(context.Background(), key{}, ctx.Value(key{}))
}

// The child ends with the function.
func bound(ctx context.Context) {
	child, cancel := context.WithCancel(context.Background()) // want `goes to work`
	defer cancel()
	go func() { work(child) }()
}

// The child has an end of its own.
func unbound(ctx context.Context) func() {
	child, cancel := context.WithCancel(context.Background())
	go work(child)
	return cancel
}

func never(ctx context.Context, f func()) {
	context.AfterFunc(context.Background(), f) // want `goes to context.AfterFunc`
}

// A goroutine that uses the context is not detached from it.
func shared(ctx context.Context, ch chan int) {
	go func() {
		select {
		case <-ch:
			work(context.Background()) // want `goes to work`
		case <-ctx.Done():
		}
	}()
	go func() {
		work(context.Background())
	}()
}

// It has no other use for its context.
func forgets(ctx context.Context) *conn {
	return open(context.Background()) // want `goes to open`
}

// What is deferred may run when the context is over.
func after(ctx context.Context) {
	defer func() {
		if ctx.Err() == nil {
			println("not over")
		}
		work(context.Background())
	}()
}

// The context of a test is over before what it cleans up.
func cleansUp(t *testing.T) {
	t.Cleanup(func() {
		work(context.Background())
		t.Log("done")
	})
}

// A stored function may outlive its maker's context, which it uses for a check.
func stored(ctx context.Context) func() {
	return func() {
		if ctx.Err() == nil {
			println("not over")
		}
		work(context.Background())
	}
}

type server struct{}

// Close has a limit and forgets it.
func (server) Close(ctx context.Context) {
	work(context.Background()) // want `goes to work`
}

// Stop uses its own for one thing.
func (server) Stop(ctx context.Context) {
	work(ctx)
	work(context.Background())
}

// Start returns before what it starts has ended.
func (server) Start(ctx context.Context) {
	work(context.Background())
}

func timed(ctx context.Context) {
	child, cancel := context.WithTimeout(context.Background(), time.Second) // want `goes to work`
	defer cancel()
	work(child)
}
