package breaker

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Breaker is that of one Key. It is made by a Set and safe for concurrent use.
// A Set may forget it, so it is looked up for every call and not kept.
type Breaker struct {
	set *Set
	key Key
	// gate is generation<<1, plus 1 while the breaker is closed. It lets the
	// calls of a closed breaker pass without the lock.
	gate atomic.Uint64
	// minBudget is that of terms, to be read without the lock.
	minBudget atomic.Int64

	mu         sync.Mutex
	terms      Settings
	state      State
	forced     Force
	generation uint64 // changes with every change of state
	since      int64  // when the state was entered; times are those of Set.now
	until      int64  // of an open breaker: when it is half-open
	used       int64  // when it was last needed
	window     window
	streak     int // failures in a row
	probes     []*probe
	passed     int // probes that succeeded since it is half-open
	counts     counts

	pending    []Transition // to be told
	delivering bool         // while somebody tells them
}

// probe is a call that a half-open breaker lets pass. It holds its place until
// it is answered, or over, or until its time is.
type probe struct{ expires int64 }

func newBreaker(set *Set, key Key, terms Settings, now int64) *Breaker {
	b := &Breaker{set: set, key: key, generation: 1, since: now, used: now}
	b.adopt(terms)
	b.openGate()
	return b
}

// Allow asks whether a call may be made now. It returns an *OpenError where it
// may not, and else a Call that has to be told how it went. What it protects has
// no deadline but its own: use Start wherever there is a context.
func (b *Breaker) Allow() (Call, error) {
	if gate := b.gate.Load(); gate&1 != 0 {
		return Call{breaker: b, generation: gate >> 1}, nil
	}
	return b.allow()
}

// Start is Allow for a call with a context, to be made with the context that it
// returns: a probe has a deadline, whatever the caller gave.
func (b *Breaker) Start(ctx context.Context) (context.Context, Call, error) {
	c, err := b.Allow()
	if err != nil {
		return ctx, c, err
	}
	c.short = b.isShort(ctx)
	if c.probe != nil {
		ctx, c.release = context.WithTimeout(ctx, c.patience)
	}
	return ctx, c, nil
}

// StartStream is Start for a call that may go on for long once it is answered:
// the deadline of a probe ends with Call.Answered. A probe that is not answered
// in time has its context cancelled with the cause ErrProbeTimeout.
func (b *Breaker) StartStream(ctx context.Context) (context.Context, Call, error) {
	c, err := b.Allow()
	if err != nil {
		return ctx, c, err
	}
	c.short = b.isShort(ctx)
	if c.probe != nil {
		limited, cancel := context.WithCancelCause(ctx)
		c.timer = time.AfterFunc(c.patience, func() { cancel(ErrProbeTimeout) })
		c.release = func() { cancel(context.Canceled) }
		ctx = limited
	}
	return ctx, c, nil
}

// isShort tells whether the caller leaves the target less time than it needs.
func (b *Breaker) isShort(ctx context.Context) bool {
	least := b.minBudget.Load()
	if least == 0 {
		return false
	}
	deadline, ok := ctx.Deadline()
	return ok && int64(time.Until(deadline)) < least
}

// allow is Allow of a breaker that is not closed.
func (b *Breaker) allow() (Call, error) {
	now := b.set.now()
	b.mu.Lock()
	defer b.unlock()
	b.settle(now)
	b.used = now
	switch b.state {
	case Closed:
		return Call{breaker: b, generation: b.generation}, nil
	case HalfOpen:
		if len(b.probes)+b.passed < b.terms.Probes {
			patience := b.terms.ProbeTimeout
			p := &probe{expires: now + int64(patience)}
			b.probes = append(b.probes, p)
			return Call{breaker: b, generation: b.generation, probe: p, patience: patience}, nil
		}
	}
	b.counts.rejected++
	return Call{}, &OpenError{Key: b.key, Forced: b.forced == ForceOpen, RetryAfter: b.wait(now)}
}

// wait is the time until it is worth asking again.
func (b *Breaker) wait(now int64) time.Duration {
	if b.forced == ForceOpen {
		return b.terms.OpenFor // nobody knows
	}
	if b.state == Open {
		return time.Duration(b.until - now)
	}
	// Half-open, and all probes are under way: each is over in time.
	earliest := now + int64(b.terms.ProbeTimeout)
	for _, p := range b.probes {
		earliest = min(earliest, p.expires)
	}
	return time.Duration(earliest - now)
}

// answered is told when the target answers a probe.
func (b *Breaker) answered(p *probe) (generation uint64) {
	now := b.set.now()
	b.mu.Lock()
	defer b.unlock()
	b.settle(now)
	if !b.take(p) {
		return 0
	}
	b.pass(now)
	return b.generation
}

// done is told how a call went.
func (b *Breaker) done(generation uint64, p *probe, o Outcome) {
	now := b.set.now()
	b.mu.Lock()
	b.used = now
	b.counts.outcomes[o]++
	if b.state == Closed && generation == b.generation {
		b.record(o, now)
	} else {
		b.doneProbe(generation, p, o, now)
	}
	b.unlock()
}

