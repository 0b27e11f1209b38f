package web

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/fractl/fractl/templates/pieces/problem"
)

// chain puts what every request passes around the mux. The order matters: the
// span is named, and the request logged and measured, by the pattern that the
// mux leaves in the request, so no step below the span may copy the request.
func (s *Server) chain(mux *Mux, tracer trace.TracerProvider, prop propagation.TextMapPropagator) http.Handler {
	h := s.observe(mux)
	if tracer != nil {
		h = otelhttp.NewHandler(h, "http",
			otelhttp.WithTracerProvider(tracer),
			otelhttp.WithPropagators(prop),
			otelhttp.WithMeterProvider(noop.NewMeterProvider())) // metrics are ours
	}
	return s.begin(h)
}

// request is what the chain knows of a request.
type request struct {
	id  string
	err error // the last that was answered as a problem
}

type requestKey struct{}

// RequestID returns the id of the request that ctx belongs to, or "". It is in
// the header X-Request-Id of the response and in the access log.
func RequestID(ctx context.Context) string {
	if req, ok := ctx.Value(requestKey{}).(*request); ok {
		return req.id
	}
	return ""
}

// begin gives a request its id, its deadline and the limit of its body.
func (s *Server) begin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req := &request{id: requestID(r)}
		w.Header().Set("X-Request-Id", req.id)
		ctx := context.WithValue(r.Context(), requestKey{}, req)
		ctx = problem.WithObserver(ctx, func(err error) { req.err = err })
		ctx, cancel := context.WithTimeout(ctx, s.settings.RequestTimeout)
		defer cancel()
		r = r.WithContext(ctx)
		// Here w is still net/http's own, which is how MaxBytesReader gets it to
		// close the connection instead of reading the rest.
		r.Body = http.MaxBytesReader(w, r.Body, int64(s.settings.MaxBody))
		next.ServeHTTP(w, r)
	})
}

// requestID takes the id that a proxy gave the request, if it is harmless in
// logs and headers, and otherwise makes one.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	harmless := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.'
	}
	if id == "" || len(id) > 64 || strings.ContainsFunc(id, func(c rune) bool { return !harmless(c) }) {
		return rand.Text()
	}
	return id
}

// observe counts, logs and measures a request, and turns a panic of its handler
// into a response.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		s.inFlight.Add(1)
		defer s.inFlight.Add(-1)
		s.metrics.begin()
		if s.draining.Load() {
			w.Header().Set("Connection", "close")
		}
		rec := &recorder{ResponseWriter: w}
		defer func() {
			abort := s.recovered(rec, r, recover())
			s.end(rec, r, time.Since(start), abort)
			if abort {
				panic(http.ErrAbortHandler) // net/http cuts the connection, in silence
			}
		}()
		next.ServeHTTP(rec, r)
	})
}

// recovered deals with what a handler panicked with, if it did. It tells
// whether the response has to be cut off: the handler wants it so, or a part of
// it was sent and must not look like the whole.
func (s *Server) recovered(rec *recorder, r *http.Request, v any) (abort bool) {
	if v == nil {
		return false
	}
	if v == http.ErrAbortHandler {
		return true
	}
	s.log.ErrorContext(r.Context(), "handler panicked",
		"panic", fmt.Sprint(v), "route", route(r), "request_id", RequestID(r.Context()), "stack", string(debug.Stack()))
	if rec.status != 0 {
		return true
	}
	problem.Write(rec, r, problem.Internal(fmt.Errorf("panic: %v", v)))
	return false
}

// end writes the access log and the metrics.
func (s *Server) end(rec *recorder, r *http.Request, took time.Duration, aborted bool) {
	status := rec.status
	if status == 0 {
		status = http.StatusOK // what net/http sends for a handler that wrote nothing
	}
	s.metrics.end(r.Method, route(r), status, took)
	level := slog.LevelInfo
	if status >= 500 || aborted {
		level = slog.LevelError
	}
	attrs := []slog.Attr{
		slog.String("method", r.Method),
		slog.String("route", route(r)),
		slog.String("path", r.URL.Path),
		slog.Int("status", status),
		slog.Int64("bytes", rec.bytes),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000),
		slog.String("remote", r.RemoteAddr),
		slog.String("request_id", RequestID(r.Context())),
	}
	if aborted {
		attrs = append(attrs, slog.Bool("aborted", true))
	}
	if req, ok := r.Context().Value(requestKey{}).(*request); ok && req.err != nil {
		attrs = append(attrs, slog.String("error", req.err.Error()))
	}
	s.log.LogAttrs(r.Context(), level, "request", attrs...)
}

// unmatched is the route of requests that no pattern fits.
const unmatched = "unmatched"

// route is the path of the pattern that the mux found for r. Unlike the path
// of the request it takes few values.
func route(r *http.Request) string {
	if r.Pattern == "" {
		return unmatched
	}
	if _, path, found := strings.Cut(r.Pattern, " "); found {
		return path
	}
	return r.Pattern
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int // 0 until the header is sent
	bytes  int64
}

func (rec *recorder) WriteHeader(status int) {
	if rec.status == 0 && status >= 200 { // 1xx come before the answer
		rec.status = status
	}
	rec.ResponseWriter.WriteHeader(status)
}

func (rec *recorder) Write(p []byte) (int, error) {
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	n, err := rec.ResponseWriter.Write(p)
	rec.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController find flushing and deadlines.
func (rec *recorder) Unwrap() http.ResponseWriter { return rec.ResponseWriter }
