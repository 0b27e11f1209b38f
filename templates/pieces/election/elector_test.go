package election_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/fractl/fractl/templates/pieces/election"
	"github.com/fractl/fractl/templates/pieces/election/electiontest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemory(t *testing.T) {
	electiontest.Run(t, electiontest.Engine{New: func(testing.TB) func() election.Lease {
		m := electiontest.NewMemory()
		return func() election.Lease { return m }
	}})
}

const (
	ttl    = 10 * time.Second
	margin = 2 * time.Second
)

func newElector(t *testing.T, l election.Lease, id string) *election.Elector {
	t.Helper()
	e, err := election.New(l, election.Options{ID: id, TTL: ttl, Margin: margin, Drain: time.Minute, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// diary notes what happens, and when, in the time of a bubble.
type diary struct {
	begin time.Time
	mu    sync.Mutex
	lines []string
}

func newDiary() *diary { return &diary{begin: time.Now()} }

func (d *diary) note(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf("%v ", time.Since(d.begin).Round(time.Millisecond))+fmt.Sprintf(format, args...))
}

func (d *diary) want(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(d.lines, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(d.lines, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// run runs an elector until stop is called, with work that notes its time.
func run(t *testing.T, e *election.Elector, d *diary, work func(ctx context.Context) error) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- e.Run(ctx, func(ctx context.Context, token election.Token) error {
			d.note("%s leads with %d", e.ID(), token)
			err := work(ctx)
			d.note("%s is done with %d", e.ID(), token)
			return err
		}, func(token election.Token, reason error) {
			d.note("%s lost %d: %v", e.ID(), token, reason)
		})
	}()
	return func() error {
		cancel()
		return <-ended
	}
}

func untilEnd(ctx context.Context) error { <-ctx.Done(); return nil }

// The program of the leader ends: it leads until its work is done, however long
// that takes, and then the next one does at once.
func TestResignAfterTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, d := electiontest.NewMemory(), newDiary()
		a, b := newElector(t, m, "a"), newElector(t, m, "b")
		if s := a.State(); s.Role != election.Idle {
			t.Errorf("before Run: %+v", s)
		}
		stopA := run(t, a, d, func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(45 * time.Second) // several leases
			return nil
		})
		synctest.Wait()
		stopB := run(t, b, d, untilEnd)
		time.Sleep(time.Minute)
		if s := a.State(); s.Role != election.Leader || s.Leader != "a" || s.Token != 1 || !s.Leads(time.Now()) {
			t.Errorf("a: %+v", s)
		}
		if s := b.State(); s.Role != election.Follower || s.Leader != "a" || s.Token != 1 || s.Leads(time.Now()) || time.Since(s.ObservedAt) > ttl {
			t.Errorf("b: %+v", s)
		}
		go func() {
			time.Sleep(30 * time.Second)
			if s := a.State(); s.Role != election.Resigning {
				t.Errorf("while a's work ends: %+v", s)
			}
		}()
		if err := stopA(); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if err := stopB(); err != nil {
			t.Error(err)
		}
		for _, e := range []*election.Elector{a, b} {
			if s := e.State(); s.Role != election.Idle || s.Leader != "" || s.Token != 0 {
				t.Errorf("after Run: %+v", s)
			}
		}
		d.want(t,
			"0s a leads with 1",
			"1m45s a is done with 1",
			"1m45s a lost 1: context canceled",
			"1m45s b leads with 2",
			"1m45s b is done with 2",
			"1m45s b lost 2: context canceled")
	})
}

// The leader cannot reach the place of its lease: its context ends before the
// lease does, with nobody telling it.
func TestLeaderEndsBeforeItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, d := electiontest.NewMemory(), newDiary()
		cut := electiontest.NewFaulty(m)
		a, b := newElector(t, cut, "a"), newElector(t, m, "b")
		stopA := run(t, a, d, untilEnd)
		synctest.Wait()
		stopB := run(t, b, d, untilEnd)
		// The renewal of 2m40s is the last that is confirmed.
		time.Sleep(2*time.Minute + 41*time.Second)
		cut.Break()
		time.Sleep(3 * time.Second)
		if !a.State().Leads(time.Now()) {
			t.Error("a gave up at the first failure")
		}
		time.Sleep(time.Minute)
		if s := a.State(); s.Role != election.Follower || s.Leader != "" {
			t.Errorf("a, cut off: %+v", s)
		}
		cut.Mend()
		time.Sleep(time.Minute)
		if s := a.State(); s.Role != election.Follower || s.Leader != "b" || s.Token != 2 {
			t.Errorf("a, connected again: %+v", s)
		}
		for _, stop := range []func() error{stopA, stopB} {
			if err := stop(); err != nil {
				t.Error(err)
			}
		}
		d.want(t,
			"0s a leads with 1",
			"2m48s a is done with 1",
			"2m48s a lost 1: lease not renewed in time",
			"2m50s b leads with 2",
			"4m44s b is done with 2",
			"4m44s b lost 2: context canceled")
	})
}

