package problem

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Error is an error whose text is meant for the caller. Its cause, where it has
// one, is not: that is reachable through errors.Is and errors.As only.
type Error struct {
	kind       kind
	detail     string
	violations []Violation
	retryAfter time.Duration
	cause      error
}

// NotFound says that the thing with this identifier does not exist, for
// example NotFound("item", id). 404.
func NotFound(thing, id string) *Error {
	return &Error{kind: notFound, detail: fmt.Sprintf("%s %q does not exist", thing, id)}
}

// Malformed says that a request cannot be understood: broken syntax, a cursor
// that is none, a parameter out of its range. 400.
func Malformed(detail string, violations ...Violation) *Error {
	return &Error{kind: malformed, detail: detail, violations: violations}
}

// Invalid says that a request is understood and that its values are wrong. 422.
func Invalid(violations ...Violation) *Error {
	return &Error{kind: invalid, detail: "the request has invalid fields", violations: violations}
}

// Conflict says that a request contradicts the state of what it is about, such
// as a name that is taken. 409.
func Conflict(detail string) *Error {
	return &Error{kind: conflict, detail: detail}
}

// TooLarge says that a body is over the limit, in bytes. 413.
func TooLarge(limit int64) *Error {
	return &Error{kind: tooLarge, detail: fmt.Sprintf("the body must not be over %d bytes", limit)}
}

// UnsupportedMediaType says that a body is of another type than the one that
// is understood. 415.
func UnsupportedMediaType(want string) *Error {
	return &Error{kind: unsupportedMediaType, detail: "the body must be of type " + want}
}

// MethodNotAllowed says that the path exists, but not with this method. 405.
func MethodNotAllowed(method string) *Error {
	return &Error{kind: methodNotAllowed, detail: "the method " + method + " is not allowed here"}
}

// NoRoute says that no handler has this path. 404.
func NoRoute() *Error {
	return &Error{kind: notFound, detail: "nothing is served at this path"}
}

// SlowRequest says that the client did not send its request in time. 408.
func SlowRequest() *Error {
	return &Error{kind: slowRequest, detail: "the request was not sent in time"}
}

// Timeout says that something this request needs did not answer in time. 504.
func Timeout(cause error) *Error {
	return &Error{kind: timeout, detail: "the request took longer than it may", cause: cause}
}

// Unavailable says that the service cannot answer now and may after the given
// time, which is rounded up to seconds. 503.
func Unavailable(retryAfter time.Duration, cause error) *Error {
	return &Error{kind: unavailable, detail: "the service cannot answer at the moment", retryAfter: retryAfter, cause: cause}
}

// Internal hides cause from the caller, who sees a bare 500.
func Internal(cause error) *Error {
	return &Error{kind: internal, cause: cause}
}

// Error is the text for logs: detail, violations and cause.
func (e *Error) Error() string {
	var parts []string
	if e.detail != "" {
		parts = append(parts, e.detail)
	}
	for _, v := range e.violations {
		parts = append(parts, v.Field+" "+v.Detail)
	}
	if e.cause != nil {
		parts = append(parts, e.cause.Error())
	}
	if len(parts) == 0 {
		return http.StatusText(e.kind.status())
	}
	return strings.Join(parts, ": ")
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is makes two errors of one kind equal for errors.Is, so that a test may ask
// errors.Is(err, problem.NotFound("", "")).
func (e *Error) Is(target error) bool {
	var t *Error
	return errors.As(target, &t) && t.kind == e.kind
}

type kind int

const (
	internal kind = iota
	malformed
	notFound
	methodNotAllowed
	slowRequest
	conflict
	tooLarge
	unsupportedMediaType
	invalid
	unavailable
	timeout
)

func (k kind) status() int {
	switch k {
	case malformed:
		return http.StatusBadRequest
	case notFound:
		return http.StatusNotFound
	case methodNotAllowed:
		return http.StatusMethodNotAllowed
	case slowRequest:
		return http.StatusRequestTimeout
	case conflict:
		return http.StatusConflict
	case tooLarge:
		return http.StatusRequestEntityTooLarge
	case unsupportedMediaType:
		return http.StatusUnsupportedMediaType
	case invalid:
		return http.StatusUnprocessableEntity
	case unavailable:
		return http.StatusServiceUnavailable
	case timeout:
		return http.StatusGatewayTimeout
	}
	return http.StatusInternalServerError
}
