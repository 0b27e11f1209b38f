// Package web is the HTTP server: every limit set, errors as problem+json,
// requests logged, measured and traced by route, and an end that loses nothing
// it can help.
package web

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Options are what a server reports to. Each may be nil.
type Options struct {
	// Log gets one line a request; nil means slog.Default.
	Log *slog.Logger
	// Tracer makes a span for each request; nil means none.
	Tracer trace.TracerProvider
	// Propagator reads the caller's trace context; nil means W3C trace context.
	Propagator propagation.TextMapPropagator
	// Metrics gets the rate, errors and duration of requests; nil means none.
	Metrics prometheus.Registerer
}

// Server is an HTTP server. Its methods fit lifecycle.Component: Listen is the
// start, Serve the run and Shutdown the stop.
type Server struct{}

// New returns a server for the routes of mux. It fails where the settings are
// wrong or the metrics are registered already.
func New(s Settings, mux *Mux, o Options) (*Server, error) { panic("follows") }

// Listen binds the address, so that Addr is known and connections queue up
// until Serve accepts them.
func (s *Server) Listen(ctx context.Context) error { panic("follows") }

// Addr is the address that Listen bound, as host:port, or "" before it.
func (s *Server) Addr() string { panic("follows") }

// Serve answers requests until Shutdown and then returns nil; Listen comes
// first. ctx is the parent of every request's context.
func (s *Server) Serve(ctx context.Context) error { panic("follows") }

// Drain asks clients to connect anew, elsewhere: from now on each response
// closes its connection. The server still accepts. It is called as soon as the
// program is no longer ready, so that hardly a connection is left to cut when
// Shutdown comes.
func (s *Server) Drain() { panic("follows") }

// Shutdown stops accepting, waits until the requests in progress are answered,
// and at the end of ctx cuts those that are not. What it cut is a *CutError.
func (s *Server) Shutdown(ctx context.Context) error { panic("follows") }

// CutError tells that requests were cut off at the end of the drain.
type CutError struct {
	// Requests is how many were still being answered.
	Requests int
}

// Error says how many were cut.
func (e *CutError) Error() string { panic("follows") }

// RequestID returns the id of the request that ctx belongs to, or "". It is in
// the header X-Request-Id of the response and in the access log.
func RequestID(ctx context.Context) string { panic("follows") }

var _ http.Handler = (*Mux)(nil)
