package telemetry_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/fractl/fractl/templates/pieces/telemetry"
)

func ExampleNew() {
	ctx := context.Background()
	tel, err := telemetry.New(ctx, telemetry.Defaults(), telemetry.Identity{Fraction: "auth"}, os.Stderr)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tel.Stop(ctx)

	ctx, span := tel.TracerProvider().Tracer("auth").Start(ctx, "create item")
	defer span.End()
	tel.Logger().InfoContext(ctx, "item created", slog.Int("id", 1)) // with trace_id and span_id
	fmt.Println(span.SpanContext().IsValid())
	// Output: true
}
