package cancel

import (
	"context"
	"errors"
	"log"
	"sync"
	"time"

	"cancel/lib"
)

func load(ctx context.Context) error { return ctx.Err() }

func done() bool { return false }

// What has to be found.

func earlyReturn(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second) // want `the cancel function of context.WithTimeout is not called on the path to the return at line \d+`
	if done() {
		return errors.New("done")
	}
	err := load(ctx)
	cancel()
	return err
}

func oneCase(ctx context.Context, n int) error {
	ctx, cancel := context.WithCancelCause(ctx) // want `is not called on the path to the return`
	switch n {
	case 0:
		return load(ctx)
	case 1:
		cancel(errors.New("one"))
		return nil
	default:
		defer cancel(nil)
		return load(ctx)
	}
}

func closureOfNobody(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx) // want `the cancel function of context.WithCancel is never called`
	stop := func() { cancel() }
	_ = stop
	return load(ctx)
}

func givenToWhoIgnoresIt(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx) // want `is never called`
	lib.Ignores("x", cancel)
	return load(ctx)
}

func givenToBlank(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx) // want `is never called`
	lib.Blank(cancel)
	return load(ctx)
}

func causeGivenToBlank(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx) // want `is never called`
	lib.CauseIgnored(cancel)
	return load(ctx)
}

func madeAgain(ctx context.Context, n int) error {
	for range n {
		one, cancel := context.WithTimeout(ctx, time.Second) // want `is not called before the loop makes the next one`
		if err := load(one); err != nil {
			continue
		}
		cancel()
	}
	return nil
}

func outside(ctx context.Context, n int) error {
	var cancel context.CancelFunc
	var one context.Context
	for range n {
		one, cancel = context.WithTimeout(ctx, time.Second) // want `is not called before the loop makes the next one`
		if err := load(one); err != nil {
			cancel()
			return err
		}
	}
	if cancel != nil {
		cancel()
	}
	return nil
}

func replaced(ctx context.Context) error {
	first, cancel := context.WithTimeout(ctx, time.Second) // want `is not called before it is replaced at line \d+`
	if err := load(first); err == nil {
		cancel()
		return nil
	}
	second, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return load(second)
}

type conn struct{ stop func() }

func (c *conn) Close() { c.stop() }

func dial(ctx context.Context) (*conn, error) {
	life, cancel := context.WithCancel(context.WithoutCancel(ctx)) // want `is not called on the path to the return`
	if err := load(life); err != nil {
		return nil, err
	}
	return &conn{stop: cancel}, nil
}

func inLiteral(ctx context.Context) func() error {
	return func() error {
		one, cancel := context.WithTimeout(ctx, time.Second) // want `is not called on the path to the return`
		if done() {
			return nil
		}
		defer cancel()
		return load(one)
	}
}

func check(name string, stop func()) error { // want check:`ignores\[1\]`
	if stop == nil {
		return errors.New(name)
	}
	return nil
}

func forward(stop func()) { lib.Ignores("x", stop) } // want forward:`ignores\[0\]`

func compared(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second) // want `is never called`
	if err := check("x", cancel); err != nil {
		return err
	}
	return load(ctx)
}

func forwarded(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx) // want `is never called`
	forward(cancel)
	return load(ctx)
}

func deferredInLoop(ctx context.Context, in chan int) {
	for range in {
		one, cancel := context.WithTimeout(ctx, time.Second)
		defer func() { cancel() }() // want `cancel is deferred in a loop`
		_ = load(one)
	}
}

// What has not.

func returned(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	return ctx, cancel
}

func named(ctx context.Context) (child context.Context, cancel context.CancelFunc) {
	child, cancel = context.WithTimeout(ctx, time.Second)
	return
}

func deferredLater(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	log.Print("made")
	defer func() {
		log.Print("over")
		cancel()
	}()
	return load(ctx)
}

func inGoroutine(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		_ = load(ctx)
	}()
}

func bySignal(ctx context.Context, stop <-chan struct{}) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	_ = load(ctx)
}

func onlyIf(ctx context.Context, d time.Duration) error {
	var cancel context.CancelFunc
	if d > 0 {
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	return load(ctx)
}

func nilTest(ctx context.Context, d time.Duration) error {
	var cancel context.CancelFunc
	if d > 0 {
		ctx, cancel = context.WithTimeout(ctx, d)
	}
	err := load(ctx)
	if cancel != nil {
		cancel()
	}
	return err
}

func emptyFunction(ctx context.Context, d time.Duration) error {
	cancel := func() {}
	if d > 0 {
		ctx, cancel = context.WithTimeout(ctx, d)
	}
	defer cancel()
	return load(ctx)
}

func kept(ctx context.Context, list *[]func()) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	lib.Keeps(list, cancel)
	return ctx
}

func callee(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	err := load(ctx)
	lib.Calls(cancel)
	return err
}

func afterwards(ctx context.Context, parent context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(parent, cancel)
	defer stop()
	return load(ctx)
}

func onEach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	if err := load(ctx); err != nil {
		cancel()
		return err
	}
	cancel()
	return nil
}

func fatal(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	if done() {
		log.Fatal("done")
	}
	defer cancel()
	return load(ctx)
}

func each(ctx context.Context, n int) error {
	for range n {
		one, cancel := context.WithTimeout(ctx, time.Second)
		err := load(one)
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

// The child of a context that this function ends ends with it.
func child(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	one, stop := context.WithTimeout(ctx, time.Second)
	if done() {
		return nil
	}
	defer stop()
	return load(one)
}

func once(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	end := sync.OnceFunc(cancel)
	defer end()
	return load(ctx)
}

func stopLater(ctx context.Context) (func(), error) {
	ctx, cancel := context.WithCancel(ctx)
	stop := func() { cancel() }
	return stop, load(ctx)
}

func forEver(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	for {
		if load(ctx) != nil {
			cancel()
		}
	}
}
