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
	"log/slog"

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
type Health struct{}

// New returns a health that is alive, not started and not ready. A nil log
// means slog.Default.
func New(s Settings, id Identity, log *slog.Logger) (*Health, error) { panic("follows") }

// Add registers a check. All are added before Serve.
func (h *Health) Add(c Check) error { panic("follows") }

// Metrics is where the program's own metrics are registered.
func (h *Health) Metrics() prometheus.Registerer { panic("follows") }

// SetReady(true) says that the start is complete, SetReady(false) that the
// program is about to stop. Before the first and after the second /readyz
// answers 503. It fits lifecycle.Options.Ready.
func (h *Health) SetReady(ready bool) { panic("follows") }

// Listen binds the admin address.
func (h *Health) Listen(ctx context.Context) error { panic("follows") }

// Addr is the address that Listen bound, as host:port, or "" before it.
func (h *Health) Addr() string { panic("follows") }

// Serve runs the checks and answers until Shutdown, then returns nil.
func (h *Health) Serve(ctx context.Context) error { panic("follows") }

// Shutdown ends the admin server and the checks. Requests still in progress at
// the end of ctx are cut.
func (h *Health) Shutdown(ctx context.Context) error { panic("follows") }
