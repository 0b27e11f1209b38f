package bus

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Retry says how often and how fast a group tries an event again.
type Retry struct {
	// Attempts is how often an event is tried in all before it becomes a dead
	// letter, at least 1.
	Attempts int
	// Base is the pause after the first failure. It doubles with each further
	// one, up to Max.
	Base, Max time.Duration
	// Jitter makes each pause longer by a random part of itself, from 0 to this
	// factor, so that what failed together does not come back together. It never
	// makes one shorter. From 0 to 1.
	Jitter float64
}

// DefaultRetry tries for about five minutes.
func DefaultRetry() Retry {
	return Retry{Attempts: 10, Base: 500 * time.Millisecond, Max: time.Minute, Jitter: 0.2}
}

// Validate checks every field.
func (r Retry) Validate() error {
	var errs []error
	if r.Attempts < 1 {
		errs = append(errs, errors.New("attempts: must be at least 1"))
	}
	if r.Base < time.Millisecond {
		errs = append(errs, errors.New("base: must be at least 1ms"))
	}
	if r.Max < r.Base {
		errs = append(errs, fmt.Errorf("max: must be at least base, %s", r.Base))
	}
	if !(r.Jitter >= 0 && r.Jitter <= 1) {
		errs = append(errs, errors.New("jitter: must be from 0 to 1"))
	}
	return errors.Join(errs...)
}

// Window is the longest time for which redeliveries of one event may go on:
// every attempt at its longest pause.
func (r Retry) Window() time.Duration {
	longest := float64(r.Max) * (1 + r.Jitter) * float64(r.Attempts)
	if longest > float64(1<<62) {
		return 1 << 62
	}
	return time.Duration(longest)
}

// pause is how long to wait after the given number of failures, at least 1.
func (r Retry) pause(failures int) time.Duration {
	d := r.Base
	for range failures - 1 {
		if d >= r.Max/2 {
			d = r.Max
			break
		}
		d *= 2
	}
	if r.Jitter > 0 {
		d += time.Duration(rand.Float64() * r.Jitter * float64(d))
	}
	return d
}

// patience is the pause between two tries to reach a store or an engine that
// fails. These are no attempts of the event: nobody has handled it.
var patience = Retry{Attempts: 1, Base: 100 * time.Millisecond, Max: 5 * time.Second, Jitter: 0.2}
