package breaker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var auth = Key{Target: "auth.example", Class: "read"}

func TestTripsByRatio(t *testing.T) {
	for _, test := range []struct {
		name     string
		outcomes string // s, f or i for a call each
		want     State
	}{
		{"half of enough calls", strings.Repeat("sf", 10), Open},
		{"half, but not enough calls", strings.Repeat("sf", 9) + "f", Closed},
		{"enough calls, but not half", strings.Repeat("ssf", 20), Closed},
		{"only a failure opens", strings.Repeat("f", 19) + "s", Closed},
		{"the next failure does", strings.Repeat("f", 19) + "sf", Open},
		{"the ignored do not count", strings.Repeat("f", 19) + strings.Repeat("i", 10000), Closed},
		{"one success in six", strings.Repeat("sfffff", 3) + "sf", Open},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newSet(t, nil, Options{}).Get(auth)
			play(t, b, test.outcomes)
			if got := b.State(); got != test.want {
				t.Errorf("after %s it is %v, want %v", test.outcomes, got, test.want)
			}
		})
	}
}

func TestWindowRolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSet(t, nil, Options{}).Get(auth)
		play(t, b, strings.Repeat("f", 19))
		time.Sleep(11 * time.Second) // the window is 10s
		play(t, b, strings.Repeat("f", 19))
		if got := b.State(); got != Closed {
			t.Fatalf("failures that are long past open it: %v", got)
		}
		time.Sleep(8 * time.Second)
		play(t, b, "f")
		if got := b.State(); got != Open {
			t.Errorf("20 failures in 8s leave it %v", got)
		}
	})
}

func TestTripsByFailuresInARow(t *testing.T) {
	b := newSet(t, func(s *Settings) { s.Trip, s.Consecutive = TripConsecutive, 6 }, Options{}).Get(auth)
	play(t, b, "fffffs"+"fffff"+"iii")
	if got := b.State(); got != Closed {
		t.Fatalf("5 failures in a row leave it %v", got)
	}
	play(t, b, "f") // those who gave up are no interruption
	if got := b.State(); got != Open {
		t.Errorf("6 failures in a row leave it %v", got)
	}
}

func TestOpenRejectsAndSaysWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSet(t, nil, Options{Random: func() float64 { return 0.5 }}).Get(auth)
		play(t, b, strings.Repeat("f", 20))
		time.Sleep(time.Second)
		_, err := b.Allow()
		var open *OpenError
		if !errors.As(err, &open) || !errors.Is(err, ErrOpen) {
			t.Fatalf("an open breaker says %v", err)
		}
		// 10s, and half of the 20% that chance adds; 1s of it has passed.
		if open.Key != auth || open.RetryAfter != 10*time.Second || open.Seconds() != 10 || open.Forced {
			t.Errorf("it says %+v", *open)
		}
		time.Sleep(open.RetryAfter)
		if _, err := b.Allow(); err != nil {
			t.Errorf("after the time that it told, it says %v", err)
		}
	})
}

// Breakers that opened together do not try again together.
func TestOpenTimeVaries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := newSet(t, func(s *Settings) { s.OpenFor, s.OpenJitter = time.Second, 0.5 }, Options{})
		different := map[time.Duration]bool{}
		for i := range 100 {
			b := set.Get(Key{Target: fmt.Sprint("host", i)})
			play(t, b, strings.Repeat("f", 20))
			wait := b.Status().RetryAfter
			if wait < time.Second || wait > 1500*time.Millisecond {
				t.Errorf("it is open for %v", wait)
			}
			different[wait] = true
		}
		if len(different) < 90 {
			t.Errorf("100 breakers are open for %d different times", len(different))
		}
	})
}

// A caller who gives up, or who gave too little time, is no witness.
func TestCallersOwnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSet(t, func(s *Settings) { s.MinBudget = 100 * time.Millisecond }, Options{}).Get(auth)
		wait := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		for range 1000 {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := b.Do(ctx, wait); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
			if err := b.Do(ctx, wait); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			cancel()
		}
		if s := b.Status(); s.State != Closed || s.Calls != 0 {
			t.Fatalf("it is %v, with %d calls counted", s.State, s.Calls)
		}
		for range 20 {
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			_ = b.Do(ctx, wait)
			cancel()
		}
		if got := b.State(); got != Open {
			t.Errorf("20 timeouts of patient callers leave it %v", got)
		}
	})
}

