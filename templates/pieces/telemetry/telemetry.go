// Package telemetry gives the program its logger and its traces.
//
// Logs are JSON lines with the name of the fraction and, inside a trace, its
// trace_id and span_id. Traces follow OpenTelemetry and W3C trace context.
// Spans are exported over OTLP/HTTP once Settings.Endpoint is set, in a program
// that was built with
//
//	go build -tags otlp
//
// The exporter is behind that tag because it costs a third of the compile time
// of a whole service. A program built without it refuses to start with an
// endpoint. Even with no exporter, trace ids are made, logged and passed on.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Telemetry is the logger and the tracer provider of one program. It is safe
// for concurrent use.
type Telemetry struct {
	log        *slog.Logger
	provider   *sdktrace.TracerProvider
	propagator propagation.TextMapPropagator
}

// Identity says who is speaking.
type Identity struct {
	// Fraction is the name of the fraction, in every log line and span.
	Fraction string
	// Version is that of the program, or "".
	Version string
}

// ErrNoExporter is the error of a program that is to export spans and was built
// without the means.
var ErrNoExporter = errors.New("this program was built without the OTLP exporter: build it with -tags otlp, or leave the endpoint empty")

// New returns the telemetry of a program, which logs to w. It fails with
// ErrNoExporter where the settings ask for an exporter that the program was
// built without. It changes no global state.
func New(ctx context.Context, s Settings, id Identity, w io.Writer) (*Telemetry, error) {
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	log := slog.New(newHandler(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: s.Level}))).
		With("fraction", id.Fraction)

	// A span that nobody will export is not recorded, but has its ids.
	root := sdktrace.NeverSample()
	opts := []sdktrace.TracerProviderOption{sdktrace.WithResource(id.resource())}
	if s.Endpoint != "" {
		exporter, err := newExporter(ctx, s.Endpoint)
		if err != nil {
			return nil, fmt.Errorf("telemetry: endpoint: %w", err)
		}
		root = sdktrace.TraceIDRatioBased(s.Sample)
		opts = append(opts, sdktrace.WithBatcher(reporter{exporter, log}))
	}
	opts = append(opts, sdktrace.WithSampler(sdktrace.ParentBased(root)))
	return &Telemetry{
		log:      log,
		provider: sdktrace.NewTracerProvider(opts...),
		propagator: propagation.NewCompositeTextMapPropagator(
			propagation.TraceContext{}, propagation.Baggage{}),
	}, nil
}

func (id Identity) resource() *resource.Resource {
	attrs := []attribute.KeyValue{
		attribute.String("service.name", id.Fraction),
		attribute.String("fraction", id.Fraction),
	}
	if id.Version != "" {
		attrs = append(attrs, attribute.String("service.version", id.Version))
	}
	return resource.NewSchemaless(attrs...)
}

// Logger is the program's logger. Its methods that take a context add the ids
// of the context's span.
func (t *Telemetry) Logger() *slog.Logger { return t.log }

// TracerProvider makes the tracers of the program and of its libraries.
func (t *Telemetry) TracerProvider() trace.TracerProvider { return t.provider }

// Propagator reads and writes W3C trace context and baggage.
func (t *Telemetry) Propagator() propagation.TextMapPropagator { return t.propagator }

// Stop exports the spans that are still held, until ctx ends, and shuts the
// exporter down. It is made to be the Stop of the component that starts first,
// so that it stops last.
func (t *Telemetry) Stop(ctx context.Context) error { return t.provider.Shutdown(ctx) }

// reporter logs the errors of an exporter, which would otherwise go to a global
// handler that writes plain text to stderr. Spans that cannot be exported are
// lost; the program goes on.
type reporter struct {
	sdktrace.SpanExporter
	log *slog.Logger
}

// ExportSpans returns nil: what went wrong has been said.
func (r reporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if err := r.SpanExporter.ExportSpans(ctx, spans); err != nil {
		r.log.WarnContext(ctx, "spans not exported", "spans", len(spans), "error", err)
	}
	return nil
}
