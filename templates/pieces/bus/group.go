package bus

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// group is one group of a bus: its queue, its workers, and what it counts.
type group struct {
	name      string
	handler   Handler
	options   GroupOptions
	claims    Claims
	graveyard Graveyard
	engine    Engine
	log       *slog.Logger

	ready   atomic.Bool // the engine knows of the group
	lanes   *lanes
	workers []*worker
	// ctx is that of the handlers, which ends when the time to drain is over, and
	// ops that of what has to be done after a handler has returned.
	ctx, ops     context.Context
	cancel, halt context.CancelCauseFunc
	done         sync.WaitGroup // workers
	ended        chan struct{}  // closed with the last worker
	keeper       sync.WaitGroup

	counts counts
}

// counts are what a group has done since its start.
type counts struct {
	handled, failed, panicked, retried, buried, dropped, duplicate, lost, trouble atomic.Uint64
	// spent is the time that handlers have taken, in nanoseconds.
	spent atomic.Int64
}

func newGroup(name string, h Handler, o GroupOptions, b *Bus) *group {
	g := &group{name: name, handler: h, options: o, claims: b.claims, graveyard: b.graveyard,
		engine: b.engine, log: b.log.With("group", name), ended: make(chan struct{})}
	g.options.Types = slices.Clone(o.Types)
	g.lanes = newLanes(o.Queue, o.Overflow, func(it *item) {
		g.counts.dropped.Add(1)
		it.tracked.one()
	})
	g.ctx, g.cancel = context.WithCancelCause(context.Background())
	g.ops, g.halt = context.WithCancelCause(context.Background())
	for range o.Concurrency {
		g.workers = append(g.workers, newWorker(g.ctx))
	}
	return g
}

func (g *group) wants(eventType string) bool {
	return len(g.options.Types) == 0 || slices.Contains(g.options.Types, eventType)
}

// arrival is how an event comes that was published in this process.
func (g *group) arrival(e *Event, now time.Time, s *settlement) arrival {
	return arrival{key: g.key(e), at: now, tracked: s}
}

// deliver takes an event from the engine.
func (g *group) deliver(ctx context.Context, in Incoming) error {
	if in.Err == nil && !g.wants(in.Event.Type) {
		return in.Receipt.Ack(ctx)
	}
	if err := g.lanes.reserve(ctx); err != nil {
		return err
	}
	g.lanes.put(&in.Event, arrival{key: g.key(&in.Event), at: time.Now(),
		receipt: in.Receipt, attempts: in.Attempts, cause: in.Err})
	return nil
}

func (g *group) key(e *Event) string {
	if g.options.OrderBy == nil {
		return e.Key
	}
	return g.options.OrderBy(*e)
}

// start starts the workers and the keeper of their claims: all the goroutines
// that the group will ever have.
func (g *group) start() {
	for _, w := range g.workers {
		g.done.Go(func() { g.work(w) })
	}
	g.keeper.Go(g.keep)
	go func() {
		g.done.Wait()
		close(g.ended)
	}()
}

// end drains the group and stops it. It returns how many events were accepted
// and are not handled.
func (g *group) end(ctx context.Context) (undelivered int) {
	if g.engine != nil {
		// What no handler has in hand yet stays with the engine.
		g.lanes.stop()
	}
	g.lanes.drain(ctx)
	g.lanes.stop()
	select {
	case <-g.ended: // unless a handler still runs, they are about to return
	case <-ctx.Done():
	}
	g.cancel(ErrClosed)
	select {
	case <-g.ended:
	case <-time.After(grace):
	}
	g.halt(ErrClosed)
	g.keeper.Wait()
	left := 0
	release, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	g.lanes.rest(func(it *item, pause time.Duration) {
		left++
		if it.receipt != nil && it.receipt.Release(release, pause) == nil {
			left--
		}
	})
	return left + g.lanes.depth().busy
}
