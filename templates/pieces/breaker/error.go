package breaker

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrOpen is what every *OpenError is: errors.Is(err, breaker.ErrOpen).
var ErrOpen = errors.New("breaker: open")

// ErrProbeTimeout is the cause with which the context of a probe ends that was
// not answered in time. It is a context.DeadlineExceeded.
var ErrProbeTimeout = fmt.Errorf("breaker: the probe was not answered in time: %w", context.DeadlineExceeded)

// OpenError is that of a call which did not take place, because its breaker is
// open, or because as many probes are under way as may be. It is safe to make
// the call again.
type OpenError struct {
	Key Key
	// Forced is true where a person has opened the breaker.
	Forced bool
	// RetryAfter is the time after which it is worth asking again; over 0.
	RetryAfter time.Duration
}

// Error implements error.
func (e *OpenError) Error() string {
	if e.Forced {
		return fmt.Sprintf("breaker: %s is kept open by hand", e.Key)
	}
	return fmt.Sprintf("breaker: %s is open; retry in %v", e.Key, e.RetryAfter.Round(time.Millisecond))
}

// Is tells that it is an ErrOpen.
func (e *OpenError) Is(target error) bool { return target == ErrOpen }

// Seconds is RetryAfter as a Retry-After header has it: whole seconds, rounded
// up, at least 1.
func (e *OpenError) Seconds() int {
	return max(1, int((e.RetryAfter+time.Second-1)/time.Second))
}
