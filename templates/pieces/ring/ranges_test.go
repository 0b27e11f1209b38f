package ring_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fractl/fractl/templates/pieces/ring"
)

func TestRangesTileTheRing(t *testing.T) {
	for _, n := range []int{1, 2, 17} {
		s := snapshot(t, ring.Placement{VNodes: 20}, fleet(n, "node-%d")...)
		type owned struct {
			ring.Range
			id string
		}
		var all []owned
		var sum float64
		for i, node := range s.Nodes() {
			var share float64
			for _, r := range s.Ranges(node.ID) {
				all = append(all, owned{r, node.ID})
				share += r.Share()
			}
			if math.Abs(share-s.Shares()[i]) > 1e-12 {
				t.Errorf("ranges of %s are %v of the ring, its share %v", node.ID, share, s.Shares()[i])
			}
			sum += share
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Errorf("shares of %d nodes add up to %v", n, sum)
		}
		slices.SortFunc(all, func(a, b owned) int {
			if a.First < b.First {
				return -1
			}
			return 1
		})
		next := uint64(0)
		for i, r := range all {
			if r.First != next || r.Last < r.First {
				t.Fatalf("range %d of %d is %x to %x, expected to begin at %x", i, len(all), r.First, r.Last, next)
			}
			if i > 0 && all[i-1].id == r.id {
				t.Errorf("two ranges of %s touch at %x", r.id, r.First)
			}
			for _, position := range []uint64{r.First, r.Last, r.First + (r.Last-r.First)/2} {
				if got, err := s.Owner(position); err != nil || got.ID != r.id {
					t.Fatalf("position %x is in a range of %s and owned by %s, %v", position, r.id, got.ID, err)
				}
			}
			next = r.Last + 1
		}
		if next != 0 || all[len(all)-1].Last != math.MaxUint64 {
			t.Errorf("the ranges end at %x", all[len(all)-1].Last)
		}
	}
	if got := snapshot(t, ring.Placement{}, fleet(1, "a%d")...).Ranges("b"); got != nil {
		t.Errorf("a node that is not there owns %v", got)
	}
}

func TestDiffIsWhatMoved(t *testing.T) {
	nodes := fleet(12, "node-%d")
	heavy := slices.Clone(nodes)
	heavy[2].Weight = 4
	for name, c := range map[string][2][]ring.Node{
		"add":    {nodes[:11], nodes},
		"remove": {nodes, nodes[1:]},
		"both":   {nodes[:8], nodes[4:]},
		"weight": {nodes, heavy},
		"none":   {nodes, nodes},
		"first":  {nil, nodes[:1]},
		"last":   {nodes[:1], nil},
		"empty":  {nil, nil},
	} {
		old, now := snapshot(t, ring.Placement{}, c[0]...), snapshot(t, ring.Placement{}, c[1]...)
		moves, err := ring.Diff(old, now)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range moves {
			if m.From.ID == m.To.ID || m.Last < m.First {
				t.Fatalf("%s: move %+v", name, m)
			}
			if i == 0 {
				continue
			}
			before := moves[i-1]
			if m.First <= before.Last {
				t.Fatalf("%s: moves overlap or are out of order: %+v, %+v", name, before, m)
			}
			if m.First == before.Last+1 && m.From.ID == before.From.ID && m.To.ID == before.To.ID {
				t.Fatalf("%s: moves should be one: %+v, %+v", name, before, m)
			}
		}
		random := rand.New(rand.NewPCG(1, 2))
		positions := []uint64{0, math.MaxUint64}
		for _, m := range moves {
			positions = append(positions, m.First, m.Last, m.First-1, m.Last+1)
		}
		for range 5000 {
			positions = append(positions, random.Uint64())
		}
		for _, position := range positions {
			from, _ := old.Owner(position) // the zero Node where empty
			to, _ := now.Owner(position)
			i := slices.IndexFunc(moves, func(m ring.Move) bool { return m.Contains(position) })
			switch {
			case from.ID == to.ID && i >= 0:
				t.Fatalf("%s: %x stays at %s and is said to move", name, position, from.ID)
			case from.ID != to.ID && (i < 0 || moves[i].From.ID != from.ID || moves[i].To.ID != to.ID):
				t.Fatalf("%s: %x moves from %s to %s and is not said to", name, position, from.ID, to.ID)
			}
		}
		back, err := ring.Diff(now, old)
		if err != nil {
			t.Fatal(err)
		}
		for i := range back {
			back[i].From, back[i].To = back[i].To, back[i].From
		}
		if diff := cmp.Diff(moves, back); diff != "" {
			t.Errorf("%s: the way back is another (-there +back):\n%s", name, diff)
		}
	}
}

func TestDiffAcrossHashes(t *testing.T) {
	a := snapshot(t, ring.Placement{}, fleet(2, "n%d")...)
	b := snapshot(t, ring.Placement{Hash: ring.Murmur3}, fleet(2, "n%d")...)
	var mismatch *ring.MismatchError
	if _, err := ring.Diff(a, b); !errors.As(err, &mismatch) || mismatch.Old != a.Version() || mismatch.New != b.Version() {
		t.Errorf("error %v, want a MismatchError of both", err)
	}
	// Another number of virtual nodes is a change like any other.
	if _, err := ring.Diff(a, snapshot(t, ring.Placement{VNodes: 7}, fleet(2, "n%d")...)); err != nil {
		t.Error(err)
	}
}
