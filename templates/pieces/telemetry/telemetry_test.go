package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"github.com/fractl/fractl/templates/pieces/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newTelemetry(t testing.TB, s telemetry.Settings, w io.Writer) *telemetry.Telemetry {
	t.Helper()
	tel, err := telemetry.New(t.Context(), s, telemetry.Identity{Fraction: "auth", Version: "v1.2.3"}, w)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tel.Stop(context.Background()); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
	return tel
}

const (
	traceID = "0af7651916cd43dd8448eb211c80319c"
	spanID  = "b7ad6b7169203331"
)

// inSpan returns a context that is inside a span with the ids above.
func inSpan(ctx context.Context, sampled bool) context.Context {
	flags := "00"
	if sampled {
		flags = "01"
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{
		"traceparent": "00-" + traceID + "-" + spanID + "-" + flags,
	})
}

// lines decodes JSON lines, leaving out their times.
func lines(t *testing.T, out string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for text := range strings.Lines(out) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("not a JSON line: %q: %v", text, err)
		}
		if _, ok := line[slog.TimeKey]; !ok {
			t.Errorf("no time in %q", text)
		}
		delete(line, slog.TimeKey)
		all = append(all, line)
	}
	return all
}

func TestLogLines(t *testing.T) {
	for name, c := range map[string]struct {
		log  func(l *slog.Logger, ctx context.Context)
		want map[string]any
	}{
		"outside a span": {
			func(l *slog.Logger, _ context.Context) { l.Info("hello", "n", 1) },
			map[string]any{"level": "INFO", "msg": "hello", "fraction": "auth", "n": 1.0},
		},
		"inside a span": {
			func(l *slog.Logger, ctx context.Context) { l.InfoContext(ctx, "hello", "n", 1) },
			map[string]any{"level": "INFO", "msg": "hello", "fraction": "auth", "n": 1.0,
				"trace_id": traceID, "span_id": spanID},
		},
		"ids stay at the top level": {
			func(l *slog.Logger, ctx context.Context) {
				l.With("a", 1).WithGroup("http").With("path", "/x").WithGroup("").WithGroup("peer").
					ErrorContext(ctx, "hello", "port", 2)
			},
			map[string]any{"level": "ERROR", "msg": "hello", "fraction": "auth", "a": 1.0,
				"trace_id": traceID, "span_id": spanID,
				"http": map[string]any{"path": "/x", "peer": map[string]any{"port": 2.0}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			tel := newTelemetry(t, telemetry.Defaults(), &out)
			c.log(tel.Logger(), inSpan(t.Context(), true))
			if diff := cmp.Diff([]map[string]any{c.want}, lines(t, out.String())); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
		})
	}
}

// Two loggers made from one must not write into each other's groups.
func TestLoggersMadeFromOne(t *testing.T) {
	var out bytes.Buffer
	group := newTelemetry(t, telemetry.Defaults(), &out).Logger().WithGroup("g")
	a, b := group.With("is", "a"), group.With("is", "b")
	ctx := inSpan(t.Context(), true)
	a.InfoContext(ctx, "a")
	b.InfoContext(ctx, "b")
	a.InfoContext(ctx, "a")
	for _, line := range lines(t, out.String()) {
		if diff := cmp.Diff(map[string]any{"is": line["msg"]}, line["g"]); diff != "" {
			t.Errorf("line %v (-want +got):\n%s", line, diff)
		}
	}
}

func TestLevel(t *testing.T) {
	var out bytes.Buffer
	s := telemetry.Defaults()
	s.Level = slog.LevelWarn
	log := newTelemetry(t, s, &out).Logger()
	log.Info("quiet")
	log.WithGroup("g").Info("quiet")
	if out.Len() > 0 || log.Enabled(t.Context(), slog.LevelInfo) {
		t.Errorf("logged below the level: %s", &out)
	}
	log.Warn("loud")
	if len(lines(t, out.String())) != 1 {
		t.Errorf("not logged: %s", &out)
	}
}

// The handler keeps every promise of slog's, in a span and outside.
func TestHandlerKeepsThePromisesOfSlog(t *testing.T) {
	var out bytes.Buffer
	slogtest.Run(t,
		func(t *testing.T) slog.Handler {
			out.Reset()
			tel, err := telemetry.New(t.Context(), telemetry.Defaults(), telemetry.Identity{}, &out)
			if err != nil {
				t.Fatal(err)
			}
			return tel.Logger().Handler()
		},
		func(t *testing.T) map[string]any {
			var line map[string]any
			if err := json.Unmarshal(out.Bytes(), &line); err != nil {
				t.Fatal(err)
			}
			return line
		})
}

func TestTracesWithoutExport(t *testing.T) {
	tel := newTelemetry(t, telemetry.Defaults(), io.Discard)
	tracer := tel.TracerProvider().Tracer("test")

	_, root := tracer.Start(t.Context(), "root")
	defer root.End()
	if sc := root.SpanContext(); !sc.IsValid() || sc.IsSampled() || root.IsRecording() {
		t.Errorf("a root span that nobody exports: valid %t, sampled %t, recording %t; want only valid",
			sc.IsValid(), sc.IsSampled(), root.IsRecording())
	}

	// The caller's decision is passed on, or its trace would end here.
	for _, sampled := range []bool{true, false} {
		ctx, span := tracer.Start(inSpan(t.Context(), sampled), "child")
		header := http.Header{}
		tel.Propagator().Inject(ctx, propagation.HeaderCarrier(header))
		span.End()
		got := trace.SpanContextFromContext(tel.Propagator().Extract(t.Context(), propagation.HeaderCarrier(header)))
		if got.TraceID().String() != traceID || got.IsSampled() != sampled || got.SpanID().String() == spanID {
			t.Errorf("sampled %t: passed on traceparent %s", sampled, header.Get("Traceparent"))
		}
	}
}

func TestValidate(t *testing.T) {
	ok := telemetry.Defaults()
	for name, c := range map[string]struct {
		change func(*telemetry.Settings)
		want   string
	}{
		"defaults":     {func(*telemetry.Settings) {}, ""},
		"http":         {func(s *telemetry.Settings) { s.Endpoint = "http://localhost:4318" }, ""},
		"https path":   {func(s *telemetry.Settings) { s.Endpoint = "https://otel.example.com/auth/" }, ""},
		"no scheme":    {func(s *telemetry.Settings) { s.Endpoint = "localhost:4318" }, "endpoint: not a URL like http://localhost:4318"},
		"no host":      {func(s *telemetry.Settings) { s.Endpoint = "http:///v1" }, "endpoint: not a URL like http://localhost:4318"},
		"other scheme": {func(s *telemetry.Settings) { s.Endpoint = "grpc://localhost:4317" }, "endpoint: not a URL like http://localhost:4318"},
		"not a URL":    {func(s *telemetry.Settings) { s.Endpoint = "http://u:secret@[" }, "endpoint: not a URL"},
		"credentials": {func(s *telemetry.Settings) { s.Endpoint = "http://u:secret@h" },
			"endpoint: must not hold credentials; hand them over in OTEL_EXPORTER_OTLP_HEADERS"},
		"query":    {func(s *telemetry.Settings) { s.Endpoint = "http://h?token=secret" }, "endpoint: must not have a query or a fragment"},
		"sample 0": {func(s *telemetry.Settings) { s.Sample = 0 }, ""},
		"sample 2": {func(s *telemetry.Settings) { s.Sample = 2 }, "sample: 2 is not in the range 0 to 1"},
		"negative": {func(s *telemetry.Settings) { s.Sample = -0.5 }, "sample: -0.5 is not in the range 0 to 1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := ok
			c.change(&s)
			got := ""
			if err := s.Validate(); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("Validate: %q, want %q", got, c.want)
			}
		})
	}
}

