package breaker

import (
	"encoding"
	"fmt"
	"slices"
	"strings"
	"time"
)

// State is that of a breaker.
type State int

const (
	// Closed: calls pass.
	Closed State = iota
	// HalfOpen: as many calls pass as are needed to find out whether the target
	// is well again.
	HalfOpen
	// Open: no call passes.
	Open
)

var stateNames = [...]string{Closed: "closed", HalfOpen: "half-open", Open: "open"}

// String is the state in one word.
func (s State) String() string { return stateNames[s] }

// MarshalText implements encoding.TextMarshaler.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Force is what a person has decided about a breaker.
type Force int

const (
	// Auto: nothing, the breaker decides.
	Auto Force = iota
	// ForceOpen: no call passes, until it is Auto again.
	ForceOpen
	// ForceClosed: every call passes, until it is Auto again.
	ForceClosed
)

var forceNames = [...]string{Auto: "auto", ForceOpen: "open", ForceClosed: "closed"}

// String is the decision in one word.
func (f Force) String() string { return forceNames[f] }

var (
	_ encoding.TextMarshaler   = Auto
	_ encoding.TextUnmarshaler = new(Force)
)

// MarshalText implements encoding.TextMarshaler.
func (f Force) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *Force) UnmarshalText(text []byte) error {
	i := slices.Index(forceNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("breaker: %q is none of %s", text, strings.Join(forceNames[:], ", "))
	}
	*f = Force(i)
	return nil
}

// Transition is a change of the state of one breaker.
type Transition struct {
	Key      Key
	From, To State
	// Reason is why, in a few words.
	Reason string
	// At is when it was due; it may be noticed later, with the next call.
	At time.Time
	// Calls and Failures are those of the window that ended.
	Calls, Failures int
	// Wait is how long an open breaker stays so; 0 where that is not known.
	Wait time.Duration
	// Sequence grows with the changes of one breaker.
	Sequence uint64
}

// Status is what a breaker looks like at one time.
type Status struct {
	Key    Key
	State  State
	Forced Force
	// Since is when the state was entered.
	Since time.Time
	// RetryAfter is the time until an open breaker lets a call pass.
	RetryAfter time.Duration
	// Calls, Failures and Retries are those of the window.
	Calls, Failures, Retries int
	// Streak is the number of failures in a row.
	Streak int
	// Probes are under way, and Passed have succeeded, of Needed ones.
	Probes, Passed, Needed int
}

// Status returns what the breaker looks like now.
func (b *Breaker) Status() Status {
	s, _ := b.look()
	return s
}

// State returns the state of the breaker now.
func (b *Breaker) State() State { return b.Status().State }

// look returns the status and all counts.
func (b *Breaker) look() (Status, counts) {
	now := b.set.now()
	b.mu.Lock()
	defer b.unlock()
	b.settle(now)
	b.window.advance(now)
	s := Status{
		Key: b.key, State: b.state, Forced: b.forced, Since: b.set.time(b.since),
		Calls: b.window.sum.calls, Failures: b.window.sum.failures, Retries: b.window.sum.retries,
		Streak: b.streak, Probes: len(b.probes), Passed: b.passed, Needed: b.terms.Probes,
	}
	if b.state == Open && b.forced == Auto {
		s.RetryAfter = b.wait(now)
	}
	return s, b.counts
}

// Force opens or closes the breaker by hand, or gives it back to itself. One
// that was forced open then begins with probes.
func (b *Breaker) Force(f Force) {
	now := b.set.now()
	b.mu.Lock()
	defer b.unlock()
	b.settle(now)
	before := b.forced
	if f == before {
		return
	}
	b.forced = f
	switch {
	case f == ForceOpen && b.state != Open:
		b.enter(Open, now, "forced")
	case f == ForceClosed && b.state != Closed:
		b.enter(Closed, now, "forced")
	case f == Auto && before == ForceOpen:
		b.enter(HalfOpen, now, "no longer forced")
	case f == Auto: // what came while it could not open is not held against it
		b.window.clear()
		b.streak = 0
	}
	b.used = now
}
