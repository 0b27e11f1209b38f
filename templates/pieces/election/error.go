package election

import (
	"errors"
	"fmt"
	"time"
)

// ErrExpired says that no renewal was confirmed in time. Like ErrLost it is a
// reason for which a term ends, and then the cause of the leader's context; the
// others are an error of the leader's work and the end of the elector's context.
var ErrExpired = errors.New("lease not renewed in time")

// workError is an error of the leader's work.
type workError struct{ err error }

func (e *workError) Error() string { return "leader's work: " + e.err.Error() }
func (e *workError) Unwrap() error { return e.err }

// PanicError tells of a panic in the leader's work or in onLost.
type PanicError struct {
	// Value is that of the panic, and Stack where it happened.
	Value any
	Stack []byte
}

// Error tells the value.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// DrainError tells that the leader's work did not end in time after its context
// had. The lease was not given up: it ends by itself.
type DrainError struct {
	// Limit is the time that it was given.
	Limit time.Duration
}

// Error tells the limit.
func (e *DrainError) Error() string {
	return fmt.Sprintf("election: leader's work still running %s after the end of its context; the lease is left to end by itself", e.Limit)
}

// FencedError tells that a write was refused because there is a later leader.
type FencedError struct {
	// Name is that of the fence.
	Name string
	// Token is that of the write.
	Token Token
}

// Error names the fence and the token.
func (e *FencedError) Error() string {
	return fmt.Sprintf("%s: write with token %d refused: a later leader has been here", e.Name, e.Token)
}
