package election

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Elector campaigns for a lease and leads while it holds it. All methods but Run
// are safe for concurrent use.
type Elector struct {
	lease   Lease
	opts    Options
	running atomic.Bool
	state   atomic.Pointer[State]
	terms   atomic.Uint64

	first    sync.Once
	heard    chan struct{} // closed once the place of the lease has answered
	mu       sync.Mutex
	failure  error // of the lease, since its place last answered
	failures uint64
}

// Options are the terms of an elector. The zero value of a duration stands for
// its default.
type Options struct {
	// ID tells this instance from all others, also from itself before it was
	// restarted; empty: it is made of the host, the process and chance.
	ID string
	// TTL is how long the lease lasts unless it is renewed; so long nobody leads
	// after a crash. 0 means 10 s.
	TTL time.Duration
	// Margin is how long before the lease the leader's context ends: the time
	// that work has to notice it, and that clocks may differ in the course of a
	// TTL. At most half of TTL; 0 means a fifth.
	Margin time.Duration
	// RetryMin and RetryMax are the least and the longest pause after a failure;
	// 0 means 100 ms and 5 s.
	RetryMin, RetryMax time.Duration
	// Drain is the longest time that the leader's work may take to end at the
	// end of Run; 0 means 10 s.
	Drain time.Duration
	// Log tells of terms and failures; nil means slog.Default.
	Log *slog.Logger
}

// New returns an elector that does nothing until Run.
func New(l Lease, o Options) (*Elector, error) {
	if o.ID == "" {
		o.ID = newID()
	}
	o.TTL = cmp.Or(o.TTL, 10*time.Second)
	o.Margin = cmp.Or(o.Margin, o.TTL/5)
	o.RetryMin = cmp.Or(o.RetryMin, 100*time.Millisecond)
	o.RetryMax = max(cmp.Or(o.RetryMax, 5*time.Second), o.RetryMin)
	o.Drain = cmp.Or(o.Drain, 10*time.Second)
	if o.Log == nil {
		o.Log = slog.Default()
	}
	switch {
	case l == nil:
		return nil, errors.New("election: no lease given")
	case o.TTL < 0 || o.Drain < 0 || o.RetryMin < 0:
		return nil, errors.New("election: a duration is negative")
	case o.Margin < 0 || o.Margin > o.TTL/2:
		return nil, fmt.Errorf("election: margin %s is more than half of the lease's %s", o.Margin, o.TTL)
	}
	e := &Elector{lease: l, opts: o, heard: make(chan struct{})}
	e.state.Store(&State{Since: time.Now()})
	return e, nil
}

// newID is a name that no other instance has.
func newID() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown" // chance alone tells instances apart
	}
	return fmt.Sprintf("%s-%d-%s", host, os.Getpid(), rand.Text()[:8])
}

// ID is the name of this instance.
func (e *Elector) ID() string { return e.opts.ID }

// State returns what is known now. It costs a few nanoseconds and no memory, so
// that it may be asked for each request.
func (e *Elector) State() State { return *e.state.Load() }

// Run campaigns and leads, again and again, until ctx ends.
//
// In each term it calls onElected in a goroutine of its own. The context that it
// is given ends before the lease does, and has the reason as its cause; the
// token is that of the term. If onElected returns nil before that, this instance
// remains the leader. If it returns an error, or panics, the instance resigns
// and campaigns again after a pause. When the term has ended and onElected has
// returned, onLost is called with the token and the reason; it may be nil. There
// is never more than one of these calls at a time.
//
// Failures of the lease are logged and tried again. At the end of ctx, Run keeps
// the lease until onElected and onLost have returned, gives it up, and returns
// nil. Where they take too long it leaves them behind, with the lease not given
// up, and returns a *DrainError. Run is called once at a time.
func (e *Elector) Run(ctx context.Context, onElected func(ctx context.Context, token Token) error, onLost func(token Token, reason error)) error {
	if onElected == nil {
		return errors.New("election: no work for the leader given")
	}
	if onLost == nil {
		onLost = func(Token, error) {}
	}
	if !e.running.CompareAndSwap(false, true) {
		return errors.New("election: runs already")
	}
	defer e.running.Store(false)
	defer e.settle(Idle, Holder{})

	lease := backoff{least: e.opts.RetryMin, most: e.opts.RetryMax}
	work := lease
	for ctx.Err() == nil {
		begun := time.Now()
		err := e.once(ctx, onElected, onLost)
		if errors.As(err, new(*DrainError)) {
			return err
		}
		if time.Since(begun) > e.opts.RetryMax {
			lease.last, work.last = 0, 0
		}
		if err == nil || ctx.Err() != nil {
			lease.last = 0
			continue
		}
		pause := &lease
		if errors.As(err, new(*workError)) {
			pause = &work
		}
		wait := pause.next()
		e.opts.Log.WarnContext(ctx, "election failed", "id", e.opts.ID, "error", err, "retry_in", wait)
		sleep(ctx, wait)
	}
	return nil
}

