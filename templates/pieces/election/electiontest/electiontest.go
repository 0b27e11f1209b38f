// Package electiontest checks that an engine keeps the promises of
// election.Lease. Every engine runs it in its own tests:
//
//	electiontest.Run(t, electiontest.Engine{New: func(t testing.TB) func() election.Lease {
//		... // a lock that nobody has used
//		return func() election.Lease { ... } // as one more instance sees it
//	}})
package electiontest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fractl/fractl/templates/pieces/election"
)

// Engine is what is checked.
type Engine struct {
	// New makes a lock that nobody has used, and returns what gives one more
	// instance its view of it. Both clean up after themselves.
	New func(t testing.TB) (join func() election.Lease)
	// TTL is the time of leases in the tests; 0 means one second.
	TTL time.Duration
	// Grace is how much later than its TTL a lease may end; 0 means one second.
	Grace time.Duration
	// Endless is true for an engine whose leases end with their process only.
	Endless bool
}

// patience is when a test gives up to wait.
const patience = 30 * time.Second

// Run runs all checks.
func Run(t *testing.T, e Engine) {
	e.TTL = cmp.Or(e.TTL, time.Second)
	e.Grace = cmp.Or(e.Grace, time.Second)
	for _, c := range []struct {
		name    string
		check   func(t *testing.T, e Engine)
		endless bool // also for an engine whose leases do not end
	}{
		{"one holder", oneHolder, true},
		{"many at once", manyAtOnce, true},
		{"tokens rise", tokensRise, true},
		{"an unheard grant", unheardGrant, true},
		{"release", release, true},
		{"release of another term", releaseOfAnotherTerm, true},
		{"wait ends with its context", waitEnds, true},
		{"no call with an ended context", endedContext, true},
		{"renewal", renewal, true},
		{"a lease ends", leaseEnds, false},
		{"a late renewal", lateRenewal, false},
		{"electors take turns", takeTurns, true},
		{"a leader that is cut off", cutOff, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if e.Endless && !c.endless {
				t.Skip("the leases of this engine end with their process")
			}
			t.Parallel()
			c.check(t, e)
		})
	}
}

func oneHolder(t *testing.T, e Engine) {
	join := e.New(t)
	a, b := join(), join()
	token := mustAcquire(t, a, "a", e.TTL)
	held, won, err := b.Acquire(t.Context(), "b", e.TTL)
	if err != nil || won {
		t.Fatalf("b got a lease that a holds: won %t, %v", won, err)
	}
	if want := (election.Holder{ID: "a", Token: token}); held != want && held != (election.Holder{ID: "a"}) {
		t.Errorf("b is told that the holder is %+v, want %+v", held, want)
	}
	if err := a.Renew(t.Context(), "a", token, e.TTL); err != nil {
		t.Errorf("the holder cannot renew: %v", err)
	}
	for name, err := range map[string]error{
		"another candidate":          b.Renew(t.Context(), "b", token, e.TTL),
		"an earlier term":            a.Renew(t.Context(), "a", token-1, e.TTL),
		"a term that is yet to come": a.Renew(t.Context(), "a", token+1, e.TTL),
	} {
		if !errors.Is(err, election.ErrLost) {
			t.Errorf("renewal by %s: %v, want ErrLost", name, err)
		}
	}
}

func manyAtOnce(t *testing.T, e Engine) {
	join := e.New(t)
	const candidates = 8
	var leases []election.Lease
	for range candidates {
		leases = append(leases, join())
	}
	for round := range 3 {
		var winners atomic.Int32
		var tokens sync.Map
		var running sync.WaitGroup
		for i, l := range leases {
			running.Go(func() {
				id := fmt.Sprint("candidate-", i)
				held, won, err := l.Acquire(t.Context(), id, e.TTL)
				if err != nil {
					t.Errorf("round %d: %v", round, err)
				}
				if won {
					winners.Add(1)
					tokens.Store(i, held.Token)
				}
			})
		}
		running.Wait()
		if n := winners.Load(); n != 1 {
			t.Fatalf("round %d: %d candidates won, want 1", round, n)
		}
		tokens.Range(func(i, token any) bool {
			if err := leases[i.(int)].Release(t.Context(), fmt.Sprint("candidate-", i), token.(election.Token)); err != nil {
				t.Error(err)
			}
			return true
		})
	}
}

