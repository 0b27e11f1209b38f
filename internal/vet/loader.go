package vet

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// loader gives packages their types when somebody needs them.
type loader struct {
	ctx    context.Context
	c      *checking
	loaded atomic.Int64

	mu sync.Mutex // held while packages are queued
	// queue is worked off in order: what a package imports was queued before
	// it, so that the first which is not ready never waits for one behind it.
	queue chan *node
	wg    sync.WaitGroup
}

// ahead is how many packages may be under way for each processor. Those that
// were parsed and not yet checked are most of the memory.
const ahead = 8

func newLoader(ctx context.Context, c *checking) *loader {
	l := &loader{ctx: ctx, c: c, queue: make(chan *node)}
	window := semaphore.NewWeighted(int64(ahead * runtime.GOMAXPROCS(0)))
	l.wg.Go(func() {
		for n := range l.queue {
			//fractl:detach each package has to pass, if only to say that it is done
			_ = window.Acquire(context.Background(), 1)
			l.wg.Go(func() {
				defer window.Release(1)
				defer close(n.ready)
				l.load(n)
			})
		}
	})
	return l
}

// want has packages, and all that they import, loaded. It does not wait for
// that. The packages are done, so what was analysed in this run has its types.
func (l *loader) want(deps map[string]*node) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var visit func(n *node)
	visit = func(n *node) {
		if n.wanted || n.ours && n.kept == nil {
			return
		}
		n.wanted = true
		for _, d := range n.deps {
			visit(d)
		}
		l.queue <- n
	}
	for _, d := range deps {
		visit(d)
	}
}

func (l *loader) finish() {
	close(l.queue)
	l.wg.Wait()
}

// load gives n its types: from the cache or, where it has none, from source. A
// package of the workspace gets its facts too.
func (l *loader) load(n *node) {
	c := l.c
	defer c.survive(n)
	l.loaded.Add(1)
	data, known := c.typesOf(l.ctx, n)
	if !known {
		// What is not kept is parsed at once, since little of it stays.
		c.work(l.ctx, func() { n.parse(c.fset, c.run.overlay.read, c.run.problems, false) })
	}
	for _, d := range n.deps {
		<-d.ready
	}
	c.work(l.ctx, func() {
		if known && c.read(n, data) != nil {
			known = false
			n.parse(c.fset, c.run.overlay.read, c.run.problems, false)
		}
		if !known {
			n.check(c.fset, c.sizes, c.run.problems, false)
		}
		c.index.add(n)
		if n.ours {
			c.recallFacts(n)
		} else if !known {
			c.keepTypes(n, typesKey(n))
		}
		n.drop()
	})
}
