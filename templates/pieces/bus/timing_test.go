package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestRetrySchedule holds each pause to its bounds, with the jitter on top.
func TestRetrySchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := quiet()
		var at []time.Time
		o := GroupOptions{Retry: Retry{Attempts: 8, Base: time.Second, Max: 10 * time.Second, Jitter: 0.5}}
		mustSubscribe(t, b, "one", func(context.Context, Delivery) error { at = append(at, time.Now()); return errors.New("no") }, o)
		if err := b.Publish(t.Context(), number(0)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(o.Retry.Window())
		synctest.Wait()
		want := []int{1, 2, 4, 8, 10, 10, 10}
		if len(at) != len(want)+1 {
			t.Fatalf("%d attempts", len(at))
		}
		jittered := false
		for i, seconds := range want {
			pause, least := at[i+1].Sub(at[i]), time.Duration(seconds)*time.Second
			if pause < least || pause > least*3/2 {
				t.Errorf("pause %d is %s, want from %s to %s", i+1, pause, least, least*3/2)
			}
			jittered = jittered || pause != least
		}
		if !jittered {
			t.Error("no pause has a jitter")
		}
		if total := at[len(at)-1].Sub(at[0]); total > o.Retry.Window() {
			t.Errorf("the redeliveries took %s, the window is %s", total, o.Retry.Window())
		}
		mustClose(t, b, 0)
	})
}

// TestAlwaysFailing: an event that always fails is not tried faster than its
// back-off, however long that goes on.
func TestAlwaysFailing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := quiet()
		calls := 0
		mustSubscribe(t, b, "one", func(context.Context, Delivery) error { calls++; return errors.New("no") },
			GroupOptions{Retry: Retry{Attempts: 1_000_000, Base: time.Second, Max: time.Second}, Retention: 1_000_100 * time.Second})
		if err := b.Publish(t.Context(), number(0)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(1000*time.Second + time.Millisecond)
		synctest.Wait()
		if calls != 1001 {
			t.Errorf("%d attempts in 1000 s with a back-off of 1 s", calls)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		begin := time.Now()
		if n, err := b.Close(ctx); n != 1 || err != nil {
			t.Errorf("Close = %d, %v", n, err)
		}
		if took := time.Since(begin); took != 0 {
			t.Errorf("Close waited %s for an event that is due later than its deadline", took)
		}
	})
}

// TestCloseWaitsForBackOff where there is time for it.
func TestCloseWaitsForBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := quiet()
		var ids []string
		mustSubscribe(t, b, "one", func(_ context.Context, d Delivery) error {
			if d.Attempt < 3 {
				return errors.New("not yet")
			}
			ids = append(ids, d.ID)
			return nil
		}, GroupOptions{Concurrency: 1})
		for i := range 3 {
			if err := b.Publish(t.Context(), number(i)); err != nil {
				t.Fatal(err)
			}
		}
		mustClose(t, b, 0)
		if !slices.Equal(ids, []string{"0", "1", "2"}) {
			t.Errorf("handled %v", ids)
		}
	})
}

// TestCloseTwice: the second waits for the first.
func TestCloseTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, g := quiet(), newGate()
		mustSubscribe(t, b, "one", g.handler, GroupOptions{})
		if err := b.Publish(t.Context(), number(0)); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Second, func() { close(g.open) })
		closed := make(chan struct{})
		go func() { mustClose(t, b, 0); close(closed) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := b.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a second close = %v", err)
		}
		mustClose(t, b, 0)
		select {
		case <-closed:
		default:
			t.Error("the second close did not wait")
		}
	})
}

// TestStuckHandler: one that does not heed its context does not hold the end up for
// long, and is counted.
func TestStuckHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, g := quiet(), newGate()
		mustSubscribe(t, b, "one", g.handler, GroupOptions{Concurrency: 1})
		for i := range 2 {
			if err := b.Publish(t.Context(), number(i)); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		if n, err := b.Close(ctx); n != 2 || err != nil || time.Since(begin) != time.Second+grace {
			t.Errorf("Close = %d, %v after %s", n, err, time.Since(begin))
		}
		close(g.open)
	})
}

// flaky are claims whose Extend fails in a way that the test chooses.
type flaky struct {
	Claims
	extended atomic.Int64
	err      error
}

func (f *flaky) Extend(ctx context.Context, key ClaimKey, owner Token, lease time.Duration) error {
	f.extended.Add(1)
	if f.err != nil {
		return f.err
	}
	return f.Claims.Extend(ctx, key, owner, lease)
}

