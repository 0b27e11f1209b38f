package breaker

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// The tests in this file, and in that of the same name in package grpc, are about
// a much copied recipe: one gobreaker for a whole program, around the unary calls
// of gRPC.
//
//	var cb = gobreaker.NewCircuitBreaker(gobreaker.Settings{
//		Name: "user-service-client", MaxRequests: 3, Timeout: 60 * time.Second,
//		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures > 5 },
//		OnStateChange: func(name string, from, to gobreaker.State) { log.Printf("CB %s: %s → %s", name, from, to) },
//	})
//
// recipe is that breaker: what gobreaker does with these settings, rule by rule.
// Each test shows a fault of it, and that this package does not have it.
type recipe struct {
	mu            sync.Mutex
	state         State
	generation    int
	requests      int
	failures      int // in a row
	successes     int // in a row
	expiry        time.Time
	onStateChange func(from, to State)
}

const (
	recipeMaxRequests = 3
	recipeTimeout     = 60 * time.Second
)

var errRecipeOpen = errors.New("circuit breaker is open")

// Execute makes a call where it may take place.
func (r *recipe) Execute(call func() error) error {
	done, err := r.allow()
	if err != nil {
		return err
	}
	err = call()
	done(err)
	return err
}

func (r *recipe) allow() (done func(error), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settle()
	if r.state == Open || r.state == HalfOpen && r.requests >= recipeMaxRequests {
		return nil, errRecipeOpen
	}
	r.requests++
	generation := r.generation
	return func(err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.settle(); generation == r.generation {
			r.count(err)
		}
	}, nil
}

func (r *recipe) count(err error) {
	if err == nil {
		r.failures = 0
		if r.successes++; r.state == HalfOpen && r.successes >= recipeMaxRequests {
			r.enter(Closed)
		}
		return
	}
	r.successes = 0
	if r.failures++; r.state == HalfOpen || r.failures > 5 {
		r.enter(Open)
	}
}

func (r *recipe) settle() {
	if r.state == Open && r.expiry.Before(time.Now()) {
		r.enter(HalfOpen)
	}
}

func (r *recipe) enter(to State) {
	from := r.state
	r.state, r.requests, r.failures, r.successes = to, 0, 0, 0
	r.generation++
	r.expiry = time.Now().Add(recipeTimeout)
	if r.onStateChange != nil {
		r.onStateChange(from, to)
	}
}

var errDown = errors.New("down")

func down() error { return errDown }
func well() error { return nil }

// newRecipes returns the recipe and a breaker with the settings that it means.
func newRecipes(t *testing.T) (*recipe, *Breaker) {
	return &recipe{}, newSet(t, func(s *Settings) {
		s.Trip, s.Consecutive, s.OpenFor, s.OpenJitter = TripConsecutive, 6, recipeTimeout, 0
	}, Options{}).Get(auth)
}

// ours makes a call through the breaker.
func ours(b *Breaker, call func() error) error {
	return b.Do(context.Background(), func(context.Context) error { return call() })
}

// The recipe hands Execute a function whose one result is an error. It takes one
// with two, in version 1 and, with a type argument that the recipe lacks, in
// version 2. That of Do compiles, or this file did not.
func TestSource_DoesNotCompile(t *testing.T) {
	const call = "; func call(invoke func() error) error { return cb.Execute(func() error { return invoke() }) }"
	for name, declared := range map[string]string{
		"version 1": "type Breaker struct{}; func (Breaker) Execute(func() (interface{}, error)) (interface{}, error) { return nil, nil }; var cb Breaker",
		"version 2": "type Breaker[T any] struct{}; func (Breaker[T]) Execute(func() (T, error)) (r T, err error) { return }; var cb Breaker[any]",
	} {
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, "p.go", "package p; "+declared+call, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = new(types.Config).Check("p", files, []*ast.File{file}, nil)
		if err == nil || !strings.Contains(err.Error(), "Execute") {
			t.Errorf("%s: the recipe compiles: %v", name, err)
		}
	}
	if err := ours(newSet(t, nil, Options{}).Get(auth), well); err != nil {
		t.Error(err)
	}
}

// The table of the recipe says that half-open is a single call and one success.
func TestSource_OneProbeIsThree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, b := newRecipes(t)
		for range 6 {
			_ = r.Execute(down)
			_ = ours(b, down)
		}
		time.Sleep(recipeTimeout + 1)
		probes := 0
		for range 10 {
			if _, err := r.allow(); err == nil {
				probes++
			}
		}
		if probes == 1 {
			t.Fatal("the recipe lets one call pass, as it says")
		}
		probe := allow(t, b)
		for range 10 {
			if _, err := b.Allow(); err == nil {
				t.Error("a second probe passes")
			}
		}
		probe.Done(Success)
		if got := b.State(); got != Closed {
			t.Errorf("after one success it is %v", got)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		r, _ := newRecipes(t)
		for range 6 {
			_ = r.Execute(down)
		}
		time.Sleep(recipeTimeout + 1)
		if _ = r.Execute(well); r.state == Closed {
			t.Fatal("one success closes the recipe, as it says")
		}
	})
}

