package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
)

// part is a component with what its supervisor knows of it.
type part struct {
	Component
	log      *slog.Logger
	failures *failures

	started  chan struct{} // closed when Start has returned
	startErr error         // to be read after started is closed
	stopping atomic.Bool   // from then on Run may return
	cancel   context.CancelFunc
	ended    chan struct{} // closed when Run has returned, or will never be called
	runErr   error         // to be read after ended is closed
}

func newPart(c Component, log *slog.Logger, f *failures) *part {
	return &part{Component: c, log: log, failures: f,
		started: make(chan struct{}), ended: make(chan struct{})}
}

// begin calls Start in a goroutine, which closes started, and after it Run. A
// Start that returns because startCtx has ended did as it was told; any other
// error is a failure.
func (p *part) begin(startCtx, runCtx context.Context) {
	runCtx, p.cancel = context.WithCancel(runCtx)
	p.spawn(startCtx, p.Start, func(err error) {
		defer close(p.started)
		if err != nil {
			p.startErr = fmt.Errorf("%s: start: %w", p.Name, err)
			if startCtx.Err() == nil || !errors.Is(err, startCtx.Err()) {
				p.failures.add(p.startErr)
			}
		}
		if err != nil || p.Run == nil {
			close(p.ended)
		} else {
			p.spawn(runCtx, p.Run, p.ran)
		}
	})
}

// ran takes the result of Run. Unless the component is being stopped, that it
// has one is a failure.
func (p *part) ran(err error) {
	defer close(p.ended)
	switch {
	case p.stopping.Load() && (err == nil || errors.Is(err, context.Canceled)):
	case p.stopping.Load():
		p.runErr = fmt.Errorf("%s: %w", p.Name, err)
	case err == nil:
		p.failures.add(fmt.Errorf("%s: ended before it was stopped", p.Name))
	default:
		p.failures.add(fmt.Errorf("%s: %w", p.Name, err))
	}
}

// stop ends the component and waits for its Run. It waits, too, for a Start that
// was given up, so that nothing is stopped half started. It may take longer than
// ctx allows; that is for the caller to watch.
func (p *part) stop(ctx context.Context) error {
	defer p.cancel()
	<-p.started
	if p.startErr != nil {
		return nil
	}
	p.stopping.Store(true)
	stopped := make(chan error, 1)
	p.spawn(ctx, p.Stop, func(err error) { stopped <- err })
	err := <-stopped
	if err != nil {
		err = fmt.Errorf("%s: stop: %w", p.Name, err)
	}
	p.cancel()
	<-p.ended
	return errors.Join(err, p.runErr)
}

// abandon tells the component's Run to end, with nobody waiting for it.
func (p *part) abandon() {
	p.stopping.Store(true)
	p.cancel()
}

func (p *part) spawn(ctx context.Context, fn func(context.Context) error, done func(error)) {
	spawn(ctx, p.log, p.Name, fn, done)
}
