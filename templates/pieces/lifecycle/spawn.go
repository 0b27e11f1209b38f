package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"runtime/pprof"
)

// spawn calls fn, if there is one, in a goroutine of its own, which shows in
// profiles under the label component, and hands its error to done however it
// ends: a panic is logged with its stack and becomes an error, and so does
// runtime.Goexit, which nothing can stop.
func spawn(ctx context.Context, log *slog.Logger, name string, fn func(context.Context) error, done func(error)) {
	go func() {
		err := errors.New("goroutine ended by runtime.Goexit")
		defer func() { done(err) }()
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("panic: %v", v)
				log.Error("panic", "component", name, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			}
		}()
		if fn == nil {
			err = nil
			return
		}
		pprof.Do(ctx, pprof.Labels("component", name), func(ctx context.Context) { err = fn(ctx) })
	}()
}
