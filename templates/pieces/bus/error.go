package bus

import (
	"errors"
	"fmt"
)

// ErrClosed is returned by what is asked of a bus that was closed.
var ErrClosed = errors.New("bus: closed")

// ErrLost says that a claim or a delivery belongs to somebody else by now, or to
// nobody.
var ErrLost = errors.New("bus: the claim was lost")

// ErrNotFound says that there is no such dead letter or group.
var ErrNotFound = errors.New("bus: not found")

// OverloadedError says that the queue of a group is full, and that an event was
// therefore given to no group at all.
type OverloadedError struct {
	// Group is the group whose queue is full, or "" where an engine has one
	// queue for all of them.
	Group string
}

// Error names the group.
func (e *OverloadedError) Error() string {
	if e.Group == "" {
		return "bus: overloaded: the queue is full"
	}
	return fmt.Sprintf("bus: overloaded: the queue of group %s is full", e.Group)
}

// Permanent marks an error that no further attempt would cure: the event becomes
// a dead letter at once. Permanent(nil) is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

// IsPermanent tells whether err was marked by Permanent.
func IsPermanent(err error) bool {
	_, is := errors.AsType[*permanentError](err)
	return is
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// PanicError is what a panic of a handler becomes.
type PanicError struct {
	// Value is what the handler panicked with.
	Value any
	// Stack is the stack at that place.
	Stack []byte
}

// Error is the value; the stack is for logs.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// errGoexit is what runtime.Goexit in a handler becomes.
var errGoexit = errors.New("the handler ended its goroutine")

// errNoEnd is the cause of a dead letter of which no handler has ever told.
var errNoEnd = errors.New("no attempt has come to an end: the process may have died of it")
