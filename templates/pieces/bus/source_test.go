package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// recipe is the event bus that a much copied text recommends, kept here to show
// where this package differs: one channel for everybody, under one context.
type recipe struct {
	ctx context.Context
	ch  chan Event
}

func newRecipe(ctx context.Context, buffer int) *recipe {
	return &recipe{ctx: ctx, ch: make(chan Event, buffer)}
}

func (r *recipe) Publish(e Event) error {
	select {
	case r.ch <- e:
		return nil
	case <-r.ctx.Done():
		return r.ctx.Err()
	}
}

// recipeConsumer is its idempotent consumer: a GET, a SET with a time to live, and
// then the work. It acknowledges or refuses, which nothing listens to.
type recipeConsumer struct {
	redis *recipeRedis
	ttl   time.Duration
	work  func(e Event) error
}

func (c *recipeConsumer) handle(group string, e Event) (ack bool) {
	key := "idempotent:" + group + ":" + e.ID
	if c.redis.get(key) {
		return true
	}
	c.redis.set(key, c.ttl)
	return c.work(e) == nil
}

func (c *recipeConsumer) run(r *recipe, group string) {
	for e := range r.ch {
		c.handle(group, e)
	}
}

// recipeRedis is what the consumer uses of Redis.
type recipeRedis struct {
	mu    sync.Mutex
	until map[string]time.Time
}

func newRecipeRedis() *recipeRedis { return &recipeRedis{until: map[string]time.Time{}} }

func (r *recipeRedis) get(key string) bool {
	time.Sleep(time.Microsecond) // the way there and back
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Before(r.until[key])
}

func (r *recipeRedis) set(key string, ttl time.Duration) {
	time.Sleep(time.Microsecond)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.until[key] = time.Now().Add(ttl)
}

func TestSource_GroupsCompete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const events = 10
		r := newRecipe(t.Context(), events)
		var counts [2]atomic.Int64
		for i := range counts {
			c := &recipeConsumer{redis: newRecipeRedis(), ttl: time.Hour, work: func(Event) error { counts[i].Add(1); return nil }}
			go c.run(r, fmt.Sprint("group", i))
		}
		for i := range events {
			if err := r.Publish(number(i)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		synctest.Wait()
		close(r.ch)
		if counts[0].Load() == events && counts[1].Load() == events {
			t.Fatal("each group of the recipe gets every event")
		}

		b := quiet()
		var handled [2]atomic.Int64
		for i := range handled {
			mustSubscribe(t, b, fmt.Sprint("group", i), func(context.Context, Delivery) error { handled[i].Add(1); return nil }, GroupOptions{})
		}
		for i := range events {
			if err := b.Publish(t.Context(), number(i)); err != nil {
				t.Fatal(err)
			}
		}
		mustClose(t, b, 0)
		for i := range handled {
			if n := handled[i].Load(); n != events {
				t.Errorf("group %d got %d of %d events", i, n, events)
			}
		}
	})
}

// What is published after the end is a success about every second time, for select
// chooses at random, and is lost.
func TestSource_PublishAfterTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	const events = 1000
	r := newRecipe(ctx, events)
	cancel()
	lies := 0
	for i := range events {
		if r.Publish(number(i)) == nil {
			lies++
		}
	}
	if lies == 0 {
		t.Fatal("the recipe takes nothing after its end")
	}
	b := quiet()
	mustSubscribe(t, b, "one", func(context.Context, Delivery) error { return nil }, GroupOptions{})
	mustClose(t, b, 0)
	for i := range events {
		if err := b.Publish(t.Context(), number(i)); !errors.Is(err, ErrClosed) {
			t.Fatalf("publish after the end = %v", err)
		}
	}
}

// What was in the buffer at the end is gone, and nobody says so.
func TestSource_BufferIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := newRecipe(ctx, 10)
		for i := range 5 {
			if err := r.Publish(number(i)); err != nil {
				t.Fatal(err)
			}
		}
		handled := 0
		cancel()
		for running := true; running; { // a consumer that heeds the context
			select {
			case <-ctx.Done():
				running = false
			default:
				handled++
			}
		}
		if handled == 5 {
			t.Fatal("the recipe handles what it has taken")
		}
		b, g := quiet(), newGate()
		mustSubscribe(t, b, "one", g.handler, GroupOptions{Concurrency: 1})
		for i := range 5 {
			if err := b.Publish(t.Context(), number(i)); err != nil {
				t.Fatal(err)
			}
		}
		time.AfterFunc(time.Second, func() { close(g.open) })
		mustClose(t, b, 0)
		if n := len(g.passed()); n != 5 {
			t.Errorf("%d of 5 events were handled", n)
		}

		// And what cannot be handled is counted.
		b = quiet()
		mustSubscribe(t, b, "one", func(ctx context.Context, _ Delivery) error { <-ctx.Done(); return ctx.Err() }, GroupOptions{Concurrency: 1})
		for i := range 5 {
			if err := b.Publish(t.Context(), number(i)); err != nil {
				t.Fatal(err)
			}
		}
		ended, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		if n, err := b.Close(ended); n != 5 || err != nil {
			t.Errorf("Close = %d, %v; want 5", n, err)
		}
	})
}