// TestHeartbeat: the context of a handler ends when its claim is lost, or nobody
// knows any more whose it is, and not before.
func TestHeartbeat(t *testing.T) {
	for _, c := range []struct {
		name  string
		err   error
		after time.Duration // 0: the handler returns after a minute
	}{
		{"extended", nil, 0},
		{"lost", ErrLost, 2500 * time.Millisecond},
		{"store down", errors.New("down"), 10 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				claims := &flaky{Claims: NewMemoryClaims(), err: c.err}
				b := New(Options{Claims: claims, Log: slog.New(slog.DiscardHandler)})
				ended := make(chan time.Duration, 10)
				mustSubscribe(t, b, "one", func(ctx context.Context, d Delivery) error {
					if d.Attempt > 1 {
						return ctx.Err() // a new claim has a new context
					}
					begin := time.Now()
					select {
					case <-ctx.Done():
						ended <- time.Since(begin)
						return fmt.Errorf("given up: %w", context.Cause(ctx))
					case <-time.After(time.Minute):
						ended <- 0
						return nil
					}
				}, GroupOptions{Lease: 10 * time.Second, Concurrency: 1})
				if err := b.Publish(t.Context(), number(0)); err != nil {
					t.Fatal(err)
				}
				if got := <-ended; got != c.after {
					t.Errorf("the context ended after %s, want %s", got, c.after)
				}
				mustClose(t, b, 0)
				if s := b.Stats()[0]; s.Handled != 1 {
					t.Errorf("stats: %+v", s)
				}
				if n := claims.extended.Load(); c.err == nil && n < 23 {
					t.Errorf("extended %d times in a minute, with a lease of 10 s", n)
				}
			})
		})
	}
}

// TestFastHandlersAreNotExtended: a claim that is committed soon costs no call.
func TestFastHandlersAreNotExtended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		claims := &flaky{Claims: NewMemoryClaims()}
		b := New(Options{Claims: claims})
		mustSubscribe(t, b, "one", func(context.Context, Delivery) error { time.Sleep(time.Second); return nil }, GroupOptions{Lease: 10 * time.Second})
		for i := range 100 {
			if err := b.Publish(t.Context(), Event{ID: strconv.Itoa(i), Type: "t"}); err != nil {
				t.Fatal(err)
			}
		}
		mustClose(t, b, 0)
		if n := claims.extended.Load(); n != 0 {
			t.Errorf("extended %d times", n)
		}
	})
}

// failing are claims whose Commit fails a few times.
type failing struct {
	Claims
	left int
}

func (f *failing) Commit(ctx context.Context, key ClaimKey, owner Token, retention time.Duration) error {
	if f.left--; f.left >= 0 {
		return errors.New("down")
	}
	return f.Claims.Commit(ctx, key, owner, retention)
}

// TestCommitIsTriedAgain, and the work is not.
func TestCommitIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Options{Claims: &failing{NewMemoryClaims(), 3}, Log: slog.New(slog.DiscardHandler)})
		calls := 0
		mustSubscribe(t, b, "one", func(context.Context, Delivery) error { calls++; return nil }, GroupOptions{})
		if err := b.Publish(t.Context(), number(0)); err != nil {
			t.Fatal(err)
		}
		mustClose(t, b, 0)
		if s := b.Stats()[0]; calls != 1 || s.Handled != 1 || s.Trouble != 3 {
			t.Errorf("%d calls, stats %+v", calls, s)
		}
	})
}

// TestMemoryClaimsForget holds that memory does not grow with the events that ever
// were.
func TestMemoryClaimsForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemoryClaims()
		for i := range 10_000 {
			key, owner := ClaimKey{"g", fmt.Sprint(i)}, Token{Lo: uint64(i)}
			for _, err := range []error{second(m.Claim(t.Context(), key, owner, time.Second)), m.Commit(t.Context(), key, owner, time.Second)} {
				if err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(10 * time.Millisecond)
		}
		// 100 are young enough. A shard forgets when it is written to, which is about
		// once in 32 times.
		if n := m.Len(); n < 100 || n > 100+4*claimShards {
			t.Errorf("%d of 10,000 are kept, want about 100", n)
		}
	})
}

func second(_ Claim, err error) error { return err }

// TestRefusals names what is wrong with a group.
func TestRefusals(t *testing.T) {
	b := quiet()
	defer mustClose(t, b, 0)
	h := func(context.Context, Delivery) error { return nil }
	for name, o := range map[string]GroupOptions{
		"retention":   {Retention: time.Minute},
		"lease":       {Lease: time.Millisecond},
		"concurrency": {Concurrency: -1},
		"queue":       {Queue: -1},
		"overflow":    {Overflow: 7},
		"attempts":    {Retry: Retry{Base: time.Second, Max: time.Second}},
		"jitter":      {Retry: Retry{Attempts: 1, Base: time.Second, Max: time.Second, Jitter: 2}},
		"base":        {Retry: Retry{Attempts: 1, Max: time.Second}},
		"max":         {Retry: Retry{Attempts: 1, Base: time.Second, Max: time.Millisecond}},
	} {
		if err := b.Subscribe("one", h, o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: Subscribe = %v", name, err)
		}
	}
	for _, name := range []string{"", "A", "a.b", "a b", "-a", "a:b"} {
		if err := b.Subscribe(name, h, GroupOptions{}); err == nil {
			t.Errorf("the group %q is taken", name)
		}
	}
	mustSubscribe(t, b, "one", h, GroupOptions{})
	if err := b.Subscribe("one", h, GroupOptions{}); err == nil {
		t.Error("a second group with one name is taken")
	}
	for _, e := range []Event{{Type: "t"}, {ID: "e"}, {ID: "\xff", Type: "t"}, {ID: "a\x00b", Type: "t"}, {ID: "e", Type: "t", Key: "\xff"},
		{ID: "e", Type: "t", Headers: map[string]string{"h": "\xff"}}, {ID: string(make([]byte, MaxID+1)), Type: "t"}} {
		if err := b.Publish(t.Context(), e); err == nil {
			t.Errorf("the event %q is taken", e.ID)
		}
	}
}
