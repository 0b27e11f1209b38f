package problem

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/trace"
)

func TestOf(t *testing.T) {
	secret := errors.New("dial 10.0.0.7: password=hunter2")
	for name, test := range map[string]struct {
		err    error
		status int
		title  string
		detail string
	}{
		"not found":       {NotFound("item", "7"), 404, "Not Found", `item "7" does not exist`},
		"wrapped":         {fmt.Errorf("get: %w", NotFound("item", "7")), 404, "Not Found", `item "7" does not exist`},
		"malformed":       {Malformed("the query is malformed"), 400, "Bad Request", "the query is malformed"},
		"invalid":         {Invalid(Violation{"name", "must not be empty"}), 422, "Unprocessable Entity", "the request has invalid fields"},
		"conflict":        {Conflict("the name is taken"), 409, "Conflict", "the name is taken"},
		"too large":       {TooLarge(10), 413, "Request Entity Too Large", "the body must not be over 10 bytes"},
		"over the limit":  {&http.MaxBytesError{Limit: 10}, 413, "Request Entity Too Large", "the body must not be over 10 bytes"},
		"media type":      {UnsupportedMediaType("application/json"), 415, "Unsupported Media Type", "the body must be of type application/json"},
		"method":          {MethodNotAllowed("PUT"), 405, "Method Not Allowed", "the method PUT is not allowed here"},
		"no route":        {NoRoute(), 404, "Not Found", "nothing is served at this path"},
		"slow":            {SlowRequest(), 408, "Request Timeout", "the request was not sent in time"},
		"timeout":         {Timeout(secret), 504, "Gateway Timeout", "the request took longer than it may"},
		"deadline":        {fmt.Errorf("query: %w", context.DeadlineExceeded), 504, "Gateway Timeout", "the request took longer than it may"},
		"unavailable":     {Unavailable(time.Second, secret), 503, "Service Unavailable", "the service cannot answer at the moment"},
		"internal":        {Internal(secret), 500, "Internal Server Error", ""},
		"unknown":         {secret, 500, "Internal Server Error", ""},
		"cancelled by us": {context.Canceled, 500, "Internal Server Error", ""},
	} {
		t.Run(name, func(t *testing.T) {
			want := Problem{Type: "about:blank", Title: test.title, Status: test.status, Detail: test.detail, Instance: "/items/7"}
			got := Of(httptest.NewRequest("GET", "/items/7?token=x", nil), test.err)
			var e *Error
			if errors.As(test.err, &e) {
				want.Errors = e.violations
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			body, err := json.Marshal(got)
			if err != nil || strings.Contains(string(body), "hunter2") {
				t.Errorf("body = %s, %v", body, err)
			}
		})
	}
}

func TestClientGone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequest("GET", "/", nil).WithContext(ctx)
	if p := Of(r, fmt.Errorf("query: %w", context.Canceled)); p.Status != StatusClientClosedRequest || p.Title == "" {
		t.Errorf("problem = %+v", p)
	}
}

func TestWrite(t *testing.T) {
	id := trace.TraceID{1, 2, 3}
	ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: trace.SpanID{1}}))
	var observed error
	ctx = WithObserver(ctx, func(err error) { observed = err })
	r := httptest.NewRequest("POST", "/items?token=x", nil).WithContext(ctx)
	w := httptest.NewRecorder()
	w.Header().Set("ETag", `"1"`)
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Set("Content-Length", "1000")
	err := Unavailable(1100*time.Millisecond, errors.New("hunter2"))
	Write(w, r, err)
	if observed != err {
		t.Errorf("the observer got %v", observed)
	}
	wantHeader := http.Header{
		"Content-Type":           {"application/problem+json"},
		"Content-Length":         {fmt.Sprint(w.Body.Len())},
		"Cache-Control":          {"no-store"},
		"Retry-After":            {"2"},
		"X-Content-Type-Options": {"nosniff"},
	}
	if diff := cmp.Diff(wantHeader, w.Header()); diff != "" {
		t.Error(diff)
	}
	const want = `{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"the service cannot answer at the moment",` +
		`"instance":"/items","traceId":"01020300000000000000000000000000"}`
	if w.Code != 503 || w.Body.String() != want {
		t.Errorf("answer = %d %s", w.Code, w.Body)
	}
}

func TestError(t *testing.T) {
	cause := errors.New("cause")
	for want, err := range map[string]*Error{
		`item "7" does not exist`:                                     NotFound("item", "7"),
		"the request has invalid fields: name must not be empty: n x": Invalid(Violation{"name", "must not be empty"}, Violation{"n", "x"}),
		"the request took longer than it may: cause":                  Timeout(cause),
		"cause":                 Internal(cause),
		"Internal Server Error": Internal(nil),
	} {
		if err.Error() != want {
			t.Errorf("Error() = %q, want %q", err, want)
		}
	}
	if err := fmt.Errorf("x: %w", Timeout(cause)); !errors.Is(err, cause) || !errors.Is(err, Timeout(nil)) || errors.Is(err, Internal(nil)) {
		t.Error("errors.Is does not follow kind and cause")
	}
}