// The deadline of whoever publishes is no argument: a full buffer holds it for as
// long as the whole bus lives.
func TestSource_DeadlineOfThePublisher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		life, end := context.WithCancel(t.Context())
		r := newRecipe(life, 1)
		if err := r.Publish(number(0)); err != nil {
			t.Fatal(err)
		}
		returned := make(chan struct{})
		go func() { _ = r.Publish(number(1)); close(returned) }()
		select {
		case <-returned:
			t.Fatal("the recipe's publisher comes back")
		case <-time.After(24 * time.Hour):
		}
		end()
		<-returned

		b, g := quiet(), newGate()
		mustSubscribe(t, b, "one", g.handler, GroupOptions{Queue: 1, Concurrency: 1})
		for i := range 2 {
			if err := b.Publish(t.Context(), number(i)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		if err := b.Publish(ctx, number(2)); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > time.Second {
			t.Errorf("publish = %v after %s", err, time.Since(begin))
		}
		close(g.open)
		mustClose(t, b, 0)
	})
}

func TestSource_CloseMakesPublishPanic(t *testing.T) {
	panics := func(publish func() error) (v any) {
		defer func() { v = recover() }()
		_ = publish()
		return nil
	}
	r := newRecipe(t.Context(), 1)
	close(r.ch) // or its consumers never end
	if panics(func() error { return r.Publish(number(0)) }) == nil {
		t.Fatal("the recipe's Publish survives the close")
	}
	b := quiet()
	mustClose(t, b, 0)
	if v := panics(func() error { return b.Publish(t.Context(), number(0)) }); v != nil {
		t.Errorf("publish panics: %v", v)
	}
}

// Two consumers that ask at the same time are both told that the event is new.
func TestSource_GetThenSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const events = 100
		handledTwice := func(handle func(e Event, work func())) (twice int) {
			for i := range events {
				var times atomic.Int64
				var both sync.WaitGroup
				for range 2 {
					both.Go(func() { handle(number(i), func() { times.Add(1) }) })
				}
				both.Wait()
				if times.Load() > 1 {
					twice++
				}
			}
			return twice
		}
		store := newRecipeRedis()
		if handledTwice(func(e Event, work func()) {
			c := &recipeConsumer{redis: store, ttl: time.Hour, work: func(Event) error { work(); return nil }}
			c.handle("g", e)
		}) == 0 {
			t.Fatal("the recipe handles every event once")
		}
		claims := NewMemoryClaims()
		var tokens atomic.Uint64
		if n := handledTwice(func(e Event, work func()) {
			claim, err := claims.Claim(t.Context(), ClaimKey{"g", e.ID}, Token{Lo: tokens.Add(1)}, time.Minute)
			if err != nil {
				t.Error(err)
			}
			time.Sleep(time.Microsecond)
			if claim.State == Claimed {
				work()
			}
		}); n != 0 {
			t.Errorf("%d of %d events were handled twice", n, events)
		}
	})
}

// The mark is set before the work: work that fails is not done again, for an hour.
func TestSource_MarkBeforeWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		successes, calls := 0, 0
		work := func() error {
			if calls++; calls == 1 {
				return errors.New("the first time")
			}
			successes++
			return nil
		}
		c := &recipeConsumer{redis: newRecipeRedis(), ttl: time.Hour, work: func(Event) error { return work() }}
		for range 3 { // somebody delivers it again
			c.handle("g", number(0))
		}
		if successes > 0 {
			t.Fatal("the recipe does work that failed again")
		}
		successes, calls = 0, 0
		b := quiet()
		mustSubscribe(t, b, "g", func(context.Context, Delivery) error { return work() }, GroupOptions{})
		if err := b.Publish(t.Context(), number(0)); err != nil {
			t.Fatal(err)
		}
		mustClose(t, b, 0)
		if successes != 1 || calls != 2 {
			t.Errorf("%d successes in %d calls", successes, calls)
		}
	})
}

