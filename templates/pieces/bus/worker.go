package bus

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"
)

// phase is how far a group has come with an event.
type phase int

const (
	claiming phase = iota
	committing
	burying
	acking
)

// worker is one goroutine of a group, and what the keeper of claims has to know
// of it.
type worker struct {
	group context.Context
	next  Token // of the next claim

	mu     sync.Mutex
	busy   bool // a handler runs
	key    ClaimKey
	token  Token
	since  time.Time // the last time at which the claim was sure to be ours
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func newWorker(group context.Context) *worker {
	w := &worker{group: group, next: Token{rand.Uint64(), rand.Uint64()}}
	w.ctx, w.cancel = context.WithCancelCause(group)
	return w
}

// begin notes that a handler runs, and returns its context. That is one for many
// events: it only has to be made anew where a claim was lost.
func (w *worker) begin(key ClaimKey, token Token, claimed time.Time) context.Context {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ctx.Err() != nil {
		w.ctx, w.cancel = context.WithCancelCause(w.group)
	}
	w.busy, w.key, w.token, w.since = true, key, token, claimed
	return w.ctx
}

func (w *worker) end() {
	w.mu.Lock()
	w.busy, w.key = false, ClaimKey{}
	w.mu.Unlock()
}

// work handles events until the lanes are stopped. A handler that ends its
// goroutine ends only that: another one goes on.
func (g *group) work(w *worker) {
	var it, done *item
	defer func() {
		if it == nil {
			w.cancel(nil)
			return
		}
		w.end()
		if g.fail(it, errGoexit) {
			g.lanes.again(it, 0)
		}
		g.done.Go(func() { g.work(w) })
	}()
	now := time.Time{}
	for {
		var waited bool
		if it, waited = g.lanes.take(done); it == nil {
			return
		}
		if waited || now.IsZero() {
			now = time.Now()
		}
		var is bool
		if is, now = g.handle(w, it, now); is {
			done = it
		} else {
			done = nil // it is back in the lanes
		}
	}
}

// handle brings an event as far as it comes. It returns false where that is back
// to the lanes. It begins at about now, and also returns a time that is later and
// not long ago.
func (g *group) handle(w *worker, it *item, now time.Time) (done bool, later time.Time) {
	key := ClaimKey{g.name, it.event.ID}
	if it.phase == claiming {
		var on bool
		if on, now = g.claimAndWork(w, it, key, now); !on {
			return false, now
		}
	}
	if it.phase == committing && !g.commit(it, key) {
		return false, now
	}
	if it.phase == burying && !g.bury(it) {
		return false, now
	}
	if it.receipt != nil {
		if err := it.receipt.Ack(g.ops); err != nil && !errors.Is(err, ErrLost) {
			g.later(it, "acknowledge", err)
			return false, now
		}
	}
	it.tracked.one()
	return true, now
}

// claimAndWork returns false where the event has to wait.
func (g *group) claimAndWork(w *worker, it *item, key ClaimKey, now time.Time) (on bool, later time.Time) {
	if it.attempts >= g.options.Retry.Attempts {
		// So many deliveries have ended without a word: it may be what kills the
		// process.
		it.phase, it.cause = burying, errNoEnd
		return true, now
	}
	w.next.Lo++
	token := w.next
	claim, err := g.claims.Claim(g.ops, key, token, g.options.Lease)
	if err != nil {
		g.later(it, "claim", err)
		return false, time.Now()
	}
	switch claim.State {
	case Done:
		g.counts.duplicate.Add(1)
		it.phase = acking
		return true, now
	case InProgress:
		// Whoever has it may fail, so that it must not be acknowledged.
		it.trouble++
		g.lanes.again(it, min(claim.Wait+time.Millisecond, patience.pause(it.trouble)))
		return false, now
	}
	it.trouble, it.token = 0, token
	if it.attempts++; it.first.IsZero() {
		it.first = now
	}
	err = g.call(w, it, key, now)
	later = time.Now()
	g.counts.spent.Add(int64(later.Sub(now)))
	if err != nil {
		return g.fail(it, err), later
	}
	it.phase = committing
	return true, later
}

// call runs the handler, of which a panic is an error.
func (g *group) call(w *worker, it *item, key ClaimKey, claimed time.Time) (err error) {
	ctx := w.begin(key, it.token, claimed)
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
		w.end()
	}()
	return g.handler(ctx, Delivery{Event: it.event, Group: g.name, Attempt: it.attempts, Token: it.token, Retention: g.options.Retention})
}

// fail counts a failure of the handler. It returns true where the event is to be
// buried; otherwise it is put off.
func (g *group) fail(it *item, err error) (bury bool) {
	g.counts.failed.Add(1)
	it.cause = err
	if p, ok := errors.AsType[*PanicError](err); ok {
		g.counts.panicked.Add(1)
		g.log.Error("bus: a handler panicked", "event", it.event.ID, "panic", p.Value, "stack", string(p.Stack))
	}
	key := ClaimKey{g.name, it.event.ID}
	if err := g.claims.Abandon(g.ops, key, it.token); err != nil {
		// Then it ends with its lease.
		g.counts.trouble.Add(1)
		g.log.Error("bus: cannot abandon a claim", "event", it.event.ID, "error", err)
	}
	if IsPermanent(err) || it.attempts >= g.options.Retry.Attempts {
		it.phase = burying
		return true
	}
	g.counts.retried.Add(1)
	pause := g.options.Retry.pause(it.attempts)
	g.log.Warn("bus: an attempt failed", "event", it.event.ID, "type", it.event.Type, "attempt", it.attempts, "pause", pause, "error", err)
	g.lanes.again(it, pause)
	return false
}

// commit returns false where the event has to wait.
func (g *group) commit(it *item, key ClaimKey) bool {
	switch err := g.claims.Commit(g.ops, key, it.token, g.options.Retention); {
	case err == nil:
		g.counts.handled.Add(1)
		it.phase, it.trouble = acking, 0
		return true
	case errors.Is(err, ErrLost):
		// Somebody else may have it in hand. Only a claim can tell.
		g.counts.lost.Add(1)
		g.log.Warn("bus: a claim was lost before it could be committed", "event", it.event.ID)
		it.phase = claiming
		g.lanes.again(it, g.options.Retry.pause(it.attempts))
		return false
	default:
		g.later(it, "commit", err)
		return false
	}
}

// bury returns false where the event has to wait: it is not acknowledged before
// its letter is kept.
func (g *group) bury(it *item) bool {
	now := time.Now()
	if it.first.IsZero() {
		it.first = now
	}
	err := g.graveyard.Bury(g.ops, Letter{Event: it.event, Group: g.name, Cause: it.cause.Error(),
		Attempts: it.attempts, First: it.first, Last: now})
	if err != nil {
		g.later(it, "bury", err)
		return false
	}
	g.counts.buried.Add(1)
	g.log.Error("bus: an event became a dead letter", "event", it.event.ID, "type", it.event.Type, "attempts", it.attempts, "error", it.cause)
	it.phase, it.trouble = acking, 0
	return true
}

// later puts an event off because of a store or an engine that does not do its
// part. That is no attempt.
func (g *group) later(it *item, what string, err error) {
	it.trouble++
	g.counts.trouble.Add(1)
	pause := patience.pause(it.trouble)
	g.log.Error("bus: cannot "+what, "event", it.event.ID, "pause", pause, "error", err)
	g.lanes.again(it, pause)
}
