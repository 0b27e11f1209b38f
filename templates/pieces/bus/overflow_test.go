package bus

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// gate is a handler that waits until it is opened, and notes what passes.
type gate struct {
	open chan struct{}
	mu   sync.Mutex
	ids  []string
}

func newGate() *gate { return &gate{open: make(chan struct{})} }

func (g *gate) handler(_ context.Context, d Delivery) error {
	<-g.open
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ids = append(g.ids, d.ID)
	return nil
}

func (g *gate) passed() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.ids)
}

func quiet() *Bus { return New(Options{Log: slog.New(slog.DiscardHandler)}) }

func mustSubscribe(t *testing.T, b *Bus, name string, h Handler, o GroupOptions) {
	t.Helper()
	if err := b.Subscribe(name, h, o); err != nil {
		t.Fatal(err)
	}
}

func mustClose(t *testing.T, b *Bus, want int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if n, err := b.Close(ctx); n != want || err != nil {
		t.Errorf("Close = %d, %v; want %d", n, err, want)
	}
}

func number(i int) Event { return Event{ID: strconv.Itoa(i), Type: "t", Key: "k"} }

// TestBlockWaitsForRoom has a publisher wait for room, for its context, and for the
// end of the bus.
func TestBlockWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, g := quiet(), newGate()
		mustSubscribe(t, b, "one", g.handler, GroupOptions{Queue: 2, Concurrency: 1})
		for i := range 3 { // one of them is in hand
			if err := b.Publish(t.Context(), number(i)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		if err := b.Publish(ctx, number(3)); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second {
			t.Errorf("without room: %v after %s, want the deadline of the publisher after 1s", err, time.Since(begin))
		}
		published := make(chan error)
		go func() { published <- b.Publish(t.Context(), number(4)) }()
		synctest.Wait()
		select {
		case err := <-published:
			t.Fatalf("published without room: %v", err)
		default:
		}
		close(g.open)
		if err := <-published; err != nil {
			t.Errorf("with room: %v", err)
		}
		mustClose(t, b, 0)
		if got := g.passed(); !slices.Equal(got, []string{"0", "1", "2", "4"}) {
			t.Errorf("handled %v", got)
		}
	})
}

func TestCloseEndsTheWaitForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, g := quiet(), newGate()
		mustSubscribe(t, b, "one", g.handler, GroupOptions{Queue: 1, Concurrency: 1})
		results := make(chan error, 10)
		for i := range 10 {
			go func() { results <- b.Publish(t.Context(), number(i)) }()
		}
		synctest.Wait()
		time.AfterFunc(time.Second, func() { close(g.open) })
		mustClose(t, b, 0)
		accepted := 0
		for range 10 {
			switch err := <-results; {
			case err == nil:
				accepted++
			case !errors.Is(err, ErrClosed):
				t.Errorf("publish = %v, want ErrClosed", err)
			}
		}
		if passed := len(g.passed()); passed != accepted || accepted != 2 {
			t.Errorf("%d accepted, %d handled, want 2", accepted, passed)
		}
	})
}

func TestRejectNamesTheGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, g, free := quiet(), newGate(), newGate()
		close(free.open)
		mustSubscribe(t, b, "a-free", free.handler, GroupOptions{})
		mustSubscribe(t, b, "full", g.handler, GroupOptions{Queue: 1, Concurrency: 1, Overflow: Reject})
		mustSubscribe(t, b, "z-free", free.handler, GroupOptions{})
		var refused []int
		for i := range 5 {
			err := b.Publish(t.Context(), number(i))
			synctest.Wait()
			if overloaded, ok := errors.AsType[*OverloadedError](err); ok {
				if overloaded.Group != "full" {
					t.Errorf("overloaded is %q", overloaded.Group)
				}
				refused = append(refused, i)
			} else if err != nil {
				t.Error(err)
			}
		}
		if !slices.Equal(refused, []int{2, 3, 4}) {
			t.Errorf("refused %v", refused)
		}
		// What one group refuses, no group gets.
		if got := free.passed(); len(got) != 4 || slices.Contains(got, "2") {
			t.Errorf("the other groups got %v", got)
		}
		close(g.open)
		mustClose(t, b, 0)
	})
}

