package breaker

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// HTTPOptions say how a Transport treats calls. The zero value will do.
type HTTPOptions struct {
	// Class returns the kind of a request, one of few; nil means ReadOrWrite.
	Class func(*http.Request) string
	// ServerErrors makes the status 500 a failure. Many servers answer so where
	// the request is at fault, and then one bad client would cut off all.
	ServerErrors bool
	// Attempts is how often a request is sent at most, if it may be sent again
	// and the budget for retries allows it; 0 means once.
	Attempts int
	// Backoff is the mean wait before the second attempt, doubled for each
	// further one; 0 means 50 ms.
	Backoff time.Duration
}

// ReadOrWrite is read for the methods that change nothing, and write for others.
func ReadOrWrite(r *http.Request) string {
	switch r.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return "read"
	}
	return "write"
}

// MarkHeader is in a response that says no because a breaker is open further
// down the way. It tells nothing of who answers so.
const MarkHeader = "Breaker-Open"

// Mark adds to the header of a 503 that it is because of an open breaker, and
// when to come back. It returns false, and adds nothing, where err is none of
// that.
func Mark(h http.Header, err error) bool {
	var open *OpenError
	if !errors.As(err, &open) {
		return false
	}
	h.Set(MarkHeader, "1")
	h.Set("Retry-After", strconv.Itoa(open.Seconds()))
	return true
}

// NewTransport returns an http.RoundTripper that asks the breaker of each
// request's host and class before it hands the request to next; nil means
// http.DefaultTransport. Where a call may not take place, its error is an
// *OpenError. Bodies pass as they are: what is read of a response is watched for
// errors, never read ahead or kept.
//
// Failures are: errors of next, the statuses 502, 503 and 504, 429 with
// Retry-After, 500 where the options say so, and a response that breaks off. A
// caller who gives up is none, and neither is a response with MarkHeader.
func NewTransport(s *Set, next http.RoundTripper, o HTTPOptions) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport
	}
	if o.Class == nil {
		o.Class = ReadOrWrite
	}
	if o.Backoff <= 0 {
		o.Backoff = 50 * time.Millisecond
	}
	return &transport{set: s, next: next, options: o}
}

type transport struct {
	set     *Set
	next    http.RoundTripper
	options HTTPOptions
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL == nil {
		return t.next.RoundTrip(r) // which says so
	}
	parent := r.Context()
	b := t.set.Get(Key{Target: host(r), Class: t.options.Class(r)})
	ctx, call, err := b.StartStream(parent)
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // a RoundTripper does, whatever happens
		}
		return nil, err
	}
	if ctx != parent {
		r = r.WithContext(ctx)
	}
	settled := false
	defer func() {
		if !settled { // next panics
			call.Done(Ignored)
		}
	}()
	response, outcome, err := t.send(r, parent, &call)
	settled = true
	if err != nil {
		call.Done(outcome)
		return nil, err
	}
	response.Body = follow(response, parent, call, outcome)
	return response, nil
}

// CloseIdleConnections is what http.Client asks for.
func (t *transport) CloseIdleConnections() {
	if next, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		next.CloseIdleConnections()
	}
}

// send makes the attempts of one call.
func (t *transport) send(r *http.Request, parent context.Context, call *Call) (*http.Response, Outcome, error) {
	for attempt := 1; ; attempt++ {
		response, err := t.next.RoundTrip(r)
		outcome := t.classify(parent, call, response, err)
		if outcome != Failure || attempt >= t.options.Attempts || !replayable(r) || parent.Err() != nil || !call.Retry() {
			return response, outcome, err
		}
		again, bodyErr := rewind(r)
		if bodyErr != nil || !pause(parent, t.options.Backoff, attempt) {
			return response, outcome, err
		}
		if response != nil {
			_ = response.Body.Close()
		}
		r = again
	}
}

// classify tells what the header of a response, or the lack of one, tells.
func (t *transport) classify(ctx context.Context, call *Call, response *http.Response, err error) Outcome {
	if err != nil {
		return call.OutcomeOf(ctx, err)
	}
	if response.Header.Get(MarkHeader) != "" {
		return Ignored
	}
	switch response.StatusCode {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return Failure
	case http.StatusInternalServerError:
		if t.options.ServerErrors {
			return Failure
		}
	case http.StatusTooManyRequests:
		if response.Header.Get("Retry-After") != "" {
			return Failure
		}
	}
	return Success
}

// host is who a request goes to, in one form.
func host(r *http.Request) string {
	h := strings.ToLower(r.URL.Host)
	switch r.URL.Scheme {
	case "http":
		h = strings.TrimSuffix(h, ":80")
	case "https":
		h = strings.TrimSuffix(h, ":443")
	}
	return h
}

// replayable tells whether a request may be sent again: sending it twice is the
// same as once, and its body can be had again.
func replayable(r *http.Request) bool {
	switch r.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
	default:
		if r.Header.Get("Idempotency-Key") == "" {
			return false
		}
	}
	return r.Body == nil || r.Body == http.NoBody || r.GetBody != nil
}

// rewind returns the request to send again.
func rewind(r *http.Request) (*http.Request, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return r, nil
	}
	body, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	again := *r
	again.Body = body
	return &again, nil
}

// pause waits before the attempt after the given one: a time up to twice the
// mean, by chance, so that clients do not come back together. It returns false
// if ctx ends before.
func pause(ctx context.Context, mean time.Duration, attempt int) bool {
	mean <<= min(attempt-1, 6)
	timer := time.NewTimer(rand.N(2*mean) + 1)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
