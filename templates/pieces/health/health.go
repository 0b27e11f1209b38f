// Package health answers on a listener of its own, apart from the public one:
// probes, metrics and profiles, for the orchestrator and the people on call.
//
//	/livez      the process works; never asks a dependency
//	/startupz   the start is complete
//	/readyz     traffic is welcome: started, not stopping, critical checks good
//	/metrics    Prometheus
//	/debug/vars, /debug/pprof/  from this machine, or with the token
//
// Each probe answers 200 or 503 in one word, and with ?verbose as JSON.
package health

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Identity says who is observed.
type Identity struct {
	// Fraction is the name that every metric has as a label.
	Fraction string
	// Version is that of the program, or "".
	Version string
}

// Health is the state of one program and the admin server that shows it. It
// has no global state: a process may hold several. Its methods fit
// lifecycle.Component: Listen is the start, Serve the run, Shutdown the stop;
// it is added first, so that it stops last.
type Health struct {
	settings Settings
	log      *slog.Logger
	http     *http.Server
	metrics  *metrics
	debug    *http.ServeMux
	checks   []*watch

	listener atomic.Pointer[net.Listener]
	phase    atomic.Int32
	stopped  chan struct{} // closed at the end of Shutdown
	stop     sync.Once
}

// The phases of a program. They only go forward.
const (
	starting int32 = iota
	serving
	stopping
)

// New returns a health that is alive, not started and not ready. A nil log
// means slog.Default.
func New(s Settings, id Identity, log *slog.Logger) (*Health, error) {
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("health: %w", err)
	}
	if log == nil {
		log = slog.Default()
	}
	h := &Health{settings: s, log: log, stopped: make(chan struct{}), debug: debug()}
	var err error
	if h.metrics, err = newMetrics(id, h.ready); err != nil {
		return nil, fmt.Errorf("health: %w", err)
	}
	h.http = &http.Server{
		Handler:           h.routes(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		// A profile of the CPU takes as long as it is asked to, 30 s if not.
		WriteTimeout:   2 * time.Minute,
		IdleTimeout:    2 * time.Minute,
		MaxHeaderBytes: 16 << 10,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	return h, nil
}

// Add registers a check. All are added before Listen, by one goroutine.
func (h *Health) Add(c Check) error {
	if h.listener.Load() != nil {
		return fmt.Errorf("health: check %s is added after the start", c.Name)
	}
	if c.Name == "" || c.Run == nil {
		return errors.New("health: a check needs a name and a function")
	}
	for _, other := range h.checks {
		if other.Name == c.Name {
			return fmt.Errorf("health: there is a check %s already", c.Name)
		}
	}
	if c.Interval <= 0 {
		c.Interval = h.settings.CheckInterval
	}
	if c.Timeout <= 0 {
		c.Timeout = h.settings.CheckTimeout
	}
	h.checks = append(h.checks, &watch{Check: c, log: h.log, metrics: h.metrics})
	return nil
}

// Metrics is where the program's own metrics are registered.
func (h *Health) Metrics() prometheus.Registerer { return h.metrics.registerer }

// SetReady(true) says that the start is complete, SetReady(false) that the
// program is about to stop. Before the first and after the second /readyz
// answers 503. It fits lifecycle.Options.Ready.
func (h *Health) SetReady(ready bool) {
	if ready {
		h.phase.CompareAndSwap(starting, serving)
		return
	}
	h.phase.Store(stopping)
}

// Listen binds the admin address.
func (h *Health) Listen(ctx context.Context) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", h.settings.Addr)
	if err != nil {
		return fmt.Errorf("health: %w", err)
	}
	h.listener.Store(&l)
	h.log.InfoContext(ctx, "listening", "server", "health", "addr", l.Addr().String())
	return nil
}

// Addr is the address that Listen bound, as host:port, or "" before it.
func (h *Health) Addr() string {
	l := h.listener.Load()
	if l == nil {
		return ""
	}
	return (*l).Addr().String()
}

// Serve runs the checks and answers until Shutdown, then returns nil. It is
// called once, after Listen.
func (h *Health) Serve(ctx context.Context) error {
	l := h.listener.Load()
	if l == nil {
		return errors.New("health: serve before listen")
	}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	for _, check := range h.checks {
		running.Go(func() { check.keep(ctx) })
	}
	err := h.http.Serve(*l)
	cancel()
	running.Wait()
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("health: %w", err)
	}
	// net/http returns at the beginning of a shutdown.
	<-h.stopped
	return nil
}

// Shutdown ends the admin server and the checks. Requests still in progress at
// the end of ctx are cut.
func (h *Health) Shutdown(ctx context.Context) error {
	defer h.stop.Do(func() { close(h.stopped) })
	h.SetReady(false)
	err := h.http.Shutdown(ctx)
	if ctx.Err() != nil {
		err = h.http.Close() // of a profile that is being taken, for example
	}
	if l := h.listener.Load(); l != nil {
		_ = (*l).Close() // net/http knows of it only if Serve was called
	}
	return err
}

// ready tells whether traffic is welcome.
func (h *Health) ready() bool {
	if h.phase.Load() != serving {
		return false
	}
	for _, check := range h.checks {
		if check.Level == Critical && !check.good() {
			return false
		}
	}
	return true
}