// TestSlowGroupReservesNothing: room in other groups, which was reserved for an
// event that then found none, is free again.
func TestRoomIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, g, other := quiet(), newGate(), newGate()
		mustSubscribe(t, b, "a", other.handler, GroupOptions{Queue: 4, Concurrency: 1})
		mustSubscribe(t, b, "b", g.handler, GroupOptions{Queue: 1, Concurrency: 1})
		for i := range 2 {
			if err := b.Publish(t.Context(), number(i)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		for i := range 20 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			if err := b.Publish(ctx, number(100+i)); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("publish = %v", err)
			}
			cancel()
		}
		if lanes := (*b.groups.Load())[0].lanes; lanes.reserved != 0 || lanes.waiting != 1 {
			t.Errorf("%d reserved, %d waiting; want 0 and 1", lanes.reserved, lanes.waiting)
		}
		close(g.open)
		close(other.open)
		mustClose(t, b, 0)
	})
}

func TestDropOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, g, all := quiet(), newGate(), newGate()
		close(all.open)
		mustSubscribe(t, b, "all", all.handler, GroupOptions{})
		mustSubscribe(t, b, "latest", g.handler, GroupOptions{Queue: 3, Concurrency: 1, Overflow: DropOldest})
		settled := 0
		for i := range 10 {
			if err := b.PublishTracked(t.Context(), number(i), func() { settled++ }); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if settled != 6 { // 1 to 6 were dropped
			t.Errorf("%d are settled, want 6", settled)
		}
		if n := b.Stats()[1].Dropped; n != 6 {
			t.Errorf("%d are counted as dropped, want 6", n)
		}
		close(g.open)
		mustClose(t, b, 0)
		if got := g.passed(); !slices.Equal(got, []string{"0", "7", "8", "9"}) {
			t.Errorf("handled %v", got)
		}
		if got := all.passed(); len(got) != 10 {
			t.Errorf("the other group handled %v", got)
		}
	})
}

// TestDropOldestOfDelayed drops an event that waits to be tried again: the next of
// its key goes on at once.
func TestDropOldestOfDelayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := quiet()
		var ids []string
		mustSubscribe(t, b, "one", func(_ context.Context, d Delivery) error {
			ids = append(ids, d.ID)
			if d.ID == "0" {
				return errors.New("no")
			}
			return nil
		}, GroupOptions{Queue: 2, Concurrency: 1, Overflow: DropOldest, Retry: Retry{Attempts: 3, Base: time.Hour, Max: time.Hour}})
		for i := range 3 {
			if err := b.Publish(t.Context(), number(i)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if !slices.Equal(ids, []string{"0", "1", "2"}) {
			t.Errorf("handled %v, want that 0 was dropped and the rest went on", ids)
		}
		mustClose(t, b, 0)
	})
}

// TestSlowGroupHoldsNobody: a group that does not block holds no other group up.
func TestSlowGroupHoldsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, stuck, free := quiet(), newGate(), newGate()
		close(free.open)
		mustSubscribe(t, b, "stuck", stuck.handler, GroupOptions{Queue: 1, Concurrency: 1, Overflow: DropOldest})
		mustSubscribe(t, b, "free", free.handler, GroupOptions{Queue: 1, Concurrency: 1})
		for i := range 1000 {
			if err := b.Publish(t.Context(), number(i)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if n := len(free.passed()); n != 1000 {
			t.Errorf("the free group handled %d of 1000", n)
		}
		close(stuck.open)
		mustClose(t, b, 0)
	})
}

// TestGoroutines holds that there are as many with one event as with any number.
func TestGoroutines(t *testing.T) {
	b, g := quiet(), newGate()
	mustSubscribe(t, b, "one", g.handler, GroupOptions{Queue: 200_000, Concurrency: 3})
	before := runtime.NumGoroutine()
	for i := range 100_000 {
		if err := b.Publish(t.Context(), Event{ID: strconv.Itoa(i), Type: "t", Key: strconv.Itoa(i % 1000)}); err != nil {
			t.Fatal(err)
		}
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines before, %d with a backlog of 100,000", before, after)
	}
	close(g.open)
	mustClose(t, b, 0)
}

// TestAllocations holds that the way of an event makes no garbage: what is left is
// what has to be remembered of it.
func TestAllocations(t *testing.T) {
	b := quiet()
	handled := make(chan struct{}, 1)
	mustSubscribe(t, b, "one", func(context.Context, Delivery) error { handled <- struct{}{}; return nil }, GroupOptions{})
	ids := make([]string, 30_000)
	for i := range ids {
		ids[i] = strconv.Itoa(i)
	}
	next := 0
	allocs := testing.AllocsPerRun(len(ids)-1, func() {
		if err := b.Publish(context.Background(), Event{ID: ids[next], Type: "t", Key: "k"}); err != nil {
			t.Error(err)
		}
		next++
		<-handled
	})
	if allocs > 1 {
		t.Errorf("%v allocations an event, at most 1 is allowed", allocs)
	}
	mustClose(t, b, 0)
}
