// Package problem answers errors over HTTP in one form, application/problem+json
// of RFC 9457. Code below the handlers returns typed errors (NotFound, Invalid,
// Conflict …) and knows nothing of HTTP; Write turns any error into a response
// and never shows a text that was not meant for the caller.
package problem

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// ContentType is the media type of every problem.
const ContentType = "application/problem+json"

// StatusClientClosedRequest is what an access log shows where the client went
// away before it was answered. It is no registered status and nobody receives
// it; proxies log the same number.
const StatusClientClosedRequest = 499

// Problem is the body of an error response, as RFC 9457 section 3.1 has it,
// with the extension members errors and traceId.
type Problem struct {
	// Type is a URI that names the kind of problem. It is about:blank where
	// the status says it all.
	Type string `json:"type"`
	// Title is the status in words; it is the same for every problem of a type.
	Title string `json:"title"`
	// Status is the HTTP status code.
	Status int `json:"status"`
	// Detail explains this occurrence to a person.
	Detail string `json:"detail,omitempty"`
	// Instance is the path of the request, without its query.
	Instance string `json:"instance,omitempty"`
	// Errors are the fields that are wrong, in the order they were checked.
	Errors []Violation `json:"errors,omitempty"`
	// TraceID finds the request in logs and traces.
	TraceID string `json:"traceId,omitempty"`
}

// Violation says what is wrong with one field of a request.
type Violation struct {
	// Field is the JSON name of the field, dotted where it is nested, or the
	// name of the parameter.
	Field string `json:"field"`
	// Detail says what it must be, for example "must not be empty".
	Detail string `json:"detail"`
}

// Write answers r with the problem that err stands for; see Of. It sets the
// status, the headers and the body, so a handler returns right after it.
// The observer of r's context, if there is one, is told err: the full text
// belongs into the log of this side.
func Write(w http.ResponseWriter, r *http.Request, err error) {
	if observe, ok := r.Context().Value(observerKey{}).(func(error)); ok {
		observe(err)
	}
	p := Of(r, err)
	body, jsonErr := json.Marshal(p)
	if jsonErr != nil { // not reachable: every member is a string or a number
		http.Error(w, http.StatusText(p.Status), p.Status)
		return
	}
	h := w.Header()
	// What a handler had said about a body that is not sent after all.
	for _, name := range []string{"Content-Encoding", "Content-Range", "Etag", "Last-Modified"} {
		h.Del(name)
	}
	h.Set("Content-Type", ContentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	var e *Error
	if errors.As(err, &e) && e.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((e.retryAfter+time.Second-1)/time.Second)))
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // the client is gone; there is nobody left to tell
}

// Of returns the problem that err stands for in the answer to r.
//
// An *Error anywhere in err's chain decides. Else a body over its limit
// (*http.MaxBytesError) is 413, a deadline 504, and a cancellation 499 where
// the client has gone. Everything else is 500 and says nothing about err.
func Of(r *http.Request, err error) Problem {
	p := Problem{Type: "about:blank", Status: http.StatusInternalServerError, Instance: r.URL.Path}
	var e *Error
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &e):
		p.Status, p.Detail, p.Errors = e.kind.status(), e.detail, e.violations
	case errors.As(err, &tooLarge):
		p.Status, p.Detail = http.StatusRequestEntityTooLarge, TooLarge(tooLarge.Limit).detail
	case errors.Is(err, context.DeadlineExceeded):
		p.Status, p.Detail = http.StatusGatewayTimeout, "the request took longer than it may"
	case errors.Is(err, context.Canceled) && r.Context().Err() != nil:
		p.Status = StatusClientClosedRequest
	}
	p.Title = http.StatusText(p.Status)
	if p.Status == StatusClientClosedRequest {
		p.Title = "Client Closed Request"
	}
	if span := trace.SpanContextFromContext(r.Context()); span.HasTraceID() {
		p.TraceID = span.TraceID().String()
	}
	return p
}

type observerKey struct{}

// WithObserver returns a context for a request whose errors Write reports to
// observe before it answers. The access log uses it to show the cause of a
// status.
func WithObserver(ctx context.Context, observe func(error)) context.Context {
	return context.WithValue(ctx, observerKey{}, observe)
}
