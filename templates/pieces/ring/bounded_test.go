package ring_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/fractl/fractl/templates/pieces/ring"
)

func newBounded(t testing.TB, r *ring.Ring, factor float64) *ring.Bounded {
	t.Helper()
	b, err := ring.NewBounded(r, factor)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func acquire(t testing.TB, b *ring.Bounded, key string) *ring.Lease {
	t.Helper()
	l, err := b.Acquire(key)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Whatever the order of work, also all of it on one key, no node is given work
// that brings it over its capacity.
func TestBoundedLoadIsBounded(t *testing.T) {
	const factor = 1.25
	nodes := fleet(10, "node-%d")
	weights := 0
	for i := range nodes {
		nodes[i].Weight = i%3 + 1
		weights += nodes[i].Weight
	}
	for seed := range uint64(10) {
		random := rand.New(rand.NewPCG(seed, 1))
		b := newBounded(t, newRing(t, ring.Options{}, nodes...), factor)
		var held []*ring.Lease
		all := keys(1 + int(seed)*20) // few keys are hot keys
		for range 3000 {
			if len(held) > 0 && random.IntN(5) < 2 {
				i := random.IntN(len(held))
				held[i].Release()
				held[i].Release() // does nothing
				held[i] = held[len(held)-1]
				held = held[:len(held)-1]
				continue
			}
			l := acquire(t, b, all[random.IntN(len(all))])
			held = append(held, l)
			capacity := math.Ceil(factor * float64(len(held)) * float64(l.Node.Weight) / float64(weights))
			if load := b.Load(l.Node.ID); float64(load) > capacity {
				t.Fatalf("seed %d: %s has %d of %d pieces of work, over %v", seed, l.Node.ID, load, len(held), capacity)
			}
		}
		for _, l := range held {
			l.Release()
		}
		for _, n := range nodes {
			if b.Load(n.ID) != 0 {
				t.Errorf("%s has work %d after all of it was released", n.ID, b.Load(n.ID))
			}
		}
	}
}

func TestBoundedPrefersTheOwner(t *testing.T) {
	r := newRing(t, ring.Options{}, fleet(10, "node-%d")...)
	b := newBounded(t, r, 1.25)
	for _, key := range keys(1000) {
		l := acquire(t, b, key)
		if l.Node.ID != owner(t, r, key) {
			t.Fatalf("%s goes to %s though nothing is loaded", key, l.Node.ID)
		}
		l.Release()
	}
	// What is over goes to the nodes that hold the replicas.
	replicas, err := r.GetN(nil, "hot", 10)
	if err != nil {
		t.Fatal(err)
	}
	// Up to eight pieces of work, 1.25 times a tenth of them rounds up to one
	// for each node; with the ninth it is two, and the owner has room again.
	for i, want := range []int{0, 1, 2, 3, 4, 5, 6, 7, 0, 1} {
		if l := acquire(t, b, "hot"); l.Node.ID != replicas[want].ID {
			t.Errorf("piece %d of a hot key goes to %s, want replica %d of %v", i, l.Node.ID, want, idsOf(replicas))
		}
	}
}

func TestBoundedFollowsTheRing(t *testing.T) {
	r := newRing(t, ring.Options{}, fleet(3, "n%d")...)
	b := newBounded(t, r, 1.5)
	var held []*ring.Lease
	for _, key := range keys(30) {
		held = append(held, acquire(t, b, key))
	}
	left := b.Load("n2")
	if left == 0 {
		t.Fatal("n2 has no work")
	}
	if _, err := r.Set(fleet(2, "n%d")); err != nil {
		t.Fatal(err)
	}
	if acquire(t, b, "k").Release(); b.Load("n2") != left {
		t.Errorf("work on a node that left: %d, was %d", b.Load("n2"), left)
	}
	r.MarkDown("n0", 0)
	for _, key := range keys(50) {
		l := acquire(t, b, key)
		if l.Node.ID != "n1" {
			t.Fatalf("%s goes to %s, with n1 alone up", key, l.Node.ID)
		}
		held = append(held, l)
	}
	r.MarkUp("n0")
	// It comes back with the work that it still has.
	if _, err := r.Set(fleet(3, "n%d")); err != nil {
		t.Fatal(err)
	}
	if acquire(t, b, "k").Release(); b.Load("n2") != left {
		t.Errorf("work on a node that came back: %d, was %d", b.Load("n2"), left)
	}
	if _, err := r.Set(fleet(2, "n%d")); err != nil {
		t.Fatal(err)
	}
	for _, l := range held {
		l.Release()
	}
	for _, id := range []string{"n0", "n1", "n2"} {
		if b.Load(id) != 0 {
			t.Errorf("%s has work %d after all of it was released", id, b.Load(id))
		}
	}
	r.MarkDown("n0", 0)
	r.MarkDown("n1", 0)
	if _, err := b.Acquire("k"); !errors.Is(err, ring.ErrAllDown) {
		t.Errorf("with all down: %v", err)
	}
	if _, err := r.Set(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Acquire("k"); !errors.Is(err, ring.ErrEmpty) {
		t.Errorf("without nodes: %v", err)
	}
}

func TestBoundedConcurrently(t *testing.T) {
	r := newRing(t, ring.Options{}, fleet(5, "n%d")...)
	b := newBounded(t, r, 1.1)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for _, key := range keys(500) {
				l, err := b.Acquire(key)
				if err != nil {
					t.Error(err)
					return
				}
				l.Release()
			}
		})
	}
	for i := range 50 {
		if _, err := r.Set(fleet(i%5+1, "n%d")); err != nil {
			t.Error(err)
		}
	}
	workers.Wait()
	for _, n := range fleet(5, "n%d") {
		if b.Load(n.ID) != 0 {
			t.Errorf("%s has work %d", n.ID, b.Load(n.ID))
		}
	}
}

func TestNewBoundedRefuses(t *testing.T) {
	for _, factor := range []float64{1, 0, -2, math.NaN(), math.Inf(1)} {
		if _, err := ring.NewBounded(newRing(t, ring.Options{}), factor); err == nil {
			t.Errorf("factor %v is taken", factor)
		}
	}
}
