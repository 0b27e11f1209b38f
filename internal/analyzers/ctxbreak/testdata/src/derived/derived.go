package derived

import (
	"context"
	"os"
	"os/signal"
	"testing"
	"time"
)

func load(ctx context.Context) error { return nil }

type holder struct {
	ctx    context.Context
	cancel context.CancelFunc
}

// What has to be found.

func thrownAway(ctx context.Context) error {
	ctx2, _ := context.WithTimeout(ctx, time.Second) // want `the cancel function of context.WithTimeout is thrown away`
	return load(ctx2)
}

func thrownAwayInPlace(ctx context.Context) {
	ctx2, _ := context.WithTimeout(ctx, time.Second) // want `the cancel function of context.WithTimeout is thrown away`
	if err := load(ctx2); err != nil {
		panic(err)
	}
}

func thrownAwayLater(ctx context.Context) error {
	ctx2, cancel := context.WithCancel(ctx) // want `the cancel function of context.WithCancel is never called`
	_ = cancel
	return load(ctx2)
}

func withCauseLost(ctx context.Context) error {
	ctx2, _ := context.WithCancelCause(ctx) // want `is thrown away`
	return load(ctx2)
}

func deadline(ctx context.Context) {
	ctx2, _ := context.WithDeadline(ctx, time.Now()) // want `is thrown away`
	go load(ctx2)
}

func signals(ctx context.Context) error {
	ctx2, _ := signal.NotifyContext(ctx, os.Interrupt) // want `the cancel function of signal.NotifyContext is thrown away`
	return load(ctx2)
}

func inLoop(ctx context.Context) {
	for range 3 {
		c, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel() // want `cancel is deferred in a loop`
		_ = load(c)
	}
}

func wrapped(ctx context.Context) {
	for range 3 {
		ctx = context.WithValue(ctx, holder{}, 1) // want `ctx is wrapped again in each round of the loop`
		_ = load(ctx)
	}
}

func tooEarly(ctx context.Context) error {
	c, cancel := context.WithCancel(ctx)
	cancel()
	return load(c) // want `c is used after its cancel function was called`
}

func longerThanParent(ctx context.Context) error {
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	long, cancelLong := context.WithTimeout(short, time.Minute) // want `a timeout of 1m0s has no effect: short ends after 1s`
	defer cancelLong()
	return load(long)
}

// What must not be found.

func deferred(ctx context.Context) error {
	c, cancel := context.WithCancel(ctx)
	defer cancel()
	return load(c)
}

func deferredInLiteral(ctx context.Context) {
	for range 3 {
		func() {
			c, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_ = load(c)
		}()
	}
}

func deferredAndLeft(ctx context.Context) error {
	for {
		c, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		return load(c)
	}
}

func eachRound(ctx context.Context) {
	for range 3 {
		ctx := context.WithValue(ctx, holder{}, 1)
		_ = load(ctx)
	}
}

func kept(ctx context.Context, h *holder) {
	h.ctx, h.cancel = context.WithCancel(ctx)
	c, cancel := context.WithCancel(ctx)
	h.ctx, h.cancel = c, cancel
}

func calledThenAnother(ctx context.Context) error {
	c, cancel := context.WithCancel(ctx)
	_ = load(c)
	cancel()
	c, cancel = context.WithCancel(ctx)
	defer cancel()
	return load(c)
}

func askedAfterCancel(ctx context.Context) error {
	c, cancel := context.WithCancel(ctx)
	cancel()
	return c.Err()
}

func shorter(ctx context.Context) error {
	long, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	short, cancelShort := context.WithTimeout(long, time.Second)
	defer cancelShort()
	return load(short)
}

func parentIsEnded(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	ctx, _ = context.WithTimeoutCause(ctx, time.Second, nil)
	defer cancel(nil)
	return load(ctx)
}

func eachValue(ctx context.Context, values map[string]int) {
	for k, v := range values {
		ctx = context.WithValue(ctx, k, v)
	}
	_ = load(ctx)
}

func logs(ctx context.Context) {
	c, cancel := context.WithCancel(ctx)
	cancel()
	log(c, "over")
}

func log(ctx context.Context, text string) {}

func helper(t *testing.T) {
	c, cancel := context.WithCancel(t.Context())
	cancel()
	_ = load(c) // want `c is used after its cancel function was called`
}

func (h *holder) stop() { h.cancel() }
