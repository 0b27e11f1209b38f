//go:build otlp

package telemetry

import (
	"context"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/fractl/fractl/templates/pieces/telemetry/otlp"
)

func newExporter(ctx context.Context, endpoint string) (sdktrace.SpanExporter, error) {
	return otlp.New(ctx, endpoint)
}