func TestDoIgnoresOtherBreakersAndPanics(t *testing.T) {
	set := newSet(t, func(s *Settings) { s.MinCalls = 1 }, Options{})
	inner, outer := set.Get(Key{Target: "inner"}), set.Get(Key{Target: "outer"})
	inner.Force(ForceOpen)
	err := outer.Do(t.Context(), func(ctx context.Context) error {
		return fmt.Errorf("wrapped: %w", inner.Do(ctx, func(context.Context) error { return nil }))
	})
	if !errors.Is(err, ErrOpen) {
		t.Fatal(err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = outer.Do(t.Context(), func(context.Context) error { panic("boom") })
	}()
	if s := outer.Status(); s.State != Closed || s.Calls != 0 {
		t.Errorf("the outer breaker is %v with %d calls", s.State, s.Calls)
	}
	if err := outer.Do(t.Context(), func(context.Context) error { return errors.New("down") }); err == nil || outer.State() != Open {
		t.Errorf("an error leaves it %v", outer.State())
	}
}

// A result counts for the state in which its call began.
func TestLateResults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSet(t, nil, Options{}).Get(auth)
		slow := make([]Call, 100)
		for i := range slow {
			slow[i] = allow(t, b)
		}
		trip(t, b)
		for i := range 50 {
			slow[i].Done(Success)
		}
		if got := b.State(); got != Open {
			t.Fatalf("old successes make it %v", got)
		}
		time.Sleep(b.Status().RetryAfter)
		probe := allow(t, b)
		probe.Done(Success)
		for i := range 50 {
			slow[50+i].Done(Failure)
		}
		if s := b.Status(); s.State != Closed || s.Calls != 0 {
			t.Errorf("old failures make it %v with %d calls", s.State, s.Calls)
		}
		if _, c := b.look(); c.late != 100 {
			t.Errorf("%d late results are told, want 100", c.late)
		}
	})
}

func TestDoneCountsOnce(t *testing.T) {
	b := newSet(t, nil, Options{}).Get(auth)
	call := allow(t, b)
	call.Done(Success)
	call.Done(Failure)
	call.Answered()
	if s := b.Status(); s.Calls != 1 || s.Failures != 0 || call.Retry() {
		t.Errorf("one call is %d calls and %d failures", s.Calls, s.Failures)
	}
	var none Call // of a breaker that was open
	none.Done(Failure)
	none.Answered()
	if none.Retry() {
		t.Error("a call that never was may be retried")
	}
}

func TestForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSet(t, nil, Options{}).Get(auth)
		b.Force(ForceOpen)
		time.Sleep(time.Hour)
		_, err := b.Allow()
		var open *OpenError
		if !errors.As(err, &open) || !open.Forced || !strings.Contains(err.Error(), "by hand") || open.RetryAfter <= 0 {
			t.Fatalf("forced open it says %v", err)
		}
		b.Force(ForceClosed)
		play(t, b, strings.Repeat("f", 1000))
		if got := b.State(); got != Closed {
			t.Fatalf("forced closed it is %v", got)
		}
		b.Force(Auto)
		play(t, b, strings.Repeat("f", 19))
		if got := b.State(); got != Closed {
			t.Errorf("what came before is held against it: %v", got)
		}
		b.Force(ForceOpen)
		b.Force(Auto)
		if got := b.State(); got != HalfOpen {
			t.Errorf("no longer forced open it is %v", got)
		}
		trip := allow(t, b)
		trip.Done(Failure)
		b.Force(ForceClosed)
		if got := b.State(); got != Closed {
			t.Errorf("forced closed while open it is %v", got)
		}
	})
}

// Whoever is told of a transition may ask, and is told in order.
func TestCallbacksHoldNoLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var set *Set
		var told []Transition
		o := Options{OnTransition: func(tr Transition) {
			b := set.Get(tr.Key)
			_, _ = b.Allow()
			b.Status()
			set.Statuses()
			if len(told) == 0 {
				b.Force(ForceClosed) // one more, from within
				b.Force(Auto)
			}
			told = append(told, tr)
		}}
		set = newSet(t, nil, o)
		trip(t, set.Get(auth))
		if len(told) != 2 || told[0].To != Open || told[0].Reason != "ratio" || told[0].Calls != 20 || told[0].Failures != 20 || told[0].Wait < 10*time.Second ||
			told[1].From != Open || told[1].To != Closed || told[1].Reason != "forced" || told[1].Sequence != told[0].Sequence+1 {
			t.Errorf("it is told %+v", told)
		}
	})
}

