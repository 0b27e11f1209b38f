package shadow

import (
	"context"
	"log/slog"
	"time"
)

func get(ctx context.Context) error { return ctx.Err() }

func trace(ctx context.Context, id string) context.Context { return context.WithValue(ctx, "id", id) }

// What has to be found.

func limit(ctx context.Context, d time.Duration) error {
	if d > 0 {
		ctx, cancel := context.WithTimeout(ctx, d) // want `ctx is a variable of this block alone, and line \d+ goes on under the one around it`
		defer cancel()
		slog.DebugContext(ctx, "limited")
	}
	return get(ctx)
}

func value(ctx context.Context, id string) error {
	if id != "" {
		ctx := trace(ctx, id) // want `ctx is a variable of this block alone`
		slog.InfoContext(ctx, "traced")
	}
	return get(ctx)
}

func inCase(ctx context.Context, kind string) error {
	switch kind {
	case "slow":
		ctx, cancel := context.WithTimeout(ctx, time.Minute) // want `ctx is a variable of this block alone`
		defer cancel()
		_ = ctx
	}
	return get(ctx)
}

func inElse(ctx context.Context, until time.Time) error {
	if until.IsZero() {
		slog.DebugContext(ctx, "no limit")
	} else {
		ctx, cancel := context.WithDeadline(ctx, until) // want `ctx is a variable of this block alone`
		defer cancel()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return get(ctx)
}

// What has not.

func assigned(ctx context.Context, d time.Duration) error {
	if d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	return get(ctx)
}

func step(ctx context.Context, lock bool) error {
	if lock {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if err := get(ctx); err != nil {
			return err
		}
	}
	return get(ctx)
}

func returns(ctx context.Context, d time.Duration) error {
	if d > 0 {
		ctx, cancel := context.WithTimeout(ctx, d)
		defer cancel()
		return ctx.Err()
	}
	return get(ctx)
}

func rounds(ctx context.Context, n int) error {
	for range n {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		_ = get(ctx)
		cancel()
	}
	return get(ctx)
}

func notUsedAgain(ctx context.Context, d time.Duration) error {
	if d > 0 {
		ctx, cancel := context.WithTimeout(ctx, d)
		defer cancel()
		slog.DebugContext(ctx, "limited")
	}
	return nil
}
