package web

import (
	"net/http"
	"slices"

	"github.com/fractl/fractl/templates/pieces/problem"
)

// Mux is an http.ServeMux whose handlers may return an error, and which answers
// unknown paths and methods with a problem too. Middleware of your own goes
// around single handlers: there the route is known.
type Mux struct {
	mux    *http.ServeMux
	around []func(http.Handler) http.Handler
}

// NewMux returns a mux without routes.
func NewMux() *Mux { return &Mux{mux: http.NewServeMux()} }

// Handle registers a handler for a pattern of http.ServeMux, with its method:
// "GET /items/{id}". It panics where the pattern is wrong or taken, as
// http.ServeMux does.
func (m *Mux) Handle(pattern string, h http.Handler) {
	for _, around := range slices.Backward(m.around) {
		h = around(h)
	}
	m.mux.Handle(pattern, h)
}

// HandleFunc registers h for a pattern.
func (m *Mux) HandleFunc(pattern string, h HandlerFunc) { m.Handle(pattern, h) }

// Around puts something around every handler that is registered from now on,
// inside of what was put there before. In it, r.Pattern and r.PathValue are
// known.
func (m *Mux) Around(around func(http.Handler) http.Handler) {
	m.around = append(m.around, around)
}

// ServeHTTP dispatches to the handler whose pattern fits best.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h, pattern := m.mux.Handler(r)
	if pattern != "" {
		m.mux.ServeHTTP(w, r) // not h: only the mux fills r.PathValue and r.Pattern
		return
	}
	// http.ServeMux answers in plain text. What it would answer decides.
	probe := &probe{header: http.Header{}, status: http.StatusNotFound}
	h.ServeHTTP(probe, r)
	if probe.status == http.StatusMethodNotAllowed {
		w.Header()["Allow"] = probe.header["Allow"]
		problem.Write(w, r, problem.MethodNotAllowed(r.Method))
		return
	}
	problem.Write(w, r, problem.NoRoute())
}

// probe takes a response and keeps only its header and status.
type probe struct {
	header http.Header
	status int
}

func (p *probe) Header() http.Header         { return p.header }
func (p *probe) WriteHeader(status int)      { p.status = status }
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }

// HandlerFunc is a handler that returns its error instead of writing it. It
// has written nothing when it returns one.
type HandlerFunc func(w http.ResponseWriter, r *http.Request) error

// ServeHTTP calls f and writes its error as a problem.
func (f HandlerFunc) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := f(w, r); err != nil {
		problem.Write(w, r, err)
	}
}
