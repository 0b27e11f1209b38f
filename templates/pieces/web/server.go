// Package web is the HTTP server: every limit set, errors as problem+json,
// requests logged, measured and traced by route, and an end that loses nothing
// it can help.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

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
type Server struct {
	settings Settings
	log      *slog.Logger
	http     *http.Server
	metrics  *metrics

	listener atomic.Pointer[net.Listener]
	inFlight atomic.Int64
	draining atomic.Bool

	cut     context.Context // ends when requests are cut off
	cutNow  context.CancelFunc
	stopped chan struct{} // closed at the end of Shutdown
	stop    sync.Once
}

// New returns a server for the routes of mux. It fails where the settings are
// wrong or the metrics are registered already.
func New(s Settings, mux *Mux, o Options) (*Server, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Propagator == nil {
		o.Propagator = propagation.TraceContext{}
	}
	m, err := newMetrics(o.Metrics)
	if err != nil {
		return nil, err
	}
	srv := &Server{settings: s, log: o.Log, metrics: m, stopped: make(chan struct{})}
	srv.cut, srv.cutNow = context.WithCancel(context.Background())
	srv.http = &http.Server{
		Handler:           srv.chain(mux, o.Tracer, o.Propagator),
		ReadHeaderTimeout: s.ReadHeaderTimeout,
		ReadTimeout:       s.ReadTimeout,
		WriteTimeout:      s.WriteTimeout,
		IdleTimeout:       s.IdleTimeout,
		MaxHeaderBytes:    int(s.MaxHeader),
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
	}
	return srv, nil
}

// Listen binds the address, so that Addr is known and connections queue up
// until Serve accepts them.
func (s *Server) Listen(ctx context.Context) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.settings.Addr)
	if err != nil {
		return fmt.Errorf("web: %w", err)
	}
	s.listener.Store(&l)
	s.log.InfoContext(ctx, "listening", "server", "web", "addr", l.Addr().String())
	return nil
}

// Addr is the address that Listen bound, as host:port, or "" before it.
func (s *Server) Addr() string {
	l := s.listener.Load()
	if l == nil {
		return ""
	}
	return (*l).Addr().String()
}

// Serve answers requests until Shutdown has drained them, and then returns nil;
// Listen comes first. ctx is the parent of every request's context. It is
// called once.
func (s *Server) Serve(ctx context.Context) error {
	l := s.listener.Load()
	if l == nil {
		return errors.New("web: serve before listen")
	}
	base, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.cut, cancel)()
	s.http.BaseContext = func(net.Listener) context.Context { return base }
	err := s.http.Serve(*l)
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("web: %w", err)
	}
	// net/http returns at the beginning of a shutdown; requests are still being
	// answered and need their context.
	<-s.stopped
	return nil
}

// Drain asks clients to connect anew, elsewhere: from now on each response
// closes its connection. The server still accepts. It is called as soon as the
// program is no longer ready, so that hardly a connection is left to cut when
// Shutdown comes. Idle connections are not closed yet: a client may just be
// sending its next request on one.
func (s *Server) Drain() { s.draining.Store(true) }

// Shutdown stops accepting, waits until the requests in progress are answered,
// and at the end of ctx cuts those that are not. What it cut is a *CutError.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.stop.Do(func() { close(s.stopped) })
	s.Drain()
	s.http.SetKeepAlivesEnabled(false)
	err := s.http.Shutdown(ctx)
	if l := s.listener.Load(); l != nil {
		_ = (*l).Close() // net/http does not know it if Serve never ran
	}
	if err == nil || ctx.Err() == nil {
		return err
	}
	n := int(s.inFlight.Load())
	_ = s.http.Close()
	s.cutNow() // after Close, or a handler would still answer that it was cancelled
	if n == 0 {
		return nil
	}
	return &CutError{Requests: n}
}

// CutError tells that requests were cut off at the end of the drain.
type CutError struct {
	// Requests is how many were still being answered.
	Requests int
}

// Error says how many were cut.
func (e *CutError) Error() string {
	return fmt.Sprintf("web: requests cut off at the end of the drain: %d", e.Requests)
}