// The recipe reads as if five failures were enough.
func TestSource_MoreThanFiveIsSix(t *testing.T) {
	r, b := newRecipes(t)
	needed := func(call func(func() error) error, open func() bool) (n int) {
		for !open() {
			_ = call(down)
			n++
		}
		return n
	}
	if n := needed(r.Execute, func() bool { return r.state == Open }); n != 6 {
		t.Fatalf("the recipe opens after %d failures", n)
	}
	said := b.terms.Consecutive
	if n := needed(func(f func() error) error { return ours(b, f) }, func() bool { return b.State() == Open }); n != said {
		t.Errorf("it opens after %d failures, and the setting says %d", n, said)
	}
}

// Six callers who give up cut off everybody else.
func TestSource_CancellationOpensIt(t *testing.T) {
	r, b := newRecipes(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 6 {
		_ = r.Execute(ctx.Err)
	}
	if r.state != Open {
		t.Fatal("cancellations leave the recipe closed")
	}
	for range 10_000 {
		if err := b.Do(ctx, func(ctx context.Context) error { return ctx.Err() }); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if got := b.State(); got != Closed {
		t.Errorf("cancellations make it %v", got)
	}
}

// A target that fails five times of six never has six failures in a row.
func TestSource_SteadyFailuresNeverOpenIt(t *testing.T) {
	r := &recipe{}
	b := newSet(t, nil, Options{}).Get(auth)
	rejected := 0
	for i := range 200 {
		call := down
		if i%6 == 0 {
			call = well
		}
		_ = r.Execute(call)
		if errors.Is(ours(b, call), ErrOpen) {
			rejected++
		}
	}
	if r.state != Closed {
		t.Fatal("83 % of failures open the recipe")
	}
	if rejected != 180 {
		t.Errorf("%d calls of 200 are spared, want 180", rejected)
	}
}

// One breaker for all: whoever is down takes the others along.
func TestSource_OneForAll(t *testing.T) {
	r := &recipe{}
	for range 6 {
		_ = r.Execute(down) // of the one service
	}
	if err := r.Execute(well); err == nil { // of another one
		t.Fatal("the recipe tells services apart")
	}
	set := newSet(t, nil, Options{})
	trip(t, set.Get(auth))
	for _, k := range []Key{{"order.example", "read"}, {"auth.example", "write"}} {
		if err := ours(set.Get(k), well); err != nil {
			t.Errorf("%v because %v is down", err, auth)
		}
	}
}

// A probe that hangs holds its place in the recipe for ever.
func TestSource_HungProbesRejectForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, b := newRecipes(t)
		for range 6 {
			_ = r.Execute(down)
			_ = ours(b, down)
		}
		time.Sleep(recipeTimeout + 1)
		for range 3 {
			if _, err := r.allow(); err != nil {
				t.Fatal(err)
			}
		}
		allow(t, b)
		for range 25 {
			time.Sleep(recipeTimeout + 1)
			if _, err := r.allow(); err == nil {
				t.Fatal("the recipe recovers")
			}
		}
		probe := allow(t, b)
		probe.Done(Success)
		if got := b.State(); got != Closed {
			t.Errorf("it is %v", got)
		}
	})
}

// In the recipe, whoever is told of a change and asks for more waits for himself.
func TestSource_CallbackUnderLock(t *testing.T) {
	r := &recipe{}
	free := true
	r.onStateChange = func(State, State) {
		if free = r.mu.TryLock(); free { // as State() and Counts() would
			r.mu.Unlock()
		}
	}
	for range 6 {
		_ = r.Execute(down)
	}
	if free {
		t.Fatal("the recipe tells without its lock")
	}
	var set *Set
	var seen State
	set = newSet(t, nil, Options{OnTransition: func(tr Transition) { seen = set.Get(tr.Key).State() }})
	trip(t, set.Get(auth))
	if seen != Open {
		t.Errorf("whoever is told and asks sees %v", seen)
	}
}

// The recipe drops what comes too late, and nobody knows.
func TestSource_LateResultsVanish(t *testing.T) {
	r, b := newRecipes(t)
	done, err := r.allow()
	if err != nil {
		t.Fatal(err)
	}
	late := allow(t, b)
	for range 6 {
		_ = r.Execute(down)
		_ = ours(b, down)
	}
	done(nil)
	late.Done(Success)
	if r.successes != 0 {
		t.Fatal("the recipe counts it")
	}
	if _, c := b.look(); c.late != 1 || c.outcomes[Success] != 1 {
		t.Errorf("%d late results are told, want 1", c.late)
	}
}

// A fleet of the recipe comes back at one moment.
func TestSource_NoJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ends := map[time.Time]bool{}
		differ := map[time.Duration]bool{}
		for range 20 {
			r := &recipe{}
			b := newSet(t, nil, Options{}).Get(auth)
			for range 6 {
				_ = r.Execute(down)
			}
			trip(t, b)
			ends[r.expiry] = true
			differ[b.Status().RetryAfter] = true
		}
		if len(ends) != 1 {
			t.Fatal("the recipe has jitter")
		}
		if len(differ) < 15 {
			t.Errorf("20 breakers are open for %d different times", len(differ))
		}
	})
}
