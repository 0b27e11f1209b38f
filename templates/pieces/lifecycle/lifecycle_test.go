package lifecycle_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/fractl/fractl/templates/pieces/lifecycle"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// journal notes what happened, in order.
type journal struct {
	mu     sync.Mutex
	events []string
}

func (j *journal) note(event string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, event)
}

func (j *journal) all() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.events)
}

func (j *journal) ready(is bool) {
	if is {
		j.note("ready")
	} else {
		j.note("not ready")
	}
}

// component notes its start and its stop.
func (j *journal) component(name string) lifecycle.Component {
	return lifecycle.Component{
		Name:  name,
		Start: func(context.Context) error { j.note("start " + name); return nil },
		Stop:  func(context.Context) error { j.note("stop " + name); return nil },
	}
}

// program is a supervisor whose signals, log and events are at hand.
type program struct {
	*lifecycle.Supervisor
	journal
	signals chan os.Signal
	log     bytes.Buffer // to be read after Run
}

func newProgram(o lifecycle.Options) *program {
	p := &program{signals: make(chan os.Signal, 2)}
	o.Signals, o.Ready = p.signals, p.ready
	o.Log = slog.New(slog.NewTextHandler(&p.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	p.Supervisor = lifecycle.New(o)
	return p
}

// run calls Run in the background, for a test that has something to do meanwhile.
func (p *program) run(ctx context.Context) (wait func() error) {
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	return func() error { return <-done }
}

func (p *program) wantEvents(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, p.all()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func untilDone(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

func TestStopsInReverseAfterTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProgram(lifecycle.Options{Wait: 5 * time.Second})
		p.Add(p.component("store"))
		web := p.component("web")
		web.Run = func(ctx context.Context) error {
			defer p.note("web ran")
			return untilDone(ctx)
		}
		p.Add(web)
		wait := p.run(t.Context())

		time.Sleep(time.Hour)
		p.wantEvents(t, "start store", "start web", "ready")
		p.signals <- syscall.SIGTERM
		synctest.Wait()
		p.wantEvents(t, "start store", "start web", "ready", "not ready")
		time.Sleep(5*time.Second - 1)
		synctest.Wait()
		p.wantEvents(t, "start store", "start web", "ready", "not ready")
		if err := wait(); err != nil {
			t.Errorf("Run: %v", err)
		}
		p.wantEvents(t, "start store", "start web", "ready", "not ready",
			"stop web", "web ran", "stop store")
	})
}

func TestEndOfContextStopsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		p := newProgram(lifecycle.Options{})
		store := p.component("store")
		store.Run = func(ctx context.Context) error {
			<-ctx.Done()
			p.note("store's context ended")
			return nil
		}
		p.Add(store)
		p.Add(p.component("web"))
		wait := p.run(ctx)
		synctest.Wait()
		cancel()
		if err := wait(); err != nil {
			t.Errorf("Run: %v", err)
		}
		// A context that ends all at once would end the store's Run before web.
		p.wantEvents(t, "start store", "start web", "ready", "not ready",
			"stop web", "stop store", "store's context ended")
	})
}

func TestStartFailureStopsWhatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProgram(lifecycle.Options{Wait: time.Hour})
		p.Add(p.component("telemetry"))
		p.Add(p.component("store"))
		cause := errors.New("address in use")
		p.Add(lifecycle.Component{
			Name:  "web",
			Start: func(context.Context) error { return cause },
			Run:   func(context.Context) error { t.Error("Run of a component that did not start"); return nil },
			Stop:  func(context.Context) error { t.Error("Stop of a component that did not start"); return nil },
		})
		p.Add(p.component("never"))

		err := p.Run(t.Context())
		if !errors.Is(err, cause) || err.Error() != "web: start: address in use" {
			t.Errorf("Run: %v", err)
		}
		if code := lifecycle.ExitCode(err); code != 1 {
			t.Errorf("exit code %d, want 1", code)
		}
		// It was never ready, so nothing is told so and nothing waits.
		p.wantEvents(t, "start telemetry", "start store", "stop store", "stop telemetry")
	})
}

func TestStartTimeoutNamesTheComponent(t *testing.T) {
	for name, start := range map[string]func(context.Context) error{
		"obeys":   untilDone,
		"ignores": func(context.Context) error { time.Sleep(3 * time.Second); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProgram(lifecycle.Options{Start: 2 * time.Second})
				p.Add(p.component("telemetry"))
				p.Add(lifecycle.Component{Name: "store", Start: start})
				err := p.Run(t.Context())
				if err == nil || err.Error() != "store: start: not done within 2s" {
					t.Errorf("Run: %v", err)
				}
				p.wantEvents(t, "start telemetry", "stop telemetry")
			})
		})
	}
}

func TestSignalDuringStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProgram(lifecycle.Options{})
		p.Add(p.component("telemetry"))
		p.Add(lifecycle.Component{Name: "store", Start: untilDone})
		wait := p.run(t.Context())
		synctest.Wait()
		p.signals <- syscall.SIGTERM
		if err := wait(); err != nil {
			t.Errorf("Run: %v, want nil: it was asked to end", err)
		}
		p.wantEvents(t, "start telemetry", "stop telemetry")
	})
}

func TestSignalDuringStartThatSucceedsAfterAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProgram(lifecycle.Options{})
		store := p.component("store")
		store.Start = func(context.Context) error { time.Sleep(time.Second); p.note("started late"); return nil }
		p.Add(store)
		wait := p.run(t.Context())
		synctest.Wait()
		p.signals <- syscall.SIGTERM
		if err := wait(); err != nil {
			t.Errorf("Run: %v", err)
		}
		p.wantEvents(t, "started late", "stop store")
	})
}

func TestRunThatEndsEarlyStopsTheProgram(t *testing.T) {
	cause := errors.New("connection lost")
	for name, c := range map[string]struct {
		run  func(context.Context) error
		want string
	}{
		"error":  {func(context.Context) error { return cause }, "bus: connection lost"},
		"nil":    {func(context.Context) error { return nil }, "bus: ended before it was stopped"},
		"panic":  {func(context.Context) error { panic("boom") }, "bus: panic: boom"},
		"goexit": {func(context.Context) error { runtime.Goexit(); return nil }, "bus: goroutine ended by runtime.Goexit"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProgram(lifecycle.Options{Wait: time.Second})
				p.Add(p.component("store"))
				p.Add(lifecycle.Component{Name: "bus", Run: func(ctx context.Context) error {
					time.Sleep(time.Minute)
					return c.run(ctx)
				}})
				p.Add(p.component("web"))
				err := p.Run(t.Context())
				if err == nil || err.Error() != c.want {
					t.Errorf("Run: %v, want %s", err, c.want)
				}
				p.wantEvents(t, "start store", "start web", "ready", "not ready", "stop web", "stop store")
				if name == "panic" && !strings.Contains(p.log.String(), "lifecycle_test.go") {
					t.Errorf("the log has no stack of the panic:\n%s", &p.log)
				}
			})
		})
	}
}

func TestPanicsInStartAndStopAreErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProgram(lifecycle.Options{})
		p.Add(lifecycle.Component{Name: "store", Stop: func(context.Context) error { panic("closed twice") }})
		p.Add(lifecycle.Component{Name: "web", Start: func(context.Context) error { panic("no routes") }})
		err := p.Run(t.Context())
		want := "web: start: panic: no routes\nstore: stop: panic: closed twice"
		if err == nil || err.Error() != want {
			t.Errorf("Run: %v, want %s", err, want)
		}
	})
}

// The source of most lost data at shutdown: one component that hangs must not
// take the time in which the others close.
func TestBudgetIsSharedAndTheSlowestNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProgram(lifecycle.Options{Budget: 20 * time.Second})
		var given []time.Duration
		closes := func(name string, takes time.Duration) lifecycle.Component {
			return lifecycle.Component{Name: name, Stop: func(ctx context.Context) error {
				deadline, _ := ctx.Deadline()
				given = append(given, time.Until(deadline))
				select {
				case <-time.After(takes):
					p.note(name + " closed")
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			}}
		}
		p.Add(closes("telemetry", 500*time.Millisecond))
		p.Add(closes("store", 500*time.Millisecond))
		hung := make(chan struct{})
		p.Add(lifecycle.Component{Name: "web", Stop: func(context.Context) error { <-hung; return nil }})
		p.Add(closes("admin", time.Second))
		wait := p.run(t.Context())
		synctest.Wait()
		begin := time.Now()
		p.signals <- syscall.SIGTERM
		err := wait()

		if took := time.Since(begin); took > 20*time.Second {
			t.Errorf("stopping took %s, more than the budget", took)
		}
		drain, ok := errors.AsType[*lifecycle.DrainError](err)
		if !ok {
			t.Fatalf("Run: %v, want a DrainError", err)
		}
		want := &lifecycle.DrainError{Budget: 20 * time.Second, Slowest: "web", Took: 17 * time.Second, Unstopped: []string{"web"}}
		if diff := cmp.Diff(want, drain); diff != "" {
			t.Errorf("DrainError (-want +got):\n%s", diff)
		}
		const text = "stop: not done within 20s: web was the slowest with 17s; cut off: web"
		if err.Error() != text {
			t.Errorf("error text %q, want %q", err, text)
		}
		p.wantEvents(t, "ready", "not ready", "admin closed", "store closed", "telemetry closed")
		// Each has all of the budget but a second for each one after it, and half
		// a second for cutting off.
		if diff := cmp.Diff([]time.Duration{16500 * time.Millisecond, 500 * time.Millisecond, time.Second}, given); diff != "" {
			t.Errorf("time given (-want +got):\n%s", diff)
		}
		if !strings.Contains(p.log.String(), "slowest=web") {
			t.Errorf("the log does not name the slowest component:\n%s", &p.log)
		}
		close(hung)
	})
}

func TestStopThatTellsWhatItCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProgram(lifecycle.Options{Budget: time.Second})
		cause := errors.New("3 requests cut off")
		p.Add(lifecycle.Component{Name: "web", Stop: func(ctx context.Context) error { <-ctx.Done(); return cause }})
		wait := p.run(t.Context())
		synctest.Wait()
		p.signals <- syscall.SIGTERM
		err := wait()
		drain, ok := errors.AsType[*lifecycle.DrainError](err)
		if !ok || drain.Slowest != "web" || !errors.Is(err, cause) {
			t.Errorf("Run: %v, want a DrainError that names web, and its own error", err)
		}
	})
}

func TestStopErrorIsReportedAndTheRestGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProgram(lifecycle.Options{})
		p.Add(p.component("store"))
		cause := errors.New("disk full")
		p.Add(lifecycle.Component{Name: "cache", Stop: func(context.Context) error { return cause }})
		wait := p.run(t.Context())
		synctest.Wait()
		p.signals <- os.Interrupt
		err := wait()
		if !errors.Is(err, cause) || err.Error() != "cache: stop: disk full" {
			t.Errorf("Run: %v", err)
		}
		p.wantEvents(t, "start store", "ready", "not ready", "stop store")
	})
}

func TestSecondSignalForces(t *testing.T) {
	for name, c := range map[string]struct {
		opts    lifecycle.Options
		between time.Duration
		want    []string
	}{
		"while waiting":  {lifecycle.Options{Wait: time.Minute}, time.Second, []string{"web", "background", "store"}},
		"while stopping": {lifecycle.Options{}, time.Second, []string{"web", "background", "store"}},
		"at once":        {lifecycle.Options{Wait: time.Minute}, 0, []string{"web", "background", "store"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProgram(c.opts)
				p.Add(p.component("store"))
				tasks := p.Tasks("background")
				tasks.Go("loop", untilDone)
				p.Add(lifecycle.Component{Name: "web", Stop: untilDone})
				wait := p.run(t.Context())
				time.Sleep(time.Second)
				begin := time.Now()
				p.signals <- syscall.SIGTERM
				time.Sleep(c.between)
				p.signals <- syscall.SIGINT
				err := wait()
				if took := time.Since(begin); took != c.between {
					t.Errorf("forced end after %s, want %s", took, c.between)
				}
				forced, ok := errors.AsType[*lifecycle.ForcedError](err)
				if !ok {
					t.Fatalf("Run: %v, want a ForcedError", err)
				}
				if diff := cmp.Diff(c.want, forced.Unstopped); diff != "" {
					t.Errorf("unstopped (-want +got):\n%s", diff)
				}
				if code := lifecycle.ExitCode(err); code != 130 {
					t.Errorf("exit code %d, want 130", code)
				}
				if slices.Contains(p.all(), "stop store") {
					t.Error("the store was stopped after the second signal")
				}
			})
		})
	}
}

func TestSignalsOfTheProcess(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a Windows process cannot signal itself")
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	s := lifecycle.New(lifecycle.Options{
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Ready: func(ready bool) {
			if ready {
				if err := self.Signal(syscall.SIGTERM); err != nil {
					t.Error(err)
				}
			}
		},
	})
	s.Add(lifecycle.Component{Name: "web", Run: untilDone})
	if err := s.Run(t.Context()); err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestExitCode(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("x"), 1},
		{&lifecycle.DrainError{}, 1},
		{&lifecycle.ForcedError{Signal: syscall.SIGTERM}, 143},
		{errors.Join(errors.New("x"), &lifecycle.ForcedError{Signal: os.Interrupt}), 130},
	} {
		if got := lifecycle.ExitCode(c.err); got != c.want {
			t.Errorf("ExitCode(%v) = %d, want %d", c.err, got, c.want)
		}
	}
}
