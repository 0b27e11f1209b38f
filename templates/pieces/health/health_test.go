package health

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/fractl/fractl/templates/pieces/settings"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestProbesFollowTheLife(t *testing.T) {
	h := serve(t, quick(), check("db", Critical, nil))
	wait(t, h, "/readyz?verbose", `"good"`)
	for _, step := range []struct {
		set                      func()
		live, started, wantReady int
	}{
		{func() {}, 200, 503, 503},
		{func() { h.SetReady(true) }, 200, 200, 200},
		{func() { h.SetReady(false) }, 200, 200, 503},
		{func() { h.SetReady(true) }, 200, 200, 503}, // there is no way back
	} {
		step.set()
		for path, want := range map[string]int{"/livez": step.live, "/startupz": step.started, "/readyz": step.wantReady} {
			if got, body := get(t, h, path, nil); got != want {
				t.Errorf("%s = %d %q, want %d", path, got, body, want)
			}
		}
	}
}

func TestReadinessNeedsTheCriticalChecks(t *testing.T) {
	var down atomic.Bool
	var slight atomic.Bool
	h := serve(t, quick(),
		check("db", Critical, func(context.Context) error { return failIf(&down) }),
		check("mail", Degraded, func(context.Context) error { return failIf(&slight) }))
	h.SetReady(true)
	wait(t, h, "/readyz", "ok")
	slight.Store(true)
	wait(t, h, "/readyz", "degraded")
	if status, _ := get(t, h, "/readyz", nil); status != 200 {
		t.Errorf("degraded is %d, want 200", status)
	}
	down.Store(true)
	wait(t, h, "/readyz", "unavailable")
	if status, _ := get(t, h, "/livez", nil); status != 200 {
		t.Errorf("/livez is %d because of a dependency", status)
	}
	down.Store(false)
	slight.Store(false)
	wait(t, h, "/readyz", "ok")
}

// TestHungDependency shows that a check which never returns keeps neither a
// probe nor the end of the program, and is not run a second time.
func TestHungDependency(t *testing.T) {
	hung := make(chan struct{})
	var runs atomic.Int64
	h := serve(t, quick(), check("db", Critical, func(context.Context) error {
		runs.Add(1)
		<-hung // deaf to its context
		return nil
	}))
	t.Cleanup(func() { close(hung) })
	h.SetReady(true)
	wait(t, h, "/readyz?verbose", `"timed out"`)
	for range 1000 {
		if status, _ := get(t, h, "/livez", nil); status != 200 {
			t.Fatalf("/livez = %d", status)
		}
		if status, _ := get(t, h, "/readyz", nil); status != 503 {
			t.Fatalf("/readyz = %d", status)
		}
	}
	if n := runs.Load(); n != 1 {
		t.Errorf("the check was run %d times", n)
	}
}

// However many probes come at once, the dependency is asked by the clock alone.
func TestProbesAskNobody(t *testing.T) {
	var runs atomic.Int64
	s := quick()
	s.CheckInterval = time.Hour
	h := serve(t, s, check("db", Critical, func(context.Context) error {
		runs.Add(1)
		return nil
	}))
	h.SetReady(true)
	wait(t, h, "/readyz", "ok")
	var probers sync.WaitGroup
	for range 10 {
		probers.Go(func() {
			for range 100 {
				for _, path := range []string{"/livez", "/readyz", "/readyz?verbose", "/startupz"} {
					w := httptest.NewRecorder()
					h.http.Handler.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
					if w.Code != 200 {
						t.Errorf("%s = %d", path, w.Code)
					}
				}
			}
		})
	}
	probers.Wait()
	if n := runs.Load(); n != 1 {
		t.Errorf("4000 probes: the check was run %d times, want 1", n)
	}
}

// A load balancer learns that the program stops while it can still be asked.
func TestNotReadyBeforeTheListenerCloses(t *testing.T) {
	h := serve(t, quick())
	h.SetReady(true)
	if status, _ := get(t, h, "/readyz", nil); status != 200 {
		t.Fatalf("/readyz = %d", status)
	}
	h.SetReady(false)
	for range 3 {
		if status, body := get(t, h, "/readyz", nil); status != 503 {
			t.Errorf("/readyz of a stopping program = %d %s", status, body)
		}
	}
	if err := h.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if conn, err := net.Dial("tcp", h.Addr()); err == nil {
		conn.Close()
		t.Error("the listener is open after the end")
	}
}