// A redelivery that comes after the time to live is taken for a new event. Here the
// retention is held against the longest time for which redeliveries may go on.
func TestSource_LateRedelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		times := 0
		c := &recipeConsumer{redis: newRecipeRedis(), ttl: time.Hour, work: func(Event) error { times++; return nil }}
		c.handle("g", number(0))
		time.Sleep(time.Hour)
		c.handle("g", number(0))
		if times == 1 {
			t.Fatal("the recipe knows the event for longer than it may come")
		}
		b := quiet()
		o := GroupOptions{Retry: Retry{Attempts: 10, Base: time.Second, Max: 10 * time.Minute}, Lease: time.Minute, Retention: time.Hour}
		if err := b.Subscribe("g", func(context.Context, Delivery) error { return nil }, o); err == nil {
			t.Error("a retention is taken that is shorter than the redeliveries last")
		}
		o.Retention = 101 * time.Minute
		mustSubscribe(t, b, "g", func(context.Context, Delivery) error { return nil }, o)
		mustClose(t, b, 0)
	})
}

// An event that is refused does not come again, and there is no place where it
// would be found.
func TestSource_RefusedIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		r := newRecipe(t.Context(), 1)
		c := &recipeConsumer{redis: newRecipeRedis(), ttl: time.Hour, work: func(Event) error { calls++; return errors.New("no") }}
		go c.run(r, "g")
		if err := r.Publish(number(0)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		close(r.ch)
		if calls > 1 {
			t.Fatal("the recipe tries again")
		}
		calls = 0
		b := quiet()
		mustSubscribe(t, b, "g", func(context.Context, Delivery) error { calls++; return errors.New("no") }, GroupOptions{})
		if err := b.Publish(t.Context(), number(0)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		letters, err := b.DeadLetters(t.Context(), "g", "", 10)
		if err != nil || len(letters) != 1 || calls != DefaultRetry().Attempts {
			t.Errorf("%d calls, letters %v, %v", calls, letters, err)
		}
		mustClose(t, b, 0)
	})
}

// A panic in the work ends the process. The model has it in a goroutine that
// recovers, in place of the runtime.
func TestSource_PanicKills(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		killed := make(chan any, 1)
		r := newRecipe(t.Context(), 1)
		c := &recipeConsumer{redis: newRecipeRedis(), ttl: time.Hour, work: func(Event) error { panic("in the work") }}
		go func() {
			defer func() { killed <- recover() }()
			c.run(r, "g")
		}()
		if err := r.Publish(number(0)); err != nil {
			t.Fatal(err)
		}
		if v := <-killed; v == nil {
			t.Fatal("the recipe survives a panic")
		}
		b := quiet()
		mustSubscribe(t, b, "g", func(_ context.Context, d Delivery) error {
			if d.Attempt == 1 {
				panic("in the work")
			}
			return nil
		}, GroupOptions{})
		if err := b.Publish(t.Context(), number(0)); err != nil {
			t.Fatal(err)
		}
		mustClose(t, b, 0)
		if s := b.Stats()[0]; s.Panicked != 1 || s.Handled != 1 {
			t.Errorf("stats: %+v", s)
		}
	})
}

// Work that takes longer than the time to live is begun by a second worker. Here
// the claim is extended while the work goes on.
func TestSource_SlowerThanItsTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		work := func() {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(10 * time.Second)
			now.Add(-1)
		}
		store := newRecipeRedis()
		var both sync.WaitGroup
		for i := range 2 {
			both.Go(func() {
				time.Sleep(time.Duration(i) * 5 * time.Second)
				c := &recipeConsumer{redis: store, ttl: 2 * time.Second, work: func(Event) error { work(); return nil }}
				c.handle("g", number(0))
			})
		}
		both.Wait()
		if most.Load() < 2 {
			t.Fatal("the recipe keeps a second worker away")
		}
		most.Store(0)
		calls := 0
		claims := NewMemoryClaims()
		var buses [2]*Bus
		for i := range buses { // that share their claims, as two processes do
			buses[i] = New(Options{Claims: claims, Log: slog.New(slog.DiscardHandler)})
			mustSubscribe(t, buses[i], "g", func(context.Context, Delivery) error { calls++; work(); return nil }, GroupOptions{Lease: 2 * time.Second})
			if err := buses[i].Publish(t.Context(), number(0)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Second)
		}
		for _, b := range buses {
			mustClose(t, b, 0)
		}
		if most.Load() != 1 || calls != 1 {
			t.Errorf("%d workers at a time, %d calls", most.Load(), calls)
		}
	})
}
