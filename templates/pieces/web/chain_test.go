package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/fractl/fractl/templates/pieces/problem"
)

// lines is a log that can be read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// named returns the lines with this message.
func (l *lines) named(t *testing.T, msg string) (found []map[string]any) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.buf.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		if m["msg"] == msg {
			found = append(found, m)
		}
	}
	return found
}

// handler is the whole chain around mux, without a network.
func handler(t *testing.T, s Settings, mux *Mux, o Options) http.Handler {
	t.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	srv, err := New(s, mux, o)
	if err != nil {
		t.Fatal(err)
	}
	return srv.http.Handler
}

func do(h http.Handler, method, target, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPanicBecomesProblem(t *testing.T) {
	log := &lines{}
	mux := NewMux()
	mux.HandleFunc("GET /early/{id}", func(http.ResponseWriter, *http.Request) error { panic("kaboom with secret") })
	h := handler(t, Defaults(), mux, Options{Log: slog.New(slog.NewJSONHandler(log, nil))})
	w := do(h, "GET", "/early/7", "")
	if w.Code != http.StatusInternalServerError || w.Header().Get("Content-Type") != problem.ContentType {
		t.Errorf("answer = %d %s", w.Code, w.Header())
	}
	if strings.Contains(w.Body.String(), "kaboom") {
		t.Errorf("the answer shows the panic: %s", w.Body)
	}
	panics := log.named(t, "handler panicked")
	if len(panics) != 1 || panics[0]["panic"] != "kaboom with secret" || panics[0]["route"] != "/early/{id}" ||
		!strings.Contains(panics[0]["stack"].(string), "TestPanicBecomesProblem") {
		t.Errorf("log of the panic = %v", panics)
	}
	if requests := log.named(t, "request"); len(requests) != 1 || requests[0]["status"] != 500.0 || requests[0]["level"] != "ERROR" {
		t.Errorf("access log = %v", requests)
	}
}

// A response that has begun cannot become a problem: the client must see that
// it was cut.
func TestPanicAfterTheHeaderCutsTheConnection(t *testing.T) {
	log := &lines{}
	mux := NewMux()
	mux.HandleFunc("GET /late", func(w http.ResponseWriter, r *http.Request) error {
		_, _ = io.WriteString(w, "half a res")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Errorf("flush through the chain: %v", err)
		}
		panic("late")
	})
	mux.HandleFunc("GET /abort", func(http.ResponseWriter, *http.Request) error { panic(http.ErrAbortHandler) })
	_, url, _ := start(t, Defaults(), mux, Options{Log: slog.New(slog.NewJSONHandler(log, nil))})
	c := client(t)
	resp, err := c.Get(url + "/late")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("the cut response looks whole: %q", body)
	}
	if resp, err := c.Get(url + "/abort"); err == nil {
		resp.Body.Close()
		t.Errorf("an aborted handler answered %s", resp.Status)
	}
	waitFor(t, "the access log", func() bool { return len(log.named(t, "request")) == 2 })
	for _, line := range log.named(t, "request") {
		if line["aborted"] != true {
			t.Errorf("access log = %v", line)
		}
	}
	if n := len(log.named(t, "handler panicked")); n != 1 {
		t.Errorf("%d panics in the log, want the late one alone", n)
	}
}

func TestAccessLog(t *testing.T) {
	log := &lines{}
	mux := NewMux()
	mux.HandleFunc("GET /items/{id}", func(w http.ResponseWriter, r *http.Request) error {
		if id := RequestID(r.Context()); id != "abc-1" {
			t.Errorf("RequestID = %q", id)
		}
		return problem.NotFound("item", r.PathValue("id"))
	})
	h := handler(t, Defaults(), mux, Options{Log: slog.New(slog.NewJSONHandler(log, nil))})
	r := httptest.NewRequest("GET", "/items/7?token=secret", nil)
	r.Header.Set("X-Request-Id", "abc-1")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if got := w.Header().Get("X-Request-Id"); got != "abc-1" {
		t.Errorf("X-Request-Id = %q", got)
	}
	got := log.named(t, "request")
	if len(got) != 1 {
		t.Fatalf("access log = %v", got)
	}
	for _, volatile := range []string{"time", "duration_ms"} {
		if _, ok := got[0][volatile]; !ok {
			t.Errorf("no %s in %v", volatile, got[0])
		}
		delete(got[0], volatile)
	}
	want := map[string]any{"level": "INFO", "msg": "request", "method": "GET", "route": "/items/{id}", "path": "/items/7",
		"status": 404.0, "bytes": float64(w.Body.Len()), "remote": "192.0.2.1:1234", "request_id": "abc-1", "error": `item "7" does not exist`}
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Error(diff)
	}
}

