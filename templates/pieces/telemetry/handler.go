package telemetry

import (
	"context"
	"log/slog"
	"slices"

	"go.opentelemetry.io/otel/trace"
)

// handler adds the ids of the context's span to each record, always at the top
// level of the line, where log stores look for them.
type handler struct {
	// next has everything that was given by With and WithGroup.
	next slog.Handler
	// base has only what came before the first group, and rest makes it next
	// again; rest is empty where no group is open, which is the usual case.
	base slog.Handler
	rest []func(slog.Handler) slog.Handler
}

func newHandler(h slog.Handler) *handler { return &handler{next: h, base: h} }

// Enabled is that of the handler below.
func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle writes the record.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	span := trace.SpanContextFromContext(ctx)
	if !span.IsValid() {
		return h.next.Handle(ctx, r)
	}
	ids := []slog.Attr{
		slog.String("trace_id", span.TraceID().String()),
		slog.String("span_id", span.SpanID().String()),
	}
	if len(h.rest) == 0 {
		r = r.Clone() // a copy shares its attributes with the caller's
		r.AddAttrs(ids...)
		return h.next.Handle(ctx, r)
	}
	next := h.base.WithAttrs(ids)
	for _, again := range h.rest {
		next = again(next)
	}
	return next.Handle(ctx, r)
}

// WithAttrs adds attributes to the group that is open.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(h.rest) == 0 {
		return newHandler(h.next.WithAttrs(attrs))
	}
	return h.with(func(next slog.Handler) slog.Handler { return next.WithAttrs(attrs) })
}

// WithGroup opens a group.
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return h.with(func(next slog.Handler) slog.Handler { return next.WithGroup(name) })
}

func (h *handler) with(step func(slog.Handler) slog.Handler) *handler {
	return &handler{next: step(h.next), base: h.base, rest: append(slices.Clip(h.rest), step)}
}
