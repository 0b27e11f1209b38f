// Package lifecycle starts the components of a program in order and stops them
// in reverse under one budget of time.
//
// The end of a program runs like this: a signal (or a component that fails)
// makes it not ready; it waits for load balancers to notice; then each component
// is stopped in the reverse order of its start, so that what accepts work stops
// before what the work needs. A second signal gives up at once.
package lifecycle

import (
	"context"
	"log/slog"
	"os"
	"time"
)

// Component is a part of the program that has to be started, kept running, or
// stopped. Every function may be nil.
type Component struct {
	// Name names it in logs and errors.
	Name string
	// Start makes it ready for use and returns. Its context ends when the start
	// is given up and must not be kept for afterwards.
	Start func(ctx context.Context) error
	// Run does the component's work after Start until it is stopped: its
	// context ends once Stop has returned. If it returns before the component
	// is stopped, with an error or without, the whole program is stopped.
	Run func(ctx context.Context) error
	// Stop ends the component; work in progress may be finished until ctx ends.
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

// Supervisor runs components. Add them all, then call Run once.
type Supervisor struct{}

// New returns a supervisor without components.
func New(o Options) *Supervisor { panic("follows") }

// Add appends a component: it starts after those added before and stops before
// them.
func (s *Supervisor) Add(c Component) { panic("follows") }

// Tasks appends a component that is made of goroutines, and returns it. They
// end after the components that are added later, and before those added earlier
// are stopped, so that a task may use these until it ends.
func (s *Supervisor) Tasks(name string) *Tasks { panic("follows") }

// Run starts the components and returns after they have been stopped, because
// of a signal, the end of ctx, or a failure. The error is nil after an orderly
// end; otherwise it joins the failure that ended the program with those of the
// stops. It may be a *ForcedError or hold a *DrainError.
func (s *Supervisor) Run(ctx context.Context) error { panic("follows") }

// Tasks is a set of supervised goroutines. It is safe for concurrent use.
type Tasks struct{}

// Go runs fn in a goroutine of its own. Its context ends when the tasks are
// stopped, and the stop then waits for fn to return. An error or a panic is
// logged (the panic with its stack) and stops the whole program in order; a
// return of nil just ends the task. Tasks given before Run start with it; once
// the stop has begun, a further task is refused with a line in the log.
func (t *Tasks) Go(name string, fn func(ctx context.Context) error) { panic("follows") }

// DrainError tells that the budget was not enough.
type DrainError struct {
	// Budget is what was allowed.
	Budget time.Duration
	// Slowest names the component that took the longest, and Took its time.
	Slowest string
	Took    time.Duration
	// Unstopped names what was still running, as COMPONENT or COMPONENT/TASK,
	// in the order of the stops.
	Unstopped []string
}

// Error names the slowest component and what was still running.
func (e *DrainError) Error() string { panic("follows") }

// ForcedError tells that a second signal ended the program.
type ForcedError struct {
	// Signal is that second signal.
	Signal os.Signal
	// Unstopped is that of DrainError.
	Unstopped []string
}

// Error names the signal and what was still running.
func (e *ForcedError) Error() string { panic("follows") }

// ExitCode maps the result of Run to that of a process: 0 for nil, 128 plus the
// signal's number for a *ForcedError, and 1 for every other error.
func ExitCode(err error) int { panic("follows") }
