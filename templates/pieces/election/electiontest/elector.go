package electiontest

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fractl/fractl/templates/pieces/election"
)

// takeTurns lets electors lead and end one after the other. No two may lead at a
// time, and each must have a higher token.
func takeTurns(t *testing.T, e Engine) {
	join := e.New(t)
	h := &history{t: t}
	const electors = 3
	waiting := map[int]*instance{}
	for i := range electors {
		waiting[i] = startInstance(t, join(), e, h)
	}
	for len(waiting) > 0 {
		i := 0
		eventually(t, "somebody leads", func() bool {
			for i = range electors {
				if in, ok := waiting[i]; ok && in.elector.State().Leads(time.Now()) {
					return true
				}
			}
			return false
		})
		leader := waiting[i].elector.State()
		for j, in := range waiting {
			if j != i {
				eventually(t, "the others know the leader", func() bool {
					s := in.elector.State()
					return s.Role == election.Follower && s.Leader == leader.Leader
				})
			}
		}
		waiting[i].stop()
		if s := waiting[i].elector.State(); s.Role != election.Idle {
			t.Errorf("after its end an elector is %s", s.Role)
		}
		delete(waiting, i)
	}
	if n := h.terms.Load(); n != electors {
		t.Errorf("%d terms, want %d", n, electors)
	}
}

// cutOff cuts a leader off from the place of its lease. It must stop before
// another one leads, and follow when it can see again.
func cutOff(t *testing.T, e Engine) {
	join := e.New(t)
	h := &history{t: t}
	cut := NewFaulty(join())
	a := startInstance(t, cut, e, h)
	eventually(t, "a leads", func() bool { return a.elector.State().Role == election.Leader })
	b := startInstance(t, join(), e, h)
	eventually(t, "b follows", func() bool { return b.elector.State().Leader == a.elector.ID() })

	cut.Break()
	eventually(t, "b leads", func() bool { return b.elector.State().Role == election.Leader })
	if s := a.elector.State(); s.Role == election.Leader {
		t.Errorf("a is still %s", s.Role)
	}
	eventually(t, "a does not claim to know the leader", func() bool { return a.elector.State().Leader == "" })
	if a.elector.Failures() == 0 || a.elector.Check(t.Context()) == nil {
		t.Error("a does not tell that it is cut off")
	}
	cut.Mend()
	eventually(t, "a follows b", func() bool { return a.elector.State().Leader == b.elector.ID() })
	if err := a.elector.Check(t.Context()); err != nil {
		t.Error(err)
	}
	a.stop()
	b.stop()
}

// history watches the terms of several electors.
type history struct {
	t     *testing.T
	mu    sync.Mutex
	work  int            // running now
	last  election.Token // highest so far
	terms atomic.Int32
}

func (h *history) begin(token election.Token) {
	h.terms.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.work++; h.work != 1 {
		h.t.Errorf("token %d: %d leaders at work at a time", token, h.work)
	}
	if token <= h.last {
		h.t.Errorf("token %d after %d", token, h.last)
	}
	h.last = token
}

func (h *history) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.work--
}

// instance is an elector at work.
type instance struct {
	elector *election.Elector
	stop    func()
}

func startInstance(t *testing.T, l election.Lease, e Engine, h *history) *instance {
	t.Helper()
	elector, err := election.New(l, election.Options{TTL: e.TTL, Margin: e.TTL / 2, Log: slog.New(slog.DiscardHandler), RetryMin: 5 * time.Millisecond, RetryMax: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- elector.Run(ctx, func(ctx context.Context, token election.Token) error {
			h.begin(token)
			<-ctx.Done()
			h.end()
			return nil
		}, nil)
	}()
	in := &instance{elector: elector, stop: sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})}
	t.Cleanup(in.stop)
	return in
}

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not in time: ", what)
		}
	}
}

// Faulty is a lease whose place can be cut off.
type Faulty struct {
	election.Lease
	mu     sync.Mutex
	broken chan struct{} // closed while it is
}

// ErrCut is the error of a lease that is cut off.
var ErrCut = errors.New("the place of the lease cannot be reached")

// NewFaulty returns a view of the lease that works until it is broken.
func NewFaulty(l election.Lease) *Faulty { return &Faulty{Lease: l, broken: make(chan struct{})} }

// Break makes all calls fail, also those that wait.
func (f *Faulty) Break() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.broken)
}

// Mend lets calls through again.
func (f *Faulty) Mend() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken = make(chan struct{})
}

func (f *Faulty) cut() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.broken
}

// through makes a call unless the lease is cut off, and ends it when it is.
func (f *Faulty) through(ctx context.Context, call func(ctx context.Context) error) error {
	cut := f.cut()
	select {
	case <-cut:
		return ErrCut
	default:
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-cut:
			cancel(ErrCut)
		case <-ctx.Done():
		}
	}()
	err := call(ctx)
	if errors.Is(context.Cause(ctx), ErrCut) {
		return ErrCut
	}
	return err
}

// Acquire implements election.Lease.
func (f *Faulty) Acquire(ctx context.Context, candidate string, ttl time.Duration) (held election.Holder, won bool, err error) {
	err = f.through(ctx, func(ctx context.Context) (err error) {
		held, won, err = f.Lease.Acquire(ctx, candidate, ttl)
		return err
	})
	return held, won && err == nil, err
}

// Renew implements election.Lease.
func (f *Faulty) Renew(ctx context.Context, candidate string, token election.Token, ttl time.Duration) error {
	return f.through(ctx, func(ctx context.Context) error { return f.Lease.Renew(ctx, candidate, token, ttl) })
}

// Release implements election.Lease.
func (f *Faulty) Release(ctx context.Context, candidate string, token election.Token) error {
	return f.through(ctx, func(ctx context.Context) error { return f.Lease.Release(ctx, candidate, token) })
}

// Wait implements election.Lease.
func (f *Faulty) Wait(ctx context.Context, held election.Holder) error {
	return f.through(ctx, func(ctx context.Context) error { return f.Lease.Wait(ctx, held) })
}
