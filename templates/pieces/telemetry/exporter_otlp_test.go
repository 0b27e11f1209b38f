//go:build otlp

package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/fractl/fractl/templates/pieces/telemetry"
)

// exporting returns telemetry that exports to a collector with the handler h.
func exporting(t *testing.T, h http.HandlerFunc, sample float64, w io.Writer) *telemetry.Telemetry {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	s := telemetry.Defaults()
	s.Endpoint, s.Sample = srv.URL+"/base/", sample
	tel, err := telemetry.New(t.Context(), s, telemetry.Identity{Fraction: "auth", Version: "v1.2.3"}, w)
	if err != nil {
		t.Fatal(err)
	}
	return tel
}

func TestStopExportsWhatIsHeld(t *testing.T) {
	bodies := make(chan []byte, 1)
	tel := exporting(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/base/v1/traces" {
			t.Errorf("exported to %s", r.URL.Path)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		bodies <- body
	}, 1, io.Discard)
	_, span := tel.TracerProvider().Tracer("test").Start(t.Context(), "create item", trace.WithSpanKind(trace.SpanKindServer))
	span.End()
	if err := tel.Stop(t.Context()); err != nil {
		t.Fatalf("Stop: %v", err)
	}
	// Protobuf keeps texts as they are, so no decoder is needed to find them.
	body := <-bodies
	id := span.SpanContext().TraceID()
	for _, want := range []string{"service.name", "auth", "service.version", "v1.2.3", "create item", string(id[:])} {
		if !bytes.Contains(body, []byte(want)) {
			t.Errorf("the export lacks %q: %q", want, body)
		}
	}
}

func TestSampleZeroExportsNothing(t *testing.T) {
	tel := exporting(t, func(http.ResponseWriter, *http.Request) { t.Error("something was exported") }, 0, io.Discard)
	_, span := tel.TracerProvider().Tracer("test").Start(t.Context(), "create item")
	span.End()
	if err := tel.Stop(t.Context()); err != nil {
		t.Errorf("Stop: %v", err)
	}
}

func TestRefusedExportIsLogged(t *testing.T) {
	var out bytes.Buffer
	tel := exporting(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, 1, &out)
	_, span := tel.TracerProvider().Tracer("test").Start(t.Context(), "create item")
	span.End()
	if err := tel.Stop(t.Context()); err != nil {
		t.Errorf("Stop: %v: a collector's trouble is not the program's", err)
	}
	if !strings.Contains(out.String(), `"msg":"spans not exported","fraction":"auth","spans":1`) {
		t.Errorf("log %s", &out)
	}
}

func TestStopKeepsToItsTime(t *testing.T) {
	release := make(chan struct{})
	tel := exporting(t, func(http.ResponseWriter, *http.Request) { <-release }, 1, io.Discard)
	defer close(release)
	_, span := tel.TracerProvider().Tracer("test").Start(t.Context(), "create item")
	span.End()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := tel.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Stop: %v, want its deadline", err)
	}
}
