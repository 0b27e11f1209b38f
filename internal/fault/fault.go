// Package fault holds the one error type that fractl shows to a person: the
// thing it is about, the fact, and the next step. Libraries return it, the
// command line prints it; nobody in between has to parse a string.
package fault

import (
	"errors"
	"fmt"
)

// Error is an error that a user can act on.
type Error struct {
	// Subject names the thing: a path with its line, a module, a flag.
	Subject string
	// Fact says what is wrong with it, in lower case and without a period.
	Fact string
	// Hint is the next step, or empty where there is none.
	Hint string
	// Err is the cause, reachable through errors.Is and errors.As. It is not
	// printed: what a reader needs of it belongs into Fact.
	Err error
}

// New returns an error about subject.
func New(subject, fact, hint string) *Error {
	return &Error{Subject: subject, Fact: fact, Hint: hint}
}

// At returns an error about a line of a file; line 0 leaves the line out.
func At(file string, line int, fact, hint string) *Error {
	subject := file
	if line > 0 {
		subject = fmt.Sprintf("%s:%d", file, line)
	}
	return &Error{Subject: subject, Fact: fact, Hint: hint}
}

// Error is the text of the first line: subject, colon, fact.
func (e *Error) Error() string {
	switch {
	case e.Subject == "":
		return e.Fact
	case e.Fact == "":
		return e.Subject
	}
	return e.Subject + ": " + e.Fact
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// HintOf returns the hint of the first fault in err's chain, or "".
func HintOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Hint
	}
	return ""
}