// The place of the lease says that it is another's: there is no reason to wait
// for the deadline.
func TestLeaseTakenAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, d := electiontest.NewMemory(), newDiary()
		a, b := newElector(t, m, "a"), newElector(t, m, "b")
		stopA := run(t, a, d, untilEnd)
		synctest.Wait()
		stopB := run(t, b, d, untilEnd)
		time.Sleep(time.Second)
		m.Jump(time.Hour) // the lease ends early
		time.Sleep(5 * time.Second)
		if s := a.State(); s.Leader != "b" || s.Role != election.Follower {
			t.Errorf("a: %+v", s)
		}
		_, _ = stopA(), stopB()
		d.want(t,
			"0s a leads with 1",
			"1s b leads with 2",
			"2.667s a is done with 1",
			"2.667s a lost 1: lease lost",
			"6s b is done with 2",
			"6s b lost 2: context canceled")
	})
}

// Work that fails, or panics, is for another instance to try: this one resigns,
// and waits longer each time.
func TestWorkFails(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error": func() error { return errors.New("disk full") },
		"panic": func() error { panic("disk full") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := electiontest.NewMemory()
				a := newElector(t, m, "a")
				var at []time.Time
				stop := run(t, a, newDiary(), func(context.Context) error {
					at = append(at, time.Now())
					return fail()
				})
				time.Sleep(time.Minute)
				if err := stop(); err != nil {
					t.Error(err)
				}
				// 0.1 s, doubled up to 5 s, each with jitter down to half.
				if len(at) < 12 || len(at) > 30 {
					t.Errorf("tried %d times in a minute", len(at))
				}
				if last := at[len(at)-1].Sub(at[len(at)-2]); last < 2500*time.Millisecond || last > 5*time.Second {
					t.Errorf("the last pause is %s", last)
				}
				if h := m.Holder(); h.ID != "" {
					t.Errorf("the lease is still held: %+v", h)
				}
			})
		})
	}
}

// Work that returns without an error has nothing left to do, and its instance
// remains the leader.
func TestWorkReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary()
		a := newElector(t, electiontest.NewMemory(), "a")
		stop := run(t, a, d, func(context.Context) error { return nil })
		time.Sleep(time.Minute)
		if !a.State().Leads(time.Now()) {
			t.Error("it does not lead any more")
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		d.want(t, "0s a leads with 1", "0s a is done with 1", "1m0s a lost 1: context canceled")
	})
}

// Work that does not end keeps its lease for the time that it is given, and then
// the lease is left to end by itself: nobody else may begin before.
func TestWorkDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := electiontest.NewMemory()
		a := newElector(t, m, "a")
		finally := make(chan struct{})
		stop := run(t, a, newDiary(), func(context.Context) error { <-finally; return nil })
		time.Sleep(time.Minute)
		began := time.Now()
		var late *election.DrainError
		if err := stop(); !errors.As(err, &late) || late.Limit != time.Minute {
			t.Errorf("got %v, want a DrainError", err)
		}
		if took := time.Since(began); took != time.Minute {
			t.Errorf("it took %s", took)
		}
		if h := m.Holder(); h.ID != "a" {
			t.Errorf("the lease was given up while the work ran: %+v", h)
		}
		time.Sleep(ttl)
		if h := m.Holder(); h.ID != "" {
			t.Errorf("the lease goes on: %+v", h)
		}
		close(finally)
	})
}

