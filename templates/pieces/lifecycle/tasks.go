package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
)

// Tasks is a set of supervised goroutines. It is safe for concurrent use.
type Tasks struct {
	name     string
	log      *slog.Logger
	failures *failures
	ctx      context.Context // of the tasks; it ends when the stop begins
	cancel   context.CancelFunc

	mu      sync.Mutex
	state   tasksState
	held    []*task // until the start
	running map[*task]struct{}
	idle    chan struct{} // closed when the stop has begun and nothing is running
}

type tasksState int

const (
	tasksHeld tasksState = iota
	tasksRunning
	tasksStopping
)

type task struct {
	name string
	fn   func(ctx context.Context) error
}

func newTasks(name string, log *slog.Logger, f *failures) *Tasks {
	ctx, cancel := context.WithCancel(context.Background())
	return &Tasks{name: name, log: log, failures: f, ctx: ctx, cancel: cancel,
		running: make(map[*task]struct{}), idle: make(chan struct{})}
}

// Go runs fn in a goroutine of its own. Its context ends when the tasks are
// stopped, and the stop then waits for fn to return. An error or a panic is
// logged (the panic with its stack) and stops the whole program in order; a
// return of nil just ends the task. Tasks given before the start begin with it;
// once the stop has begun, a further task is refused with a line in the log.
func (t *Tasks) Go(name string, fn func(ctx context.Context) error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := &task{name, fn}
	switch t.state {
	case tasksHeld:
		t.held = append(t.held, k)
	case tasksRunning:
		t.launch(k)
	default:
		t.log.Warn("task refused: the program is stopping", "component", t.name, "task", name)
	}
}

// launch is called with mu held.
func (t *Tasks) launch(k *task) {
	t.running[k] = struct{}{}
	name := t.name + "/" + k.name
	spawn(t.ctx, t.log, name, k.fn, func(err error) {
		if err != nil && (t.ctx.Err() == nil || !errors.Is(err, context.Canceled)) {
			t.failures.add(fmt.Errorf("%s: %w", name, err))
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.running, k)
		t.settle()
	})
}

// settle is called with mu held.
func (t *Tasks) settle() {
	if t.state == tasksStopping && len(t.running) == 0 {
		close(t.idle)
	}
}

func (t *Tasks) start(context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.state = tasksRunning
	for _, k := range t.held {
		t.launch(k)
	}
	t.held = nil
	return nil
}

// run ends the tasks where a second signal has left no time to stop them.
func (t *Tasks) run(ctx context.Context) error {
	<-ctx.Done()
	t.cancel()
	return nil
}

// stop returns a *tasksError if ctx ends before the tasks do.
func (t *Tasks) stop(ctx context.Context) error {
	t.cancel()
	t.mu.Lock()
	t.state = tasksStopping
	t.settle()
	t.mu.Unlock()
	select {
	case <-t.idle:
		return nil
	case <-ctx.Done():
		return &tasksError{t.names(), ctx.Err()}
	}
}

// names are those of the running tasks, sorted, a name once for each task.
func (t *Tasks) names() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var names []string
	for k := range t.running {
		names = append(names, k.name)
	}
	slices.Sort(names)
	return names
}

// tasksError names the tasks that did not end.
type tasksError struct {
	names []string
	err   error
}

func (e *tasksError) Error() string { return "still running: " + strings.Join(e.names, ", ") }
func (e *tasksError) Unwrap() error { return e.err }
