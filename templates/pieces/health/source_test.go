package health

import (
	"context"
	"expvar"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// recipe is the health check that a much copied text recommends, kept here to
// show where this package differs:
//
//	import _ "expvar" // registers /debug/vars by itself
//
//	func init() {
//		prometheus.MustRegister(prometheus.NewGaugeFunc(
//			prometheus.GaugeOpts{Name: "go_goroutines"}, …))
//	}
//
//	type Fraction interface{ HealthCheck() bool }
//
//	http.ListenAndServe(":8081", nil)
type recipe struct{ dependency func() error }

// register is its init, on a registry as the default one is: with the Go
// collector in it.
func (recipe) register() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector())
	registry.MustRegister(goroutines())
	return registry
}

func goroutines() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "go_goroutines",
		Help: "Number of goroutines currently running",
	}, func() float64 { return 0 })
}

func (r recipe) HealthCheck() bool { return r.dependency() == nil }

// server is what http.ListenAndServe(":8081", nil) serves with.
func (recipe) server() *http.Server { return &http.Server{Handler: http.DefaultServeMux} }

func TestSource_RegistrationPanics(t *testing.T) {
	panicked := func() (v any) {
		defer func() { v = recover() }()
		recipe{}.register()
		return nil
	}()
	if panicked == nil {
		t.Fatal("the recipe starts; there is nothing to do better")
	}
	for range 2 { // in one process
		h := newHealth(t, quick())
		if err := h.Metrics().Register(goroutines()); err == nil {
			t.Error("a second go_goroutines is taken")
		}
		if _, body := ask(h.http.Handler, "/metrics"); !strings.Contains(body, "\ngo_goroutines{") {
			t.Error("the goroutines are not shown")
		}
	}
}

func TestSource_ExpvarKnowsNoCollector(t *testing.T) {
	if expvar.Get("gc") != nil {
		t.Fatal("expvar has a variable gc, as the recipe says")
	}
	if _, body := ask(newHealth(t, quick()).http.Handler, "/metrics"); !strings.Contains(body, "\ngo_gc_cycles_total_gc_cycles_total{") {
		t.Error("the cycles of the garbage collector are not shown")
	}
}

// Prometheus takes lines of name, labels and value.
func TestSource_ExpvarCannotBeScraped(t *testing.T) {
	line := regexp.MustCompile(`^(#.*|[a-zA-Z_:][a-zA-Z0-9_:]*(\{.*\})? [-+0-9.eEInfNa]+)$`)
	scrapable := func(h http.Handler, path string) bool {
		status, body := ask(h, path)
		for text := range strings.Lines(body) {
			if !line.MatchString(strings.TrimSuffix(text, "\n")) {
				return false
			}
		}
		return status == 200
	}
	if scrapable(recipe{}.server().Handler, "/debug/vars") {
		t.Fatal("Prometheus can scrape expvar, as the recipe says")
	}
	if !scrapable(newHealth(t, quick()).http.Handler, "/metrics") {
		t.Error("Prometheus cannot scrape /metrics")
	}
}

// People hand secrets over in flags.
func TestSource_CommandLineIsPublic(t *testing.T) {
	if _, body := ask(recipe{}.server().Handler, "/debug/vars"); !strings.Contains(body, os.Args[0]) {
		t.Fatal("the recipe does not show the command line")
	}
	h := newHealth(t, quick())
	for _, path := range []string{"/debug/vars", "/debug/pprof/cmdline"} {
		if _, body := ask(h.http.Handler, path); strings.Contains(body, os.Args[0]) {
			t.Errorf("%s shows the command line", path)
		}
	}
	// And what is shown, is shown to this machine alone.
	r := httptest.NewRequest("GET", "/debug/vars", nil)
	r.RemoteAddr = "192.0.2.1:1234"
	w := httptest.NewRecorder()
	if h.http.Handler.ServeHTTP(w, r); w.Code != http.StatusForbidden {
		t.Errorf("/debug/vars answers another machine with %d", w.Code)
	}
}

func TestSource_ServerHasNoLimits(t *testing.T) {
	limits := func(s *http.Server) bool {
		return s.ReadHeaderTimeout > 0 && s.ReadTimeout > 0 && s.WriteTimeout > 0 && s.IdleTimeout > 0 && s.MaxHeaderBytes > 0
	}
	if limits(recipe{}.server()) {
		t.Fatal("the recipe has limits")
	}
	if !limits(newHealth(t, quick()).http) {
		t.Error("the admin server lacks a limit")
	}
}

// A check without a context and without a reason: the prober waits as long as
// the dependency hangs, and takes the program for dead.
func TestSource_CheckHangsTheProbe(t *testing.T) {
	hung := make(chan struct{})
	defer close(hung)
	dependency := func() error { <-hung; return nil }
	answered := make(chan bool, 1)
	go func() { answered <- recipe{dependency}.HealthCheck() }()
	select {
	case <-answered:
		t.Fatal("the recipe answers while its dependency hangs")
	case <-time.After(50 * time.Millisecond):
	}
	h := serve(t, quick(), check("db", Critical, func(context.Context) error { return dependency() }))
	h.SetReady(true)
	if status, _ := get(t, h, "/livez", nil); status != 200 {
		t.Errorf("/livez = %d, as if a restart would help", status)
	}
	if status, _ := get(t, h, "/readyz", nil); status != 503 {
		t.Errorf("/readyz = %d while the dependency hangs", status)
	}
	wait(t, h, "/readyz?verbose", `"timed out"`)
}

func newHealth(t *testing.T, s Settings) *Health {
	t.Helper()
	h, err := New(s, Identity{Fraction: "auth"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// ask is a request from this machine.
func ask(h http.Handler, path string) (status int, body string) {
	r := httptest.NewRequest("GET", "http://localhost:8081"+path, nil)
	r.RemoteAddr = "127.0.0.1:1234"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}