// Until the work of a term has returned, there is no next one in this instance.
func TestOneTermAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, d := electiontest.NewMemory(), newDiary()
		cut := electiontest.NewFaulty(m)
		a := newElector(t, cut, "a")
		stop := run(t, a, d, func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(50 * time.Second)
			return nil
		})
		synctest.Wait()
		cut.Break()
		time.Sleep(20 * time.Second)
		cut.Mend()
		time.Sleep(60 * time.Second)
		if s := a.State(); s.Role != election.Leader || s.Token != 2 {
			t.Errorf("%+v", s)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		d.want(t,
			"0s a leads with 1",
			"58s a is done with 1",
			"58s a lost 1: lease not renewed in time",
			"58s a leads with 2",
			"2m10s a is done with 2",
			"2m10s a lost 2: context canceled")
	})
}

// slow is a lease whose renewals are confirmed late.
type slow struct {
	*electiontest.Memory
	by time.Duration
}

func (s slow) Renew(ctx context.Context, candidate string, token election.Token, ttl time.Duration) error {
	err := s.Memory.Renew(ctx, candidate, token, ttl)
	time.Sleep(s.by)
	return err
}

// A renewal counts from when it was begun: how long its confirmation was under
// way says nothing about the lease.
func TestLateConfirmation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary()
		a := newElector(t, slow{electiontest.NewMemory(), 6 * time.Second}, "a")
		stop := run(t, a, d, untilEnd)
		time.Sleep(7 * time.Second)
		// The renewal of 2.66 s lasts until 12.66 s; it is confirmed at 8.66 s,
		// after the end of what was confirmed before.
		time.Sleep(3 * time.Second)
		_ = stop()
		if want := "8s a is done with 1"; d.lines[1] != want {
			t.Errorf("got %s, want %s", d.lines[1], want)
		}
	})
}

// A panic in what is called at the end must not end the program.
func TestOnLostPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := electiontest.NewMemory()
		a := newElector(t, m, "a")
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			ended <- a.Run(ctx, func(ctx context.Context, _ election.Token) error { return untilEnd(ctx) },
				func(election.Token, error) { panic("lost") })
		}()
		synctest.Wait()
		cancel()
		if err := <-ended; err != nil || m.Holder().ID != "" {
			t.Errorf("%v, holder %+v", err, m.Holder())
		}
	})
}

func TestRunOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newElector(t, electiontest.NewMemory(), "a")
		if err := a.Run(t.Context(), nil, nil); err == nil {
			t.Error("no work is accepted")
		}
		stop := run(t, a, newDiary(), untilEnd)
		synctest.Wait()
		if err := a.Run(t.Context(), func(context.Context, election.Token) error { return nil }, nil); err == nil {
			t.Error("it runs twice at a time")
		}
		_ = stop()
		stop = run(t, a, newDiary(), untilEnd)
		synctest.Wait()
		if s := a.State(); s.Token != 2 {
			t.Errorf("run again: %+v", s)
		}
		_ = stop()
	})
}

func TestChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cut := electiontest.NewFaulty(electiontest.NewMemory())
		a := newElector(t, cut, "a")
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if a.Check(short) == nil || a.Leading(t.Context()) == nil {
			t.Error("good before the start")
		}
		stop := run(t, a, newDiary(), untilEnd)
		synctest.Wait()
		if err := errors.Join(a.Check(t.Context()), a.Leading(t.Context())); err != nil {
			t.Error(err)
		}
		cut.Break()
		time.Sleep(time.Minute)
		if err := a.Check(t.Context()); !errors.Is(err, electiontest.ErrCut) || a.Leading(t.Context()) == nil || a.Failures() < 10 {
			t.Errorf("cut off: %v, %d failures", err, a.Failures())
		}
		_ = stop()
	})
}

func TestNewRefuses(t *testing.T) {
	m := electiontest.NewMemory()
	for name, o := range map[string]election.Options{
		"margin":   {TTL: time.Second, Margin: 501 * time.Millisecond},
		"negative": {TTL: -time.Second},
		"drain":    {Drain: -1},
	} {
		if _, err := election.New(m, o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := election.New(nil, election.Options{}); err == nil {
		t.Error("no lease is accepted")
	}
	a, err := election.New(m, election.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := election.New(m, election.Options{})
	if err != nil || a.ID() == b.ID() {
		t.Errorf("%v; two instances are called %s", err, a.ID())
	}
}
