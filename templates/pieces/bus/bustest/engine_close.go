package bustest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/fractl/fractl/templates/pieces/bus"
)

func closeDrains(t *testing.T, p Place) {
	b := open(t, p, bus.Options{})
	var r record
	subscribe(t, b, "one", func(ctx context.Context, d bus.Delivery) error {
		time.Sleep(time.Millisecond)
		return r.handler(ctx, d)
	}, bus.GroupOptions{})
	want := events("e", 100, 0)
	publish(t, b, want...)
	undelivered := closeBus(t, b, limit)
	if err := b.Publish(t.Context(), event("late", "")); !errors.Is(err, bus.ErrClosed) {
		t.Errorf("publish after close = %v", err)
	}
	if err := b.Subscribe("late", r.handler, bus.GroupOptions{}); !errors.Is(err, bus.ErrClosed) {
		t.Errorf("subscribe after close = %v", err)
	}
	if undelivered != 0 {
		t.Errorf("%d undelivered", undelivered)
	}
	if p.Durable {
		again := open(t, p, bus.Options{})
		subscribe(t, again, "one", r.handler, bus.GroupOptions{})
		eventually(t, "the rest comes to the next one", func() bool { return r.len() >= len(want) })
	}
	if err := r.once(want); err != nil {
		t.Error(err)
	}
}

func closeEndsHandlers(t *testing.T, p Place) {
	b := open(t, p, bus.Options{})
	begun, ended := make(chan struct{}, 1), make(chan error, 1)
	subscribe(t, b, "one", func(ctx context.Context, _ bus.Delivery) error {
		begun <- struct{}{}
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return ctx.Err()
	}, bus.GroupOptions{Concurrency: 1})
	publish(t, b, event("e", ""))
	<-begun
	begin := time.Now()
	undelivered := closeBus(t, b, 100*time.Millisecond)
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("close took %s", took)
	}
	select {
	case err := <-ended:
		if !errors.Is(err, bus.ErrClosed) {
			t.Errorf("the cause is %v", err)
		}
	case <-time.After(limit):
		t.Fatal("the handler's context does not end")
	}
	if !p.Durable && undelivered != 1 {
		t.Errorf("%d undelivered, want 1", undelivered)
	}
}

// Each event of a publisher that was told nil is handled, or counted, or still
// with the engine; none is both refused and handled.
func publishersMeetClose(t *testing.T, p Place) {
	b := open(t, p, bus.Options{})
	var r record
	subscribe(t, b, "one", r.handler, bus.GroupOptions{Queue: 8, Concurrency: 2})
	var mu sync.Mutex
	var accepted []bus.Event
	var publishers sync.WaitGroup
	for n := range 4 {
		publishers.Go(func() {
			for i := 0; ; i++ {
				e := event(fmt.Sprintf("p%d-%d", n, i), "")
				switch err := b.Publish(context.Background(), e); {
				case err == nil:
					mu.Lock()
					accepted = append(accepted, e)
					mu.Unlock()
				case errors.Is(err, bus.ErrClosed):
					return
				default:
					if !p.Durable {
						t.Errorf("publish: %v", err)
					}
					return // the engine was closed in the middle of it
				}
			}
		})
	}
	eventually(t, "events flow", func() bool { return r.len() > 50 })
	undelivered := closeBus(t, b, limit)
	publishers.Wait()
	if undelivered != 0 {
		t.Errorf("%d undelivered after a drain without limit", undelivered)
	}
	if p.Durable {
		again := open(t, p, bus.Options{})
		subscribe(t, again, "one", r.handler, bus.GroupOptions{})
		eventually(t, "the rest comes to the next one", func() bool { return r.len() >= len(accepted) })
		return // what an engine took without a word is handled, too
	}
	if err := r.once(accepted); err != nil {
		t.Error(err)
	}
}

func processesShareAGroup(t *testing.T, p Place) {
	if !p.Durable {
		t.Skip("memory is not shared")
	}
	first, second := open(t, p, bus.Options{}), open(t, p, bus.Options{})
	var one, two, all record
	for b, r := range map[*bus.Bus]*record{first: &one, second: &two} {
		subscribe(t, b, "shared", func(ctx context.Context, d bus.Delivery) error {
			time.Sleep(time.Millisecond)
			r.add(d)
			return all.handler(ctx, d)
		}, bus.GroupOptions{Queue: 4, Concurrency: 2})
	}
	want := events("e", 200, 0)
	publish(t, first, want...)
	eventually(t, "all are handled", func() bool { return all.len() >= len(want) })
	if err := all.once(want); err != nil {
		t.Error(err)
	}
	if one.len() == 0 || two.len() == 0 {
		t.Errorf("one process has handled %d, the other %d", one.len(), two.len())
	}
}

// whatIsLeftComesAgain closes a bus that has events in hand and in its queue.
func whatIsLeftComesAgain(t *testing.T, p Place) {
	if !p.Durable {
		t.Skip("memory ends with the process")
	}
	first := open(t, p, bus.Options{})
	var stuck, r record
	subscribe(t, first, "one", func(ctx context.Context, d bus.Delivery) error {
		stuck.add(d)
		<-ctx.Done()
		return ctx.Err()
	}, bus.GroupOptions{Concurrency: 2})
	want := events("e", 20, 0)
	publish(t, first, want...)
	eventually(t, "two are in hand", func() bool { return stuck.len() == 2 })
	closeBus(t, first, 50*time.Millisecond)
	second := open(t, p, bus.Options{})
	begin := time.Now()
	subscribe(t, second, "one", r.handler, bus.GroupOptions{})
	eventually(t, "all are handled", func() bool { return r.len() >= len(want) })
	if err := r.once(want); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > p.Takeover+5*time.Second {
		t.Errorf("took %s", took)
	}
}

// anEventOfADeadProcessComesToo leaves a bus as a process leaves that is killed:
// without a word.
func anEventOfADeadProcessComesToo(t *testing.T, p Place) {
	if !p.Durable {
		t.Skip("memory ends with the process")
	}
	engine := p.Connect(t)
	ctx, kill := context.WithCancel(t.Context())
	var taken sync.WaitGroup
	taken.Add(3)
	ready := make(chan struct{})
	var gone sync.WaitGroup
	gone.Go(func() {
		_ = engine.Consume(ctx, bus.Consumption{Group: "one", Window: 10, Ready: func() { close(ready) },
			Deliver: func(context.Context, bus.Incoming) error { taken.Done(); return nil }})
	})
	<-ready
	publisher := open(t, p, bus.Options{})
	want := events("e", 3, 0)
	publish(t, publisher, want...)
	taken.Wait()
	kill()
	gone.Wait()
	if err := engine.Close(); err != nil {
		t.Error(err)
	}
	var r record
	subscribe(t, publisher, "one", r.handler, bus.GroupOptions{})
	eventually(t, "all are handled", func() bool { return r.len() >= len(want) })
	if err := r.once(want); err != nil {
		t.Error(err)
	}
	for _, d := range r.all() {
		if d.Attempt < 2 {
			t.Errorf("%s is at attempt %d, and nobody knows what became of the first", d.ID, d.Attempt)
		}
	}
}
