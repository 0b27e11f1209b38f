package election

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"time"
)

// term is one term of leadership of an elector.
type term struct {
	elector *Elector
	token   Token
	began   time.Time
	ctx     context.Context // of the leader's work
	cancel  context.CancelCauseFunc

	mu     sync.Mutex
	ended  bool
	until  time.Time // when ctx ends unless the lease is renewed
	expiry *time.Timer

	// held is false once the lease is known to be somebody else's. It belongs
	// to the goroutine of lead.
	held     bool
	renewals sync.WaitGroup
	renewed  chan renewal
}

// renewal is the result of one attempt to renew the lease.
type renewal struct {
	from time.Time // when it was begun
	err  error
}

// lead leads until the term ends, for whatever reason, and returns after the
// work has. It returns the error of the work, a *DrainError, or nil.
func (e *Elector) lead(ctx context.Context, holder Holder, from time.Time, onElected func(context.Context, Token) error, onLost func(Token, error)) error {
	t := e.begin(ctx, holder.Token, from)
	work := make(chan error, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		t.work(onElected, onLost, work)
	}()

	err := t.keep(ctx, work, done)
	t.renewals.Wait()
	if errors.As(err, new(*DrainError)) {
		return err
	}
	if t.held {
		t.release(ctx)
	}
	e.settle(Follower, Holder{})
	e.opts.Log.InfoContext(ctx, "term over", "id", e.opts.ID, "token", t.token, "led", time.Since(t.began), "reason", context.Cause(t.ctx))
	return err
}

// begin makes this instance the leader.
func (e *Elector) begin(ctx context.Context, token Token, from time.Time) *term {
	e.terms.Add(1)
	t := &term{elector: e, token: token, began: time.Now(), until: from.Add(e.opts.TTL - e.opts.Margin), held: true, renewed: make(chan renewal, 1)}
	// It ends through end alone, so that the state changes before it does.
	t.ctx, t.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	t.publish(Leader)
	// The lock is for a timer that runs at once.
	t.mu.Lock()
	t.expiry = time.AfterFunc(time.Until(t.until), func() { t.end(ErrExpired) })
	t.mu.Unlock()
	e.opts.Log.InfoContext(ctx, "leading", "id", e.opts.ID, "token", token)
	return t
}

// work calls onElected, tells an error of it at once, and calls onLost after the
// end of the term.
func (t *term) work(onElected func(context.Context, Token) error, onLost func(Token, error), failed chan<- error) {
	err := guard(func() error { return onElected(t.ctx, t.token) })
	if err != nil && t.ctx.Err() == nil {
		failed <- err
	}
	<-t.ctx.Done()
	err = guard(func() error {
		onLost(t.token, context.Cause(t.ctx))
		return nil
	})
	if err != nil {
		t.elector.opts.Log.Error("onLost failed", "id", t.elector.opts.ID, "error", err)
	}
}

// guard turns a panic into an error.
func guard(fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return fn()
}

// keep renews the lease until the work is done.
func (t *term) keep(ctx context.Context, failed <-chan error, done <-chan struct{}) (err error) {
	o := t.elector.opts
	tick := time.NewTimer(t.interval())
	defer tick.Stop()
	stop, drained := ctx.Done(), (<-chan time.Time)(nil)
	for {
		select {
		case <-done:
			return err
		case err = <-failed:
			if p := (*PanicError)(nil); errors.As(err, &p) {
				o.Log.Error("panic in the leader's work", "id", o.ID, "panic", p.Error(), "stack", string(p.Stack))
			}
			err = &workError{err}
			t.end(err)
		case <-stop:
			stop = nil
			t.end(context.Cause(ctx))
			limit := time.NewTimer(o.Drain)
			defer limit.Stop()
			drained = limit.C
		case <-drained:
			return &DrainError{o.Drain}
		case <-tick.C:
			if t.held {
				t.renew(ctx)
			}
		case r := <-t.renewed:
			tick.Reset(t.take(ctx, r))
		}
	}
}

// interval is the time between two renewals: a third of what the leader has, so
// that two may fail.
func (t *term) interval() time.Duration {
	return max((t.elector.opts.TTL-t.elector.opts.Margin)/3, time.Millisecond)
}

// renew begins to renew the lease. The result comes through renewed.
func (t *term) renew(ctx context.Context) {
	o := t.elector.opts
	from := time.Now()
	// Also at the end of the program, while the work is waited for.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.interval())
	t.renewals.Go(func() {
		defer cancel()
		t.renewed <- renewal{from, t.elector.lease.Renew(ctx, o.ID, t.token, o.TTL)}
	})
}

// take takes the result of a renewal, and returns when the next one is due.
func (t *term) take(ctx context.Context, r renewal) time.Duration {
	switch {
	case r.err == nil:
		t.elector.hear()
		t.extend(r.from.Add(t.elector.opts.TTL - t.elector.opts.Margin))
		return max(time.Until(r.from.Add(t.interval())), 0)
	case errors.Is(r.err, ErrLost):
		t.held = false
		t.end(ErrLost)
	default:
		t.elector.fail(ctx, r.err)
		t.elector.opts.Log.WarnContext(ctx, "lease not renewed", "id", t.elector.opts.ID, "token", t.token, "error", r.err)
	}
	return min(t.interval(), t.elector.opts.RetryMin)
}

// extend makes the term last longer, unless it has ended already.
func (t *term) extend(until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return
	}
	// After a pause of the process, this may run before the timer does.
	now := time.Now()
	if !now.Before(t.until) || !now.Before(until) {
		t.endLocked(ErrExpired)
		return
	}
	t.until = until
	t.expiry.Reset(until.Sub(now))
	t.publish(Leader)
}

// end ends the term: first for readers of the state, then for the work.
func (t *term) end(reason error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.endLocked(reason)
}

// endLocked is called with mu held.
func (t *term) endLocked(reason error) {
	if t.ended {
		return
	}
	t.ended = true
	t.expiry.Stop()
	t.publish(Resigning)
	t.cancel(reason)
}

// publish makes the state that of this term.
func (t *term) publish(role Role) {
	s := State{Role: role, Token: t.token, Leader: t.elector.opts.ID, Since: t.began, ObservedAt: time.Now()}
	if role == Leader {
		s.Until = t.until
	}
	t.elector.state.Store(&s)
}

// release gives the lease up. Where that fails it ends by itself.
func (t *term) release(ctx context.Context) {
	o := t.elector.opts
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.TTL)
	defer cancel()
	if err := t.elector.lease.Release(limit, o.ID, t.token); err != nil {
		t.elector.fail(ctx, err)
		o.Log.WarnContext(ctx, "lease not given up, it will end by itself", "id", o.ID, "token", t.token, "error", err)
	}
}