// doneProbe is done for a probe, and for a call that began in another state.
func (b *Breaker) doneProbe(generation uint64, p *probe, o Outcome, now int64) {
	b.settle(now)
	switch {
	case p == nil && generation == b.generation: // a probe that was answered before
		if o == Failure {
			b.open(now, "probe failed")
		}
	case p == nil || !b.take(p):
		b.counts.late++
	case o == Success:
		b.pass(now)
	case o == Failure:
		b.counts.probes[probeFailed]++
		b.open(now, "probe failed")
	default:
		b.counts.probes[probeIgnored]++
	}
}

// record counts a call that began since the breaker is closed. Only a failure
// opens it.
func (b *Breaker) record(o Outcome, now int64) {
	if o == Ignored {
		return
	}
	b.window.count(now, o == Failure)
	if o == Success {
		b.streak = 0
		return
	}
	b.streak++
	if b.forced == Auto && b.trips() {
		b.open(now, b.terms.Trip)
	}
}

func (b *Breaker) trips() bool {
	if b.terms.Trip == TripConsecutive {
		return b.streak >= b.terms.Consecutive
	}
	calls, failures := b.window.sum.calls, b.window.sum.failures
	return calls >= b.terms.MinCalls && float64(failures) >= b.terms.FailureRatio*float64(calls)
}

// take removes a probe from those under way, and tells whether it was there.
func (b *Breaker) take(p *probe) bool {
	for i, other := range b.probes {
		if other == p {
			b.probes = append(b.probes[:i], b.probes[i+1:]...)
			return true
		}
	}
	return false
}

// pass counts a probe that succeeded.
func (b *Breaker) pass(now int64) {
	b.counts.probes[probePassed]++
	if b.passed++; b.passed >= b.terms.Probes {
		b.enter(Closed, now, "probes passed")
	}
}

// settle makes the changes that are due by the clock alone, at the times at
// which they were due: the end of the wait, and probes that nobody heard of in
// time. There is no timer that would do it; whoever looks does.
func (b *Breaker) settle(now int64) {
	for {
		switch {
		case b.state == Open && b.forced == Auto && b.until <= now:
			b.enter(HalfOpen, b.until, "waited")
		case b.state == HalfOpen:
			expired := b.expired(now)
			if expired == nil {
				return
			}
			b.counts.probes[probeHung]++
			b.open(expired.expires, "probe hung")
		default:
			return
		}
	}
}

// expired is the first probe whose time is over.
func (b *Breaker) expired(now int64) (first *probe) {
	for _, p := range b.probes {
		if p.expires <= now && (first == nil || p.expires < first.expires) {
			first = p
		}
	}
	return first
}

// open opens the breaker. A fleet that opened at one time does not come back at
// one: each waits a little longer, by chance.
func (b *Breaker) open(now int64, reason string) {
	wait := float64(b.terms.OpenFor) * (1 + b.terms.OpenJitter*b.set.random())
	b.until = now + int64(wait)
	b.enter(Open, now, reason)
}

// enter changes the state. Whatever began before it does not count after it.
func (b *Breaker) enter(state State, now int64, reason string) {
	t := Transition{
		Key: b.key, From: b.state, To: state, Reason: reason, At: b.set.time(now),
		Calls: b.window.sum.calls, Failures: b.window.sum.failures,
	}
	if state == Open && b.forced == Auto {
		t.Wait = time.Duration(b.until - now)
	}
	b.state, b.since = state, now
	b.generation++
	t.Sequence = b.generation
	b.window.clear()
	b.streak, b.passed, b.probes = 0, 0, nil
	b.counts.transitions[state]++
	b.openGate()
	b.pending = append(b.pending, t)
}

func (b *Breaker) openGate() {
	gate := b.generation << 1
	if b.state == Closed {
		gate |= 1
	}
	b.gate.Store(gate)
}

// adopt takes on other settings.
func (b *Breaker) adopt(terms Settings) {
	b.terms = terms
	b.minBudget.Store(int64(terms.MinBudget))
	b.window.resize(terms.Window)
}

// unlock ends what lock began, and tells of the changes in between: in their
// order and without the lock, so that whoever is told may ask the breaker.
func (b *Breaker) unlock() {
	if len(b.pending) == 0 || b.delivering {
		b.mu.Unlock()
		return
	}
	b.deliver()
}

func (b *Breaker) deliver() {
	b.delivering = true
	told := false
	defer func() {
		if !told { // whoever was told panicked
			b.mu.Lock()
			b.delivering = false
			b.mu.Unlock()
		}
	}()
	for len(b.pending) > 0 {
		batch := b.pending
		b.pending = nil
		b.mu.Unlock()
		for _, t := range batch {
			b.set.tell(t)
		}
		b.mu.Lock()
	}
	b.delivering = false
	told = true
	b.mu.Unlock()
}
