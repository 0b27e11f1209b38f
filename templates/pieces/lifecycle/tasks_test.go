package lifecycle_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fractl/fractl/templates/pieces/lifecycle"
)

func TestTasksEndBetweenTheirNeighbours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProgram(lifecycle.Options{})
		p.Add(p.component("store"))
		tasks := p.Tasks("background")
		tasks.Go("early", func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			p.note("early ends")
			return ctx.Err()
		})
		web := p.component("web")
		web.Stop = func(context.Context) error {
			// A request that is still in progress may start a task.
			tasks.Go("late", func(context.Context) error { p.note("late runs"); return nil })
			synctest.Wait()
			p.note("stop web")
			return nil
		}
		p.Add(web)
		wait := p.run(t.Context())
		synctest.Wait()
		p.signals <- syscall.SIGTERM
		if err := wait(); err != nil {
			t.Errorf("Run: %v", err)
		}
		p.wantEvents(t, "start store", "start web", "ready", "not ready",
			"late runs", "stop web", "early ends", "stop store")
		tasks.Go("refused", func(context.Context) error { t.Error("a task ran after the stop"); return nil })
		if !strings.Contains(p.log.String(), "task=refused") {
			t.Errorf("the refusal is not in the log:\n%s", &p.log)
		}
	})
}

func TestTaskFailureStopsTheProgram(t *testing.T) {
	for name, c := range map[string]struct {
		fn   func(context.Context) error
		want string
	}{
		"error": {func(context.Context) error { return errors.New("no queue") }, "background/mailer: no queue"},
		"panic": {func(context.Context) error { panic("nil map") }, "background/mailer: panic: nil map"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProgram(lifecycle.Options{})
				tasks := p.Tasks("background")
				tasks.Go("done", func(context.Context) error { return nil })
				p.Add(p.component("web"))
				wait := p.run(t.Context())
				time.Sleep(time.Second)
				tasks.Go("mailer", c.fn)
				if err := wait(); err == nil || err.Error() != c.want {
					t.Errorf("Run: %v, want %s", err, c.want)
				}
				p.wantEvents(t, "start web", "ready", "not ready", "stop web")
			})
		})
	}
}

func TestTaskThatDoesNotEndIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProgram(lifecycle.Options{Budget: time.Second})
		p.Add(p.component("store"))
		tasks := p.Tasks("background")
		hung := make(chan struct{})
		for _, name := range []string{"mailer", "indexer", "mailer"} {
			tasks.Go(name, func(context.Context) error { <-hung; return nil })
		}
		tasks.Go("obedient", untilDone)
		wait := p.run(t.Context())
		synctest.Wait()
		p.signals <- syscall.SIGTERM
		drain, ok := errors.AsType[*lifecycle.DrainError](wait())
		if !ok {
			t.Fatal("want a DrainError")
		}
		want := []string{"background/indexer", "background/mailer", "background/mailer"}
		if diff := cmp.Diff(want, drain.Unstopped); diff != "" {
			t.Errorf("unstopped (-want +got):\n%s", diff)
		}
		p.wantEvents(t, "start store", "ready", "not ready", "stop store")
		close(hung)
	})
}

// The order must not depend on which of many goroutines is quicker.
func TestTasksFromManyGoroutines(t *testing.T) {
	p := newProgram(lifecycle.Options{})
	tasks := p.Tasks("background")
	var ran sync.WaitGroup
	ran.Add(1000)
	wait := p.run(t.Context())
	for range 10 {
		go func() {
			for range 100 {
				tasks.Go("job", func(context.Context) error { ran.Done(); return nil })
			}
		}()
	}
	ran.Wait()
	p.signals <- syscall.SIGTERM
	if err := wait(); err != nil {
		t.Errorf("Run: %v", err)
	}
}

func BenchmarkTask(b *testing.B) {
	signals := make(chan os.Signal, 1)
	s := lifecycle.New(lifecycle.Options{Log: slog.New(slog.DiscardHandler), Signals: signals})
	tasks := s.Tasks("background")
	done := make(chan error, 1)
	go func() { done <- s.Run(b.Context()) }()
	ended := make(chan struct{})
	b.ReportAllocs()
	for b.Loop() {
		tasks.Go("job", func(context.Context) error { ended <- struct{}{}; return nil })
		<-ended
	}
	signals <- syscall.SIGTERM
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}