func TestRequestIDIsHarmless(t *testing.T) {
	h := handler(t, Defaults(), NewMux(), Options{})
	seen := map[string]bool{}
	for _, id := range []string{"", "a b", "a\r\nb", "ä", strings.Repeat("x", 65), `"},{"`} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("X-Request-Id", id)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		got := w.Header().Get("X-Request-Id")
		if got == id || len(got) != 26 || seen[got] {
			t.Errorf("id %q became %q", id, got)
		}
		seen[got] = true
	}
}

func TestDeadlineReachesTheHandler(t *testing.T) {
	s := Defaults()
	s.RequestTimeout = 20 * time.Millisecond
	mux := NewMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) error {
		<-r.Context().Done()
		return errors.Join(errors.New("query"), r.Context().Err())
	})
	if w := do(handler(t, s, mux, Options{}), "GET", "/", ""); w.Code != http.StatusGatewayTimeout {
		t.Errorf("status = %d, want 504", w.Code)
	}
}

func TestMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	mux := NewMux()
	mux.HandleFunc("GET /items/{id}", func(w http.ResponseWriter, r *http.Request) error {
		return WriteJSON(w, http.StatusOK, r.PathValue("id"))
	})
	h := handler(t, Defaults(), mux, Options{Metrics: reg})
	for _, path := range []string{"/items/1", "/items/2", "/items/3", "/no/such/1", "/no/such/2"} {
		do(h, "GET", path, "")
	}
	do(h, "BREW", "/items/1", "")
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			if m.GetHistogram() != nil {
				got[strings.Join(labels, " ")] = m.GetHistogram().GetSampleCount()
			}
		}
	}
	want := map[string]uint64{
		"method=GET route=/items/{id} status=200": 3,
		"method=GET route=unmatched status=404":   2,
		"method=other route=unmatched status=405": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) > 0 {
		t.Errorf("lint = %v, %v", problems, err)
	}
	if _, err := New(Defaults(), NewMux(), Options{Metrics: reg}); err == nil {
		t.Error("a second server on one registry hides the first")
	}
}

func TestSpanIsNamedByRoute(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	t.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
	mux := NewMux()
	mux.HandleFunc("GET /items/{id}", func(w http.ResponseWriter, r *http.Request) error {
		return problem.NotFound("item", "7")
	})
	h := handler(t, Defaults(), mux, Options{Tracer: provider})
	const parent = "0af7651916cd43dd8448eb211c80319c"
	r := httptest.NewRequest("GET", "/items/7", nil)
	r.Header.Set("Traceparent", "00-"+parent+"-b7ad6b7169203331-01")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	ended := spans.Ended()
	if len(ended) != 1 || ended[0].Name() != "GET /items/{id}" || ended[0].SpanContext().TraceID().String() != parent {
		t.Fatalf("spans = %v", ended)
	}
	var p problem.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.TraceID != parent {
		t.Errorf("problem = %+v, %v, want the caller's trace", p, err)
	}
}

func TestMux(t *testing.T) {
	mux := NewMux()
	mux.HandleFunc("GET /items/{id}", func(w http.ResponseWriter, r *http.Request) error {
		return WriteJSON(w, http.StatusOK, r.PathValue("id"))
	})
	mux.Handle("GET /plain/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	for _, test := range []struct {
		method, path string
		status       int
		header, want string
	}{
		{"GET", "/items/7", 200, "Content-Type", "application/json"},
		{"HEAD", "/items/7", 200, "Content-Type", "application/json"},
		{"DELETE", "/items/7", 405, "Allow", "GET, HEAD"},
		{"DELETE", "/items/7", 405, "Content-Type", problem.ContentType},
		{"GET", "/nothing", 404, "Content-Type", problem.ContentType},
		{"GET", "/plain", 307, "Location", "/plain/"},
		{"GET", "/plain/x", 204, "Content-Type", ""},
		{"GET", "/items/../items/7", 307, "Location", "/items/7"},
	} {
		w := do(mux, test.method, test.path, "")
		if w.Code != test.status || w.Header().Get(test.header) != test.want {
			t.Errorf("%s %s = %d %v, want %d and %s: %s", test.method, test.path, w.Code, w.Header(), test.status, test.header, test.want)
		}
	}
}

func BenchmarkChain(b *testing.B) {
	mux := NewMux()
	mux.HandleFunc("GET /items/{id}", func(w http.ResponseWriter, r *http.Request) error {
		w.WriteHeader(http.StatusNoContent)
		return nil
	})
	srv, err := New(Defaults(), mux, Options{Log: slog.New(slog.NewJSONHandler(io.Discard, nil)), Metrics: prometheus.NewRegistry()})
	if err != nil {
		b.Fatal(err)
	}
	for _, bench := range []struct {
		name string
		h    http.Handler
	}{{"bare", mux.mux}, {"mux", mux}, {"whole", srv.http.Handler}} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			r := httptest.NewRequest("GET", "/items/7", nil)
			for b.Loop() {
				bench.h.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
}
