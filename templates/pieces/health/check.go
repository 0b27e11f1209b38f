package health

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"
)

// Level says what a failing check means.
type Level int

const (
	// Critical: without it the program cannot serve, /readyz answers 503.
	Critical Level = iota
	// Degraded: the program serves less well; /readyz says so and stays 200.
	Degraded
)

// String is the level in one word.
func (l Level) String() string {
	if l == Degraded {
		return "degraded"
	}
	return "critical"
}

// Check asks one dependency whether it works. It is run in the background, one
// run at a time, and probes only read its last result: however often they come,
// the dependency is asked no more often.
type Check struct {
	// Name is unique, for example "store".
	Name string
	// Level is what a failure means.
	Level Level
	// Interval is the time between runs, and Timeout the longest that one may
	// take before it counts as failed; 0 means that of the settings.
	Interval, Timeout time.Duration
	// Run returns nil if the dependency works. Its context ends at the timeout.
	Run func(ctx context.Context) error
}

// watch is a check and its last result.
type watch struct {
	Check
	log     *slog.Logger
	metrics *metrics
	last    atomic.Pointer[result]
}

// result is that of one run.
type result struct {
	at   time.Time
	took time.Duration
	err  error
}

// errTimeout is the result of a run that was not over in time.
var errTimeout = errors.New("timed out")

// good tells whether the last run found that all is well. Before the first one
// is over, nobody knows, which is not good.
func (w *watch) good() bool {
	last := w.last.Load()
	return last != nil && last.err == nil
}

// keep runs the check until ctx ends: at once, and then in intervals.
func (w *watch) keep(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if !w.once(ctx) {
			return
		}
		timer.Reset(w.Interval)
	}
}

// once runs the check. A run that does not heed the end of its context counts
// as failed at once, and is waited for before the next one: a dependency that
// hangs is not asked a second time. It returns false once ctx has ended.
func (w *watch) once(ctx context.Context) bool {
	start := time.Now()
	limited, cancel := context.WithTimeout(ctx, w.Timeout)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- w.protected(limited) }()
	select {
	case err := <-done:
		if limited.Err() != nil && err != nil {
			err = errTimeout
		}
		if ctx.Err() != nil {
			return false
		}
		w.record(ctx, result{at: start, took: time.Since(start), err: err})
		return true
	case <-limited.Done():
	}
	if ctx.Err() != nil {
		return false
	}
	w.record(ctx, result{at: start, took: time.Since(start), err: errTimeout})
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

// protected turns a panic of the check into its failure.
func (w *watch) protected(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return w.Run(ctx)
}

// record keeps a result, and logs where it differs from the one before. The log
// is the only place where the text of the error goes: it may tell too much.
func (w *watch) record(ctx context.Context, now result) {
	before := w.last.Swap(&now)
	w.metrics.observe(w.Name, now)
	was := before == nil || before.err == nil
	switch {
	case was && now.err != nil:
		w.log.WarnContext(ctx, "check fails", "check", w.Name, "level", w.Level.String(), "error", now.err)
	case !was && now.err == nil:
		w.log.InfoContext(ctx, "check is good again", "check", w.Name, "level", w.Level.String())
	}
}
