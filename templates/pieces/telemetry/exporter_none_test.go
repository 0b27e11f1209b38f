//go:build !otlp

package telemetry_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/fractl/fractl/templates/pieces/telemetry"
)

func TestEndpointWithoutExporterIsAnError(t *testing.T) {
	s := telemetry.Defaults()
	s.Endpoint = "http://localhost:4318"
	_, err := telemetry.New(t.Context(), s, telemetry.Identity{Fraction: "auth"}, io.Discard)
	if !errors.Is(err, telemetry.ErrNoExporter) || !strings.Contains(err.Error(), "-tags otlp") {
		t.Errorf("New: %v, want ErrNoExporter with the way out", err)
	}
}
