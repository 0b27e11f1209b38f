package web

import "net/http"

// Mux is an http.ServeMux whose handlers may return an error, and which answers
// unknown paths and methods with a problem too. Middleware of your own goes
// around single handlers: there the route is known.
type Mux struct{}

// NewMux returns a mux without routes.
func NewMux() *Mux { panic("follows") }

// Handle registers a handler for a pattern of http.ServeMux, with its method:
// "GET /items/{id}". It panics where the pattern is wrong or taken, as
// http.ServeMux does.
func (m *Mux) Handle(pattern string, h http.Handler) { panic("follows") }

// HandleFunc registers h for a pattern.
func (m *Mux) HandleFunc(pattern string, h HandlerFunc) { panic("follows") }

// ServeHTTP dispatches to the handler whose pattern fits best.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) { panic("follows") }

// HandlerFunc is a handler that returns its error instead of writing it. It
// has written nothing when it returns one.
type HandlerFunc func(w http.ResponseWriter, r *http.Request) error

// ServeHTTP calls f and writes its error as a problem.
func (f HandlerFunc) ServeHTTP(w http.ResponseWriter, r *http.Request) { panic("follows") }
