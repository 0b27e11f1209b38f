package breaker

import (
	"context"
	"errors"
	"time"
)

// Outcome is what a call tells of its target.
type Outcome int

const (
	// Ignored tells nothing: the caller gave up, or never asked.
	Ignored Outcome = iota
	// Success: the target did its work, were it to say no.
	Success
	// Failure: the target is in trouble.
	Failure
)

var outcomeNames = [...]string{Ignored: "ignored", Success: "success", Failure: "failure"}

// String is the outcome in one word.
func (o Outcome) String() string { return outcomeNames[o] }

// Call is a call that a breaker let pass. It is a value of one goroutine, and
// ends with Done, also where the call panics: a probe that is never done holds
// its place until its time is over.
type Call struct {
	breaker    *Breaker
	generation uint64
	probe      *probe             // nil for an ordinary call
	patience   time.Duration      // how long a probe may take
	timer      *time.Timer        // ends a probe that is not answered
	release    context.CancelFunc // of the context of a probe
	short      bool
	over       bool
}

// IsProbe tells whether the call is one by which a half-open breaker finds out
// whether its target is well.
func (c *Call) IsProbe() bool { return c.probe != nil }

// TimedOut is the outcome of a call that ended by a deadline: a failure of the
// target, unless the caller left it less time than it needs.
func (c *Call) TimedOut() Outcome {
	if c.short {
		return Ignored
	}
	return Failure
}

// Answered says that the target answers, although the call goes on, as a stream
// does. It is what a probe wants to know: that gives its place free. How the
// call ends is counted then, by Done.
func (c *Call) Answered() {
	if c.probe == nil || c.over {
		return
	}
	if c.timer != nil && !c.timer.Stop() {
		return // too late, and its context has ended
	}
	c.generation = c.breaker.answered(c.probe)
	c.probe = nil
}

// Retry asks whether the target may be tried once more within this call. It may
// while the breaker is closed, and as long as retries are no more than their
// share of the calls of the window. A probe is never retried.
func (c *Call) Retry() bool {
	if c.probe != nil || c.over || c.breaker == nil {
		return false
	}
	return c.breaker.retry(c.generation)
}

// Done ends the call. Only the first one counts.
func (c *Call) Done(o Outcome) {
	c.settle(o)
	if c.release != nil {
		c.release()
	}
}

// settle is Done for a call whose context is needed for longer.
func (c *Call) settle(o Outcome) {
	if c.over || c.breaker == nil {
		return
	}
	c.over = true
	if c.timer != nil {
		c.timer.Stop()
	}
	c.breaker.done(c.generation, c.probe, o)
}

// Do makes a call where it may take place. Its error tells the outcome: none is
// a success, that of an open breaker or of a caller who gave up is ignored, a
// deadline is as Call.TimedOut says, and all others are failures.
func (b *Breaker) Do(ctx context.Context, call func(context.Context) error) error {
	limited, c, err := b.Start(ctx)
	if err != nil {
		return err
	}
	outcome := Ignored // if call panics
	defer func() { c.Done(outcome) }()
	if err = call(limited); err != nil {
		outcome = c.OutcomeOf(ctx, err)
	} else {
		outcome = Success
	}
	return err
}

// OutcomeOf is the outcome of a call that failed with err, given the context of
// the caller, where nothing more is known of the error.
func (c *Call) OutcomeOf(ctx context.Context, err error) Outcome {
	switch {
	case errors.Is(err, ErrOpen):
		return Ignored
	case errors.Is(ctx.Err(), context.Canceled):
		return Ignored
	case errors.Is(ctx.Err(), context.DeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return c.TimedOut()
	}
	return Failure
}

// retry takes a retry off the budget.
func (b *Breaker) retry(generation uint64) bool {
	now := b.set.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if generation != b.generation || b.state != Closed {
		b.counts.retriesDenied++
		return false
	}
	b.window.advance(now)
	spent := float64(b.window.sum.retries + 1)
	if spent > float64(b.terms.RetryReserve)+b.terms.RetryRatio*float64(b.window.sum.calls) {
		b.counts.retriesDenied++
		return false
	}
	b.window.retry()
	b.counts.retries++
	return true
}