func TestNewRefusesWrongSettings(t *testing.T) {
	s := telemetry.Defaults()
	s.Sample = 7
	_, err := telemetry.New(t.Context(), s, telemetry.Identity{Fraction: "auth"}, io.Discard)
	if err == nil || err.Error() != "telemetry: sample: 7 is not in the range 0 to 1" {
		t.Errorf("New: %v", err)
	}
}

// Lines of many goroutines must not be mixed.
func TestLogFromManyGoroutines(t *testing.T) {
	var out bytes.Buffer
	log := newTelemetry(t, telemetry.Defaults(), &out).Logger().WithGroup("g")
	ctx := inSpan(t.Context(), true)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				log.InfoContext(ctx, "hello")
			}
		})
	}
	wg.Wait()
	if n := len(lines(t, out.String())); n != 800 {
		t.Errorf("%d lines, want 800", n)
	}
}

func BenchmarkLog(b *testing.B) {
	for name, ctx := range map[string]context.Context{
		"outside": context.Background(),
		"inside":  inSpan(context.Background(), true),
	} {
		b.Run(name, func(b *testing.B) {
			log := newTelemetry(b, telemetry.Defaults(), io.Discard).Logger()
			b.ReportAllocs()
			for b.Loop() {
				log.InfoContext(ctx, "request", "status", 200)
			}
		})
	}
}

// BenchmarkSpan is what a request pays for its trace while nothing is exported.
func BenchmarkSpan(b *testing.B) {
	tracer := newTelemetry(b, telemetry.Defaults(), io.Discard).TracerProvider().Tracer("bench")
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		_, span := tracer.Start(ctx, "root")
		span.End()
	}
}
