package main

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"
)

// The tests in this file hold what package breaker says of gobreaker: where one
// fails, a newer version has become better, and the decision is worth another
// look.

func fail(b *gobreaker.TwoStepCircuitBreaker[any], times int) {
	for range times {
		if done, err := b.Allow(); err == nil {
			done(errDown)
		}
	}
}

func TestHalfOpenHasNoEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{MaxRequests: 1, Timeout: time.Minute})
		fail(b, 6)
		time.Sleep(time.Minute + 1)
		if _, err := b.Allow(); err != nil { // and hangs
			t.Fatal(err)
		}
		time.Sleep(1000 * time.Hour)
		if _, err := b.Allow(); !errors.Is(err, gobreaker.ErrTooManyRequests) {
			t.Errorf("after 1000 hours: %v", err)
		}
	})
}

func TestListenerRunsUnderTheLock(t *testing.T) {
	told := make(chan struct{})
	free := make(chan struct{})
	b := gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{OnStateChange: func(string, gobreaker.State, gobreaker.State) {
		close(told)
		<-free
	}})
	go fail(b, 6)
	<-told
	answered := make(chan struct{})
	go func() {
		b.State()
		close(answered)
	}()
	select {
	case <-answered:
		t.Error("the state can be asked for while a listener is told")
	case <-time.After(50 * time.Millisecond):
	}
	close(free)
	<-answered
}

func TestTimeoutsDoNotVary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var breakers []*gobreaker.TwoStepCircuitBreaker[any]
		for range 20 {
			b := gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{Timeout: time.Minute})
			fail(b, 6)
			breakers = append(breakers, b)
		}
		time.Sleep(time.Minute)
		for _, b := range breakers {
			if b.State() != gobreaker.StateOpen {
				t.Error("one comes back before the others")
			}
		}
		time.Sleep(1)
		for _, b := range breakers {
			if b.State() != gobreaker.StateHalfOpen {
				t.Error("one comes back after the others")
			}
		}
	})
}

func TestTwoStepAllocates(t *testing.T) {
	b := gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{})
	if got := testing.AllocsPerRun(100, func() {
		done, err := b.Allow()
		if err == nil {
			done(nil)
		}
	}); got < 1 {
		t.Errorf("it allocates %v times", got)
	}
}

func TestLateResultsVanish(t *testing.T) {
	b := gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{})
	late, err := b.Allow()
	if err != nil {
		t.Fatal(err)
	}
	fail(b, 6)
	before := b.Counts()
	late(nil)
	if b.Counts() != before {
		t.Error("a late result is counted somewhere")
	}
}
