package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"time"
)

// drain stops components in reverse order under one budget.
type drain struct {
	log     *slog.Logger
	budget  time.Duration
	signals <-chan os.Signal

	slowest   string
	took      time.Duration
	unstopped []string
	errs      []error
}

// DrainError tells that the budget was not enough.
type DrainError struct {
	// Budget is what was allowed.
	Budget time.Duration
	// Slowest names the component that took the longest, and Took its time.
	Slowest string
	Took    time.Duration
	// Unstopped names what was still running when its time was up, as COMPONENT
	// or COMPONENT/TASK, in the order of the stops.
	Unstopped []string
}

// Error names the slowest component and what was still running.
func (e *DrainError) Error() string {
	return fmt.Sprintf("stop: not done within %s: %s was the slowest with %s; cut off: %s",
		e.Budget, e.Slowest, e.Took.Round(time.Millisecond), strings.Join(e.Unstopped, ", "))
}

// ForcedError tells that a second signal ended the program.
type ForcedError struct {
	// Signal is that second signal.
	Signal os.Signal
	// Unstopped names the components that were not stopped, in the order in
	// which they would have been.
	Unstopped []string
}

// Error names the signal and what was still running.
func (e *ForcedError) Error() string {
	return fmt.Sprintf("stop: forced by a second signal (%s); cut off: %s",
		e.Signal, strings.Join(e.Unstopped, ", "))
}

// ExitCode maps the result of Run to that of a process: 0 for nil, 128 plus the
// signal's number for a *ForcedError, and 1 for every other error.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	if forced, ok := errors.AsType[*ForcedError](err); ok {
		if n, ok := forced.Signal.(syscall.Signal); ok {
			return 128 + int(n)
		}
	}
	return 1
}

// run stops the parts, the last one first. With a signal in forced it only cuts
// them off.
func (d *drain) run(ctx context.Context, parts []*part, forced os.Signal) error {
	begin := time.Now()
	for i := len(parts) - 1; i >= 0 && forced == nil; i-- {
		forced = d.one(ctx, parts[i], d.slot(begin, i, len(parts)))
		if forced == nil {
			parts = parts[:i]
		}
	}
	if forced != nil {
		err := &ForcedError{Signal: forced}
		for i := len(parts) - 1; i >= 0; i-- {
			parts[i].abandon()
			err.Unstopped = append(err.Unstopped, parts[i].Name)
		}
		d.log.Error("stop forced", "signal", forced.String(), "unstopped", err.Unstopped)
		return errors.Join(append(d.errs, err)...)
	}
	level, text := slog.LevelInfo, "stopped"
	if len(d.unstopped) > 0 {
		level, text = slog.LevelError, "stopped late"
		d.errs = append(d.errs, &DrainError{d.budget, d.slowest, d.took, d.unstopped})
	}
	d.log.Log(ctx, level, text, "took", time.Since(begin), "slowest", d.slowest,
		"slowest_took", d.took, "unstopped", d.unstopped)
	return errors.Join(d.errs...)
}

// slot is the time by which a component must have stopped when there are others
// to come: all of the budget but a twentieth for each of these, and never less
// than half of it. The component's context ends earlier by half of such a share,
// in which it can cut off what did not finish.
func (d *drain) slot(begin time.Time, others, all int) slot {
	share := min(d.budget/20, d.budget/time.Duration(2*all))
	hard := begin.Add(d.budget - time.Duration(others)*share)
	return slot{soft: hard.Add(-share / 2), hard: hard}
}

type slot struct{ soft, hard time.Time }

// one stops one component. It returns the signal that interrupted it, or nil.
func (d *drain) one(ctx context.Context, p *part, s slot) os.Signal {
	begin := time.Now()
	ctx, cancel := context.WithDeadline(ctx, s.soft)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- p.stop(ctx) }()
	limit := time.NewTimer(time.Until(s.hard))
	defer limit.Stop()

	var err error
	select {
	case err = <-done:
	case <-limit.C:
		err = context.DeadlineExceeded
		p.abandon()
	case sig := <-d.signals:
		return sig
	}

	took := time.Since(begin)
	if took > d.took || d.slowest == "" {
		d.slowest, d.took = p.Name, took
	}
	switch {
	case err == nil:
		d.log.Debug("component stopped", "component", p.Name, "took", took)
	case ctx.Err() != nil:
		d.log.Error("component not stopped in time", "component", p.Name, "took", took, "error", err)
		d.cutOff(p, err)
		if !errors.Is(err, context.DeadlineExceeded) { // it has more to tell
			d.errs = append(d.errs, err)
		}
	default:
		d.log.Error("component stopped with an error", "component", p.Name, "took", took, "error", err)
		d.errs = append(d.errs, err)
	}
	return nil
}

// cutOff notes what of a component was still running.
func (d *drain) cutOff(p *part, err error) {
	tasks, ok := errors.AsType[*tasksError](err)
	if !ok {
		d.unstopped = append(d.unstopped, p.Name)
		return
	}
	for _, name := range tasks.names {
		d.unstopped = append(d.unstopped, p.Name+"/"+name)
	}
}