func tokensRise(t *testing.T, e Engine) {
	join := e.New(t)
	leases := []election.Lease{join(), join()}
	last := election.Token(0)
	for i := range 6 {
		l, id := leases[i%2], fmt.Sprint("candidate-", i%2)
		token := mustAcquire(t, l, id, e.TTL)
		if token <= last {
			t.Fatalf("token %d after %d", token, last)
		}
		last = token
		if err := l.Renew(t.Context(), id, token, e.TTL); err != nil {
			t.Fatal(err)
		}
		if err := l.Release(t.Context(), id, token); err != nil {
			t.Fatal(err)
		}
	}
}

// The answer to a grant was lost on its way: the candidate holds the lease and
// does not know. It must not have to wait for its own lease to end.
func unheardGrant(t *testing.T, e Engine) {
	join := e.New(t)
	a, b := join(), join()
	first := mustAcquire(t, a, "a", e.TTL)
	second := mustAcquire(t, a, "a", e.TTL)
	if second <= first {
		t.Errorf("token %d after %d", second, first)
	}
	if err := a.Renew(t.Context(), "a", first, e.TTL); !errors.Is(err, election.ErrLost) {
		t.Errorf("renewal of the first grant: %v, want ErrLost", err)
	}
	if err := a.Release(t.Context(), "a", first); err != nil {
		t.Error(err)
	}
	if _, won, err := b.Acquire(t.Context(), "b", e.TTL); won || err != nil {
		t.Errorf("the release of the first grant freed the second: won %t, %v", won, err)
	}
	if err := a.Renew(t.Context(), "a", second, e.TTL); err != nil {
		t.Error(err)
	}
}

func release(t *testing.T, e Engine) {
	join := e.New(t)
	a, b := join(), join()
	const long = time.Hour // nothing but the release can free it
	token := mustAcquire(t, a, "a", long)
	held, won, err := b.Acquire(t.Context(), "b", long)
	if err != nil || won {
		t.Fatal(won, err)
	}
	got := make(chan election.Token, 1)
	go func() { got <- await(t, b, "b", long, held) }()
	if err := a.Release(t.Context(), "a", token); err != nil {
		t.Fatal(err)
	}
	if next := <-got; next <= token {
		t.Errorf("token %d after %d", next, token)
	}
	if err := a.Renew(t.Context(), "a", token, long); !errors.Is(err, election.ErrLost) {
		t.Errorf("renewal after the release: %v, want ErrLost", err)
	}
}

func releaseOfAnotherTerm(t *testing.T, e Engine) {
	join := e.New(t)
	a, b := join(), join()
	first := mustAcquire(t, a, "a", e.TTL)
	if err := a.Release(t.Context(), "a", first); err != nil {
		t.Fatal(err)
	}
	second := mustAcquire(t, b, "b", e.TTL)
	for range 2 {
		if err := a.Release(t.Context(), "a", first); err != nil {
			t.Errorf("release of a term that is over: %v", err)
		}
	}
	if err := b.Renew(t.Context(), "b", second, e.TTL); err != nil {
		t.Errorf("the release of an earlier term ended a later one: %v", err)
	}
}

func waitEnds(t *testing.T, e Engine) {
	join := e.New(t)
	a, b := join(), join()
	mustAcquire(t, a, "a", time.Hour)
	held, _, err := b.Acquire(t.Context(), "b", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			_ = b.Wait(ctx, held) // whatever it returns, it returns
		}
	}()
	time.Sleep(20 * time.Millisecond)
	cancel()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("Wait does not end with its context")
	}
}

