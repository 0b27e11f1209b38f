//go:build otlp

package otlp

import (
	"context"
	"fmt"
	"net/url"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// New returns an exporter to the collector at the base URL endpoint. It does not
// connect yet: a collector that is down does not keep the program from starting.
//
// Headers, certificates and compression are taken from the standard variables
// OTEL_EXPORTER_OTLP_HEADERS, …_CERTIFICATE and …_COMPRESSION.
func New(ctx context.Context, endpoint string) (sdktrace.SpanExporter, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil, fmt.Errorf("otlp: %w", err)
	}
	return otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(u.JoinPath("v1", "traces").String()))
}
