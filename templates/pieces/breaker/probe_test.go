package breaker

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// However many come at once, exactly as many pass as must succeed.
func TestProbesAreBounded(t *testing.T) {
	for _, probes := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			b := newSet(t, func(s *Settings) { s.Probes = probes }, Options{}).Get(auth)
			trip(t, b)
			time.Sleep(b.Status().RetryAfter)
			var passed, rejected atomic.Int64
			var calls sync.Map
			var all sync.WaitGroup
			for i := range 1000 {
				all.Go(func() {
					call, err := b.Allow()
					if err != nil {
						rejected.Add(1)
						return
					}
					passed.Add(1)
					calls.Store(i, &call)
				})
			}
			all.Wait()
			if passed.Load() != int64(probes) || rejected.Load() != int64(1000-probes) {
				t.Fatalf("%d calls pass and %d do not, want %d probes", passed.Load(), rejected.Load(), probes)
			}
			left := probes
			calls.Range(func(_, call any) bool {
				if got := b.State(); got != HalfOpen {
					t.Errorf("with %d of %d probes to come it is %v", left, probes, got)
				}
				call.(*Call).Done(Success)
				if left--; left > 0 { // what succeeded keeps its place
					if _, err := b.Allow(); err == nil {
						t.Error("one more probe passes than has to succeed")
					}
				}
				return true
			})
			if got := b.State(); got != Closed {
				t.Errorf("after %d probes it is %v", probes, got)
			}
		})
	}
}

func TestOneFailedProbeOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSet(t, func(s *Settings) { s.Probes = 3 }, Options{}).Get(auth)
		trip(t, b)
		time.Sleep(b.Status().RetryAfter)
		first, second := allow(t, b), allow(t, b)
		first.Done(Success)
		second.Done(Failure)
		if got := b.State(); got != Open {
			t.Errorf("after a failed probe it is %v", got)
		}
	})
}

func TestIgnoredProbeGivesItsPlaceBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSet(t, nil, Options{}).Get(auth)
		trip(t, b)
		time.Sleep(b.Status().RetryAfter)
		for range 100 {
			call := allow(t, b)
			call.Done(Ignored)
		}
		call := allow(t, b)
		call.Done(Success)
		if got := b.State(); got != Closed {
			t.Errorf("it is %v", got)
		}
	})
}

// A probe that never comes back, deaf to its context, is a failure after its
// time, and what it says later changes nothing.
func TestHungProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSet(t, func(s *Settings) { s.OpenFor, s.OpenJitter, s.ProbeTimeout = 10*time.Second, 0, 5*time.Second }, Options{}).Get(auth)
		trip(t, b)
		for range 25 {
			time.Sleep(10 * time.Second)
			hung := allow(t, b) // and forgotten
			if !hung.IsProbe() {
				t.Fatal("it is no probe")
			}
			if _, err := b.Allow(); err == nil {
				t.Fatal("a second probe passes")
			}
			time.Sleep(5 * time.Second)
			if got := b.State(); got != Open {
				t.Fatalf("after the time of the probe it is %v", got)
			}
			hung.Done(Success)
			if got := b.State(); got != Open {
				t.Fatalf("a probe that comes too late makes it %v", got)
			}
		}
		time.Sleep(10 * time.Second)
		call := allow(t, b)
		call.Done(Success)
		if got := b.State(); got != Closed {
			t.Errorf("it does not recover: %v", got)
		}
		if _, c := b.look(); c.probes[probeHung] != 25 || c.late != 25 {
			t.Errorf("%d probes hung and %d results were late, want 25 of each", c.probes[probeHung], c.late)
		}
	})
}

// A probe has a deadline, whatever the caller gave.
func TestProbeHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSet(t, nil, Options{}).Get(auth)
		trip(t, b)
		time.Sleep(b.Status().RetryAfter)
		start := time.Now()
		err := b.Do(t.Context(), func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 5*time.Second {
			t.Errorf("a probe ends after %v with %v", time.Since(start), err)
		}
		if got := b.State(); got != Open {
			t.Errorf("it is %v", got)
		}
	})
}

// The deadline of a stream is for its answer only.
func TestAnsweredProbeGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSet(t, nil, Options{}).Get(auth)
		trip(t, b)
		time.Sleep(b.Status().RetryAfter)
		ctx, call, err := b.StartStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(4 * time.Second)
		call.Answered()
		if got := b.State(); got != Closed {
			t.Errorf("after an answer it is %v", got)
		}
		time.Sleep(time.Hour)
		if ctx.Err() != nil {
			t.Errorf("the stream is cut: %v", context.Cause(ctx))
		}
		play(t, b, strings.Repeat("f", 19))
		call.Done(Failure) // it broke in the end, which counts as any failure
		if got := b.State(); got != Open {
			t.Errorf("after 20 failures it is %v", got)
		}
		if ctx.Err() == nil {
			t.Error("the context of the probe outlives it")
		}
	})
}

func TestUnansweredStreamIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSet(t, nil, Options{}).Get(auth)
		trip(t, b)
		time.Sleep(b.Status().RetryAfter)
		ctx, call, err := b.StartStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		<-ctx.Done()
		if cause := context.Cause(ctx); !errors.Is(cause, ErrProbeTimeout) || !errors.Is(cause, context.DeadlineExceeded) {
			t.Errorf("it is cut by %v", cause)
		}
		call.Answered() // too late
		call.Done(Success)
		if got := b.State(); got != Open {
			t.Errorf("it is %v", got)
		}
	})
}
