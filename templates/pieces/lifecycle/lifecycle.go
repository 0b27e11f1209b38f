// Package lifecycle starts the components of a program in order and stops them
// in reverse under one budget of time.
//
// The end of a program runs like this: a signal (or a component that fails)
// makes it not ready; it waits for load balancers to notice; then each component
// is stopped in the reverse order of its start, so that what accepts work stops
// before what the work needs. A second signal gives up at once.
package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Supervisor runs components. Add them all, then call Run, once.
type Supervisor struct {
	opts     Options
	parts    []*part
	failures *failures
}

// Component is a part of the program that has to be started, kept running, or
// stopped. Every function may be nil. A panic in one of them is an error.
type Component struct {
	// Name names it in logs and errors.
	Name string
	// Start makes it ready for use and returns. Its context ends when the start
	// is given up and must not be kept for afterwards. A Start that fails
	// cleans up after itself: the component is not stopped.
	Start func(ctx context.Context) error
	// Run does the component's work after Start until it is stopped: its
	// context ends once Stop has returned. If it returns before the component
	// is stopped, with an error or without, the whole program is stopped.
	Run func(ctx context.Context) error
	// Stop ends the component; work in progress may be finished until ctx ends,
	// and shortly after that is cut off.
	Stop func(ctx context.Context) error
}

// Options are the terms of a supervisor.
type Options struct {
	// Log is the logger; nil means slog.Default.
	Log *slog.Logger
	// Start is the longest time that all starts together may take; 0 means one
	// minute.
	Start time.Duration
	// Wait is how long the program keeps serving after it has become not ready,
	// so that load balancers notice; 0 means not at all.
	Wait time.Duration
	// Budget is the longest time that all stops together may take, not counting
	// Wait; 0 means 20 seconds. Components still to be stopped keep a share of
	// it, so that a slow one cannot take the time in which the others close.
	Budget time.Duration
	// Ready is told true after all components have started and false before the
	// first is stopped; nil means that nobody listens.
	Ready func(ready bool)
	// Signals delivers the signals that end the program; nil means SIGINT and
	// SIGTERM of the process.
	Signals <-chan os.Signal
}

// New returns a supervisor without components.
func New(o Options) *Supervisor {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Ready == nil {
		o.Ready = func(bool) {}
	}
	o.Start = cmp.Or(o.Start, time.Minute)
	o.Budget = cmp.Or(o.Budget, 20*time.Second)
	return &Supervisor{opts: o, failures: newFailures(o.Log)}
}

// Add appends a component: it starts after those added before and stops before
// them.
func (s *Supervisor) Add(c Component) {
	s.parts = append(s.parts, newPart(c, s.opts.Log, s.failures))
}

// Tasks appends a component that is made of goroutines, and returns it. They
// end after the components that are added later, and before those added earlier
// are stopped, so that a task may use these until it ends.
func (s *Supervisor) Tasks(name string) *Tasks {
	t := newTasks(name, s.opts.Log, s.failures)
	s.Add(Component{Name: name, Start: t.start, Run: t.run, Stop: t.stop})
	return t
}

// Run starts the components and returns after they have been stopped, because
// of a signal, the end of ctx, or a failure. The error is nil after an orderly
// end; otherwise it joins the failures that ended the program with those of the
// stops, and holds a *DrainError where the budget was not enough or a
// *ForcedError after a second signal.
func (s *Supervisor) Run(ctx context.Context) error {
	signals := s.opts.Signals
	if signals == nil {
		c := make(chan os.Signal, 2)
		signal.Notify(c, os.Interrupt, syscall.SIGTERM)
		defer signal.Stop(c)
		signals = c
	}

	var forced os.Signal
	parts, ok := s.start(ctx, signals)
	if ok {
		s.opts.Ready(true)
		s.await(ctx, signals)
		s.opts.Ready(false)
		forced = s.linger(signals)
	}
	d := drain{log: s.opts.Log, budget: s.opts.Budget, signals: signals}
	err := d.run(context.WithoutCancel(ctx), parts, forced)
	return errors.Join(s.failures.joined(), err)
}

// start starts the components in order. It returns those that were begun, and
// whether all of them are up; if not, the reason is a failure, which has been
// recorded, or a signal or the end of ctx, which are none.
func (s *Supervisor) start(ctx context.Context, signals <-chan os.Signal) (begun []*part, ok bool) {
	log, begin := s.opts.Log, time.Now()
	startCtx, cancel := context.WithTimeout(ctx, s.opts.Start)
	defer cancel()

	for i, p := range s.parts {
		// What runs outlives ctx: it is to end in order, not all at once.
		p.begin(startCtx, context.WithoutCancel(ctx))
		var sig os.Signal
		select {
		case <-p.started:
			if p.startErr == nil {
				log.Debug("component started", "component", p.Name)
				continue
			}
		case <-startCtx.Done():
		case sig = <-signals:
		case <-s.failures.first:
		}

		reason := "failure"
		switch {
		case sig != nil:
			reason = sig.String()
		case ctx.Err() != nil:
			reason = context.Cause(ctx).Error()
		case startCtx.Err() != nil:
			s.failures.add(fmt.Errorf("%s: start: not done within %s", p.Name, s.opts.Start))
		}
		log.Info("start given up", "component", p.Name, "reason", reason)
		return s.parts[:i+1], false
	}
	log.Info("started", "components", len(s.parts), "took", time.Since(begin))
	return s.parts, true
}

// await blocks until there is a reason to stop.
func (s *Supervisor) await(ctx context.Context, signals <-chan os.Signal) {
	var reason string
	select {
	case sig := <-signals:
		reason = sig.String()
	case <-ctx.Done():
		reason = context.Cause(ctx).Error()
	case <-s.failures.first:
		reason = "failure"
	}
	s.opts.Log.Info("stopping", "reason", reason, "wait", s.opts.Wait, "budget", s.opts.Budget)
}

// linger lets the program serve on for the waiting time. It returns the signal
// that cut it short, or nil.
func (s *Supervisor) linger(signals <-chan os.Signal) os.Signal {
	if s.opts.Wait <= 0 {
		return nil
	}
	t := time.NewTimer(s.opts.Wait)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case sig := <-signals:
		return sig
	}
}