// A callback that blocks keeps one call, and no other.
func TestSlowCallbackKeepsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		blocked := make(chan struct{})
		set := newSet(t, nil, Options{OnTransition: func(Transition) { <-blocked }})
		b := set.Get(auth)
		go trip(t, b)
		synctest.Wait()
		for range 100 {
			if _, err := b.Allow(); err == nil {
				t.Fatal("it is not open")
			}
			b.Status()
		}
		close(blocked)
		synctest.Wait()
	})
}

func TestPanickingCallback(t *testing.T) {
	var told int
	set := newSet(t, nil, Options{OnTransition: func(Transition) {
		if told++; told == 1 {
			panic("boom")
		}
	}})
	b := set.Get(auth)
	func() {
		defer func() { _ = recover() }()
		trip(t, b)
	}()
	b.Force(ForceClosed)
	if told != 2 {
		t.Errorf("after a panic nobody is told any more: %d", told)
	}
}

// Retries are at most their part of the calls of the window and the reserve.
func TestRetryBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSet(t, func(s *Settings) { s.RetryRatio, s.RetryReserve, s.FailureRatio = 0.1, 3, 1 }, Options{}).Get(auth)
		ask := func(calls int) (allowed int) {
			for range calls {
				call := allow(t, b)
				if call.Retry() {
					allowed++
				}
				call.Done(Success)
			}
			return allowed
		}
		got := ask(1000)
		if want := 3 + 100; math.Abs(float64(got-want)) > 1 {
			t.Errorf("1000 calls retry %d times, want about %d", got, want)
		}
		time.Sleep(time.Minute)
		if got := ask(3); got != 3 {
			t.Errorf("after a quiet time the reserve is %d, want 3", got)
		}
		slow := allow(t, b)
		b.Force(ForceOpen)
		if slow.Retry() {
			t.Error("an open breaker allows a retry")
		}
	})
}

// TestConcurrent is for the race detector, and holds that nothing is lost.
func TestConcurrent(t *testing.T) {
	set := newSet(t, func(s *Settings) {
		s.MaxBreakers, s.OpenFor, s.OpenJitter, s.ProbeTimeout, s.MinCalls = 8, time.Millisecond, 1, time.Millisecond, 5
	}, Options{Log: slog.New(slog.DiscardHandler), OnTransition: func(Transition) {}})
	var all sync.WaitGroup
	var done, rejected atomic.Uint64
	b := set.Get(auth)
	other := Defaults()
	other.MaxBreakers, other.Window = 4, time.Second
	for g := range 8 {
		all.Go(func() {
			for i := range 3000 {
				call, err := b.Allow()
				if err != nil {
					rejected.Add(1)
				} else {
					call.Retry()
					call.Done(Outcome((i*7 + g) % 3))
					done.Add(1)
				}
				switch i % 500 {
				case 1:
					set.Get(Key{Target: fmt.Sprint(i, g)}).Force(Force(i % 3))
				case 2:
					set.Statuses()
				case 3:
					if err := set.Update(other); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	_, c := b.look()
	if sum := c.outcomes[0] + c.outcomes[1] + c.outcomes[2]; sum != done.Load() || c.rejected != rejected.Load() {
		t.Errorf("%d results and %d rejections were counted, want %d and %d", sum, c.rejected, done.Load(), rejected.Load())
	}
}

// newSet returns a set with the defaults but for what tweak changes.
func newSet(t testing.TB, tweak func(*Settings), o Options) *Set {
	t.Helper()
	s := Defaults()
	if tweak != nil {
		tweak(&s)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	set, err := NewSet(s, o)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func allow(t testing.TB, b *Breaker) Call {
	t.Helper()
	call, err := b.Allow()
	if err != nil {
		t.Fatal(err)
	}
	return call
}

// play makes a call for each letter: s succeeds, f fails, i is ignored.
func play(t testing.TB, b *Breaker, outcomes string) {
	t.Helper()
	for _, letter := range outcomes {
		call := allow(t, b)
		call.Done(map[rune]Outcome{'s': Success, 'f': Failure, 'i': Ignored}[letter])
	}
}

// trip opens a breaker with the default settings.
func trip(t testing.TB, b *Breaker) {
	t.Helper()
	play(t, b, strings.Repeat("f", 20))
}