// backoff makes pauses that grow with each failure.
type backoff struct{ least, most, last time.Duration }

// next is the next pause, with jitter, so that instances do not meet again and
// again.
func (b *backoff) next() time.Duration {
	b.last = min(max(2*b.last, b.least), b.most)
	return b.last/2 + mathrand.N(b.last/2+1)
}

// once tries to take the lease, and leads or waits. An error asks for a pause.
func (e *Elector) once(ctx context.Context, onElected func(context.Context, Token) error, onLost func(Token, error)) error {
	// Before the request is sent: the lease begins after that.
	from := time.Now()
	asking, cancel := context.WithTimeout(ctx, e.opts.TTL)
	defer cancel()
	holder, won, err := e.lease.Acquire(asking, e.opts.ID, e.opts.TTL)
	if err != nil {
		e.fail(ctx, err)
		return fmt.Errorf("take the lease: %w", err)
	}
	e.hear()
	if won {
		return e.lead(ctx, holder, from, onElected, onLost)
	}
	e.follow(ctx, holder)
	// Not for ever: whoever waits asks anew now and then, so that what it knows is
	// not older than a lease, whatever a watch has missed.
	waiting, cancel := context.WithTimeout(ctx, e.opts.TTL)
	defer cancel()
	if err := e.lease.Wait(waiting, holder); err != nil && waiting.Err() == nil {
		e.fail(ctx, err)
		return fmt.Errorf("watch the lease: %w", err)
	}
	return nil
}

// follow notes that another one leads.
func (e *Elector) follow(ctx context.Context, holder Holder) {
	if before := e.State(); before.Leader != holder.ID {
		e.opts.Log.InfoContext(ctx, "following", "id", e.opts.ID, "leader", holder.ID, "token", holder.Token)
	}
	e.settle(Follower, holder)
}

// settle makes the state that of a role without a term of its own.
func (e *Elector) settle(role Role, holder Holder) {
	now := time.Now()
	next := State{Role: role, Leader: holder.ID, Token: holder.Token, Since: now, ObservedAt: now}
	before := e.State()
	if role == Idle {
		next.ObservedAt = before.ObservedAt
	}
	if before.Role == role && before.Leader == holder.ID && before.Token == holder.Token {
		next.Since = before.Since
	}
	e.state.Store(&next)
}

// hear notes that the place of the lease has answered.
func (e *Elector) hear() {
	e.first.Do(func() { close(e.heard) })
	e.mu.Lock()
	e.failure = nil
	e.mu.Unlock()
}

// fail notes that it has not. Who leads is not known then.
func (e *Elector) fail(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	e.mu.Lock()
	e.failure = err
	e.failures++
	e.mu.Unlock()
	before := e.State()
	if before.Role == Leader || before.Role == Resigning {
		return
	}
	next := State{Role: Follower, Since: before.Since, ObservedAt: before.ObservedAt}
	if before.Leader != "" || before.Role != Follower {
		next.Since = time.Now()
	}
	e.state.Store(&next)
}

// Check returns nil if the place of the lease answers, and its last error where
// it does not; it fits a health check that is not critical. At the start it waits
// for the first answer until ctx ends.
func (e *Elector) Check(ctx context.Context) error {
	e.mu.Lock()
	failure := e.failure
	e.mu.Unlock()
	if failure != nil {
		return failure
	}
	select {
	case <-e.heard:
		return nil
	case <-ctx.Done():
		return errors.New("the place of the lease has not answered yet")
	}
}

// Leading returns nil if this instance leads; it fits a critical health check of
// a program that only its leader may serve for.
func (e *Elector) Leading(context.Context) error {
	if s := e.State(); !s.Leads(time.Now()) {
		return fmt.Errorf("not the leader, but %s", s.Role)
	}
	return nil
}

// Failures counts the failures of the lease.
func (e *Elector) Failures() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.failures
}

// sleep waits until the time is over or ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