func TestProbesKeepTheErrorToThemselves(t *testing.T) {
	var log bytes.Buffer
	s := quick()
	s.CheckInterval = time.Hour
	h, err := New(s, Identity{Fraction: "auth"}, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	add(t, h, check("db", Critical, func(context.Context) error { return errors.New("password swordfish refused") }))
	stop := run(t, h)
	wait(t, h, "/readyz?verbose", `"failed"`)
	_, body := get(t, h, "/readyz?verbose", nil)
	stop()
	if strings.Contains(body, "swordfish") {
		t.Errorf("the probe tells the error: %s", body)
	}
	if !strings.Contains(log.String(), "swordfish") {
		t.Errorf("the log does not: %s", &log)
	}
	var r report
	if err := json.Unmarshal([]byte(body), &r); err != nil || len(r.Checks) != 1 || r.Checks[0].Name != "db" || r.Checks[0].Level != "critical" {
		t.Errorf("verbose = %s (%v)", body, err)
	}
}

func TestPanicIsAFailure(t *testing.T) {
	h := serve(t, quick(), check("db", Critical, func(context.Context) error { panic("boom") }))
	wait(t, h, "/readyz?verbose", `"failed"`)
}

func TestDebugIsGuarded(t *testing.T) {
	const token = "0123456789abcdef"
	open := serve(t, quick())
	s := quick()
	s.Token = settings.NewSecret(token)
	secured := serve(t, s)
	remote := http.Header{"X-Forwarded-For": {"192.0.2.1"}}
	for _, test := range []struct {
		name   string
		h      *Health
		path   string
		header http.Header
		want   int
	}{
		{"this machine", open, "/debug/vars", nil, 200},
		{"this machine", open, "/debug/pprof/", nil, 200},
		{"this machine", open, "/debug/pprof/heap", nil, 200},
		{"the command line", open, "/debug/pprof/cmdline", nil, 404},
		{"from elsewhere", open, "/debug/pprof/", remote, 403},
		{"from elsewhere without a token", secured, "/debug/pprof/", remote, 401},
		{"a wrong token", secured, "/debug/pprof/", http.Header{"X-Forwarded-For": {"192.0.2.1"}, "Authorization": {"Bearer " + token + "0"}}, 401},
		{"the token", secured, "/debug/pprof/", http.Header{"X-Forwarded-For": {"192.0.2.1"}, "Authorization": {"Bearer " + token}}, 200},
		{"a browser sent by a page", open, "/debug/vars", http.Header{"Host": {"evil.example"}}, 403},
	} {
		if got, _ := get(t, test.h, test.path, test.header); got != test.want {
			t.Errorf("%s: %s = %d, want %d", test.name, test.path, got, test.want)
		}
	}
	_, vars := get(t, open, "/debug/vars", nil)
	var all map[string]any
	if err := json.Unmarshal([]byte(vars), &all); err != nil || all["memstats"] == nil || all["cmdline"] != nil {
		t.Errorf("/debug/vars has cmdline = %v, memstats: %v, %v", all["cmdline"], all["memstats"] != nil, err)
	}
}

func TestMetrics(t *testing.T) {
	h := serve(t, quick(), check("db", Critical, nil))
	serve(t, quick(), check("db", Critical, nil)) // a second one in the process is no harm
	h.SetReady(true)
	wait(t, h, "/readyz", "ok")
	problems, err := testutil.GatherAndLint(h.metrics.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if !strings.HasPrefix(p.Metric, "go_") { // these names are fixed by the Go collector
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	_, body := get(t, h, "/metrics", nil)
	for _, want := range []string{
		`health_ready{fraction="auth"} 1`,
		`health_check_good{check="db",fraction="auth"} 1`,
		`fraction_info{fraction="auth",version="1.2.3"} 1`,
		`go_goroutines{fraction="auth"}`,
		`go_gc_heap_live_bytes{fraction="auth"}`,
		`go_sched_latencies_seconds_bucket{fraction="auth",`,
		`process_resident_memory_bytes{fraction="auth"}`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("/metrics has no %s", want)
		}
	}
}

func TestAddRefuses(t *testing.T) {
	h, err := New(quick(), Identity{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	add(t, h, check("db", Critical, nil))
	for name, c := range map[string]Check{"the name of another": check("db", Degraded, nil), "no name": check("", Critical, nil), "no function": {Name: "x"}} {
		if err := h.Add(c); err == nil {
			t.Errorf("a check with %s is taken", name)
		}
	}
	if err := serve(t, quick()).Add(check("late", Critical, nil)); err == nil {
		t.Error("a check is taken after the start")
	}
}

func TestSettings(t *testing.T) {
	if err := Defaults().Validate(); err != nil {
		t.Error(err)
	}
	for key, spoil := range map[string]func(*Settings){
		"addr":           func(s *Settings) { s.Addr = "8081" },
		"token":          func(s *Settings) { s.Token = settings.NewSecret("short") },
		"check_interval": func(s *Settings) { s.CheckInterval = 0 },
		"check_timeout":  func(s *Settings) { s.CheckTimeout = -1 },
	} {
		s := Defaults()
		spoil(&s)
		if err := s.Validate(); err == nil || !strings.HasPrefix(err.Error(), key+": ") {
			t.Errorf("a wrong %s: %v", key, err)
		}
		if _, err := New(s, Identity{}, nil); err == nil {
			t.Errorf("New takes a wrong %s", key)
		}
	}
}

func TestServeBeforeListen(t *testing.T) {
	h, err := New(quick(), Identity{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Serve(t.Context()); err == nil {
		t.Error("it serves on nothing")
	}
}

// What a prober waits for while every check hangs. The 99th percentile is that
// of whole requests over a kept connection.
func BenchmarkProbes(b *testing.B) {
	h, err := New(quick(), Identity{Fraction: "auth"}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	hung := make(chan struct{})
	for _, name := range []string{"db", "cache", "mail"} {
		if err := h.Add(check(name, Critical, func(context.Context) error { <-hung; return nil })); err != nil {
			b.Fatal(err)
		}
	}
	if err := h.Listen(b.Context()); err != nil {
		b.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(context.WithoutCancel(b.Context())) }()
	defer func() {
		close(hung)
		if err := errors.Join(h.Shutdown(context.WithoutCancel(b.Context())), <-ended); err != nil {
			b.Error(err)
		}
	}()
	h.SetReady(true)
	for _, path := range []string{"/livez", "/readyz", "/readyz?verbose"} {
		b.Run(path[1:], func(b *testing.B) {
			client := &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second}
			defer client.CloseIdleConnections()
			var took []time.Duration
			for b.Loop() {
				start := time.Now()
				response, err := client.Get("http://" + h.Addr() + path)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1e3, "p99-µs")
		})
	}
}

func quick() Settings {
	s := Defaults()
	s.Addr = "127.0.0.1:0"
	s.CheckInterval = 5 * time.Millisecond
	s.CheckTimeout = 50 * time.Millisecond
	return s
}

func check(name string, level Level, run func(context.Context) error) Check {
	if run == nil {
		run = func(context.Context) error { return nil }
	}
	return Check{Name: name, Level: level, Run: run}
}

func failIf(down *atomic.Bool) error {
	if down.Load() {
		return errors.New("down")
	}
	return nil
}

func add(t *testing.T, h *Health, checks ...Check) {
	t.Helper()
	for _, c := range checks {
		if err := h.Add(c); err != nil {
			t.Fatal(err)
		}
	}
}

// serve runs a health until the end of the test.
func serve(t *testing.T, s Settings, checks ...Check) *Health {
	t.Helper()
	h, err := New(s, Identity{Fraction: "auth", Version: "1.2.3"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	add(t, h, checks...)
	t.Cleanup(run(t, h))
	return h
}

// run starts h and returns what stops it.
func run(t *testing.T, h *Health) (stop func()) {
	t.Helper()
	if err := h.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	ctx := context.WithoutCancel(t.Context())
	go func() { ended <- h.Serve(ctx) }()
	return func() {
		if err := errors.Join(h.Shutdown(ctx), <-ended); err != nil {
			t.Error(err)
		}
	}
}

func get(t *testing.T, h *Health, path string, header http.Header) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+h.Addr()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for key, values := range header {
		request.Header[key] = values
		if key == "Host" {
			request.Host = values[0]
		}
	}
	client := &http.Client{Timeout: 30 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// wait asks until the answer holds the text.
func wait(t *testing.T, h *Health, path, text string) {
	t.Helper()
	body := ""
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if _, body = get(t, h, path, nil); strings.Contains(body, text) {
			return
		}
	}
	t.Fatalf("%s never answers %q, last %q", path, text, body)
}
