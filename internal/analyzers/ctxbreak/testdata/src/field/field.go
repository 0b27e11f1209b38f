package field

import "context"

type worker struct {
	ctx    context.Context
	cancel context.CancelFunc
}

func newWorker(parent context.Context) *worker {
	w := &worker{}
	w.ctx, w.cancel = context.WithCancel(parent) // want `the cancel function is kept in field cancel, which nothing reads`
	return w
}

type literal struct {
	ctx  context.Context
	stop context.CancelFunc
}

func newLiteral(parent context.Context) *literal {
	ctx, stop := context.WithCancel(parent)
	return &literal{ctx: ctx, stop: stop} // want `kept in field stop, which nothing reads`
}

// closed has an end.
type closed struct {
	ctx    context.Context
	cancel context.CancelFunc
}

func newClosed(parent context.Context) *closed {
	c := &closed{}
	c.ctx, c.cancel = context.WithCancel(parent)
	return c
}

func (c *closed) Close() { c.cancel() }

// handed gives the function to others.
type handed struct{ cancel context.CancelFunc }

func newHanded(parent context.Context) (*handed, context.Context) {
	ctx, cancel := context.WithCancel(parent)
	return &handed{cancel: cancel}, ctx
}

func (h *handed) stopper() func() { return h.cancel }

// Exported may be read by another package.
type Exported struct{ Cancel context.CancelFunc }

func NewExported(parent context.Context) (*Exported, context.Context) {
	ctx, cancel := context.WithCancel(parent)
	return &Exported{Cancel: cancel}, ctx
}

// both defers the function too.
type both struct{ cancel context.CancelFunc }

func useBoth(parent context.Context) {
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	_ = both{cancel: cancel}
	<-ctx.Done()
}

type generic[T any] struct{ cancel context.CancelFunc }

func newGeneric[T any](parent context.Context) (*generic[T], context.Context) {
	g := new(generic[T])
	var ctx context.Context
	ctx, g.cancel = context.WithCancel(parent)
	return g, ctx
}

func (g *generic[T]) Close() { g.cancel() }