func endedContext(t *testing.T, e Engine) {
	join := e.New(t)
	a, b := join(), join()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, won, err := a.Acquire(ctx, "a", e.TTL); won || err == nil {
		t.Errorf("Acquire: won %t, %v; want an error", won, err)
	}
	token := mustAcquire(t, b, "b", e.TTL)
	if err := b.Renew(ctx, "b", token, e.TTL); err == nil || errors.Is(err, election.ErrLost) {
		t.Errorf("Renew: %v; want an error that does not say that the lease is lost", err)
	}
}

func renewal(t *testing.T, e Engine) {
	join := e.New(t)
	a, b := join(), join()
	token := mustAcquire(t, a, "a", e.TTL)
	for began := time.Now(); time.Since(began) < 5*e.TTL/2+e.Grace; time.Sleep(e.TTL / 4) {
		if err := a.Renew(t.Context(), "a", token, e.TTL); err != nil {
			t.Fatal(err)
		}
		if held, won, err := b.Acquire(t.Context(), "b", e.TTL); won || err != nil || held.ID != "a" {
			t.Fatalf("while a renews: won %t, %v, holder %+v", won, err, held)
		}
	}
}

func leaseEnds(t *testing.T, e Engine) {
	join := e.New(t)
	a, b := join(), join()
	from := time.Now()
	token := mustAcquire(t, a, "a", e.TTL)
	held, won, err := b.Acquire(t.Context(), "b", e.TTL)
	if err != nil || won {
		t.Fatal(won, err)
	}
	next := await(t, b, "b", e.TTL, held)
	took := time.Since(from)
	// An engine may count in milliseconds; this is about more than that.
	if took < e.TTL-5*time.Millisecond {
		t.Errorf("free after %s, before the end of the lease of %s", took, e.TTL)
	}
	t.Logf("taken over %s after the grant of a lease of %s", took.Round(time.Millisecond), e.TTL)
	if next <= token {
		t.Errorf("token %d after %d", next, token)
	}
	if err := a.Renew(t.Context(), "a", token, e.TTL); !errors.Is(err, election.ErrLost) {
		t.Errorf("renewal of the ended lease: %v, want ErrLost", err)
	}
	if err := a.Release(t.Context(), "a", token); err != nil {
		t.Error(err)
	}
	if err := b.Renew(t.Context(), "b", next, e.TTL); err != nil {
		t.Errorf("the former holder ended the lease of the next one: %v", err)
	}
}

// A holder that was paused past its lease and comes back while nobody has taken
// it may have it back or be told that it is lost; but after that it is held, or
// it is not.
func lateRenewal(t *testing.T, e Engine) {
	join := e.New(t)
	a, b := join(), join()
	token := mustAcquire(t, a, "a", e.TTL)
	time.Sleep(e.TTL + e.Grace)
	renewed := a.Renew(t.Context(), "a", token, e.TTL)
	if renewed != nil && !errors.Is(renewed, election.ErrLost) {
		t.Fatal(renewed)
	}
	held, won, err := b.Acquire(t.Context(), "b", e.TTL)
	if err != nil {
		t.Fatal(err)
	}
	if renewed == nil && won {
		t.Errorf("two holders: a has renewed, b was given token %d", held.Token)
	}
	if won && held.Token <= token {
		t.Errorf("token %d after %d", held.Token, token)
	}
}

// mustAcquire takes a lease that must be free.
func mustAcquire(t testing.TB, l election.Lease, id string, ttl time.Duration) election.Token {
	t.Helper()
	held, won, err := l.Acquire(t.Context(), id, ttl)
	if err != nil {
		t.Fatalf("acquire by %s: %v", id, err)
	}
	if !won || held.ID != id || held.Token <= 0 {
		t.Fatalf("acquire by %s: won %t, holder %+v", id, won, held)
	}
	return held.Token
}

// await takes a lease as soon as it is free.
func await(t testing.TB, l election.Lease, id string, ttl time.Duration, held election.Holder) election.Token {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		if err := l.Wait(ctx, held); err != nil {
			t.Errorf("wait: %v", err)
			return 0
		}
		next, won, err := l.Acquire(ctx, id, ttl)
		if err != nil {
			t.Errorf("acquire: %v", err)
			return 0
		}
		if won {
			return next.Token
		}
		held = next
	}
}
