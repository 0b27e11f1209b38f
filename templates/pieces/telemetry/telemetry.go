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
	"io"
	"log/slog"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Settings is the section of the configuration that this package reads.
type Settings struct {
	Level    slog.Level `yaml:"level" doc:"least level that is logged: DEBUG, INFO, WARN or ERROR"`
	Endpoint string     `yaml:"endpoint" doc:"URL of the OTLP/HTTP collector, for example http://localhost:4318; empty: spans are not exported"`
	Sample   float64    `yaml:"sample" doc:"share of traces begun here that are exported, 0 to 1; a trace begun elsewhere keeps its caller's decision"`
}

// Defaults are the settings that a program begins with: level INFO, no export,
// every trace sampled.
func Defaults() Settings { return Settings{Level: slog.LevelInfo, Sample: 1} }

// Validate checks the endpoint and the sample.
func (s Settings) Validate() error { panic("follows") }

// Identity says who is speaking.
type Identity struct {
	// Fraction is the name of the fraction, in every log line and span.
	Fraction string
	// Version is that of the program, or "".
	Version string
}

// Telemetry is the logger and the tracer provider of one program.
type Telemetry struct{}

// New returns the telemetry of a program, which logs to w. It fails where the
// settings ask for an exporter that the program was built without. It changes
// no global state.
func New(ctx context.Context, s Settings, id Identity, w io.Writer) (*Telemetry, error) {
	panic("follows")
}

// Logger is the program's logger. Its methods that take a context add the ids
// of the context's span.
func (t *Telemetry) Logger() *slog.Logger { panic("follows") }

// TracerProvider makes the tracers of the program and of its libraries.
func (t *Telemetry) TracerProvider() trace.TracerProvider { panic("follows") }

// Propagator reads and writes W3C trace context and baggage.
func (t *Telemetry) Propagator() propagation.TextMapPropagator { panic("follows") }

// Stop exports the spans that are still held, until ctx ends, and shuts the
// exporter down. It is made to be the Stop of the component that starts first,
// so that it stops last.
func (t *Telemetry) Stop(ctx context.Context) error { panic("follows") }
