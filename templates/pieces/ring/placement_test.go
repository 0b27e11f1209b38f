package ring_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/fractl/fractl/templates/pieces/ring"
)

// formats are forms of node IDs as they occur.
var formats = []string{"node-%d", "node%03d", "10.0.0.%d:8080", "cache-%d.example.com", "n%d"}

func TestPlacementIsAMatterOfTheNodesAlone(t *testing.T) {
	nodes := fleet(20, "node-%d")
	nodes[3].Weight, nodes[7].Zone = 3, "z"
	want := snapshot(t, ring.Placement{}, nodes...)
	shuffled := slices.Clone(nodes)
	for seed := range uint64(5) {
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(shuffled), func(i, j int) {
			shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
		})
		got := snapshot(t, ring.Placement{}, shuffled...)
		if got.Version() != want.Version() {
			t.Fatalf("seed %d: version %s, not %s", seed, got.Version(), want.Version())
		}
		// Nor of the way there: one node at a time, with detours.
		r := newRing(t, ring.Options{})
		for i := range shuffled {
			if _, err := r.Set(shuffled[:i+1]); err != nil {
				t.Fatal(err)
			}
		}
		for _, key := range keys(500) {
			if a, b, c := owner(t, want, key), owner(t, got, key), owner(t, r, key); a != b || a != c {
				t.Fatalf("seed %d: %s is at %s, %s and %s", seed, key, a, b, c)
			}
		}
	}
}

func TestNoKeyStrays(t *testing.T) {
	all := keys(4_000)
	for _, hash := range []ring.Hash{ring.XXHash64, ring.Murmur3} {
		for _, format := range formats {
			for _, n := range []int{1, 2, 10, 50} {
				p := ring.Placement{Hash: hash}
				nodes := fleet(n+1, format)
				small, large := snapshot(t, p, nodes[:n]...), snapshot(t, p, nodes...)
				heavy := slices.Clone(nodes)
				heavy[0].Weight = 3
				heavier := snapshot(t, p, heavy...)
				for _, key := range all {
					before, after := owner(t, small, key), owner(t, large, key)
					if before != after && after != nodes[n].ID {
						t.Fatalf("%s %s: adding or removing %s moves %s between %s and %s", hash, format, nodes[n].ID, key, before, after)
					}
					if weighted := owner(t, heavier, key); weighted != after && weighted != nodes[0].ID {
						t.Fatalf("%s %s: the weight of %s moves %s between %s and %s", hash, format, nodes[0].ID, key, after, weighted)
					}
				}
			}
		}
	}
}

func TestMovedShare(t *testing.T) {
	for _, format := range formats {
		for _, n := range []int{1, 2, 5, 10, 30, 100} {
			for _, vnodes := range []int{160, 512} {
				p := ring.Placement{VNodes: vnodes}
				nodes := fleet(n+1, format)
				moves, err := ring.Diff(snapshot(t, p, nodes[:n]...), snapshot(t, p, nodes...))
				if err != nil {
					t.Fatal(err)
				}
				var moved float64
				for _, m := range moves {
					moved += m.Share()
				}
				if due := 1 / float64(n+1); moved < 0.7*due || moved > 1.35*due {
					t.Errorf("%s: node %d of %d vnodes takes %.4f of the ring, %.2f times its due", format, n+1, vnodes, moved, moved/due)
				}
			}
		}
	}
}

func TestSkewBars(t *testing.T) {
	for _, hash := range []ring.Hash{ring.XXHash64, ring.Murmur3} {
		for _, format := range formats {
			for vnodes, bar := range map[int]float64{100: 1.25, 512: 1.10} {
				s := snapshot(t, ring.Placement{Hash: hash, VNodes: vnodes}, fleet(100, format)...)
				if skew := s.Skew(); skew > bar || skew < 1 {
					t.Errorf("%s %s: max/mean %.3f at %d vnodes, over %.2f", hash, format, skew, vnodes, bar)
				}
				count := map[string]int{}
				for _, key := range keys(40_000) {
					count[owner(t, s, key)]++
				}
				var most int
				for _, c := range count {
					most = max(most, c)
				}
				// Four hundred keys a node add the spread of the sample.
				if skew := float64(most) / 400; skew > bar*1.15 || len(count) != 100 {
					t.Errorf("%s %s: fullest of %d nodes has %.3f times the mean at %d vnodes", hash, format, len(count), skew, vnodes)
				}
			}
		}
	}
}

func TestWeightGivesShare(t *testing.T) {
	for _, format := range formats {
		nodes := fleet(10, format)
		total := 0
		for i := range nodes {
			nodes[i].Weight = i%4 + 1
			total += nodes[i].Weight
		}
		s := snapshot(t, ring.Placement{VNodes: 512}, nodes...)
		for i, share := range s.Shares() {
			due := float64(s.Nodes()[i].Weight) / float64(total)
			if math.Abs(share/due-1) > 0.10 {
				t.Errorf("%s: weight %d of %d owns %.4f, due %.4f", s.Nodes()[i].ID, s.Nodes()[i].Weight, total, share, due)
			}
		}
	}
}

func TestWeightZeroIsOne(t *testing.T) {
	a := snapshot(t, ring.Placement{}, ring.Node{ID: "a"}, ring.Node{ID: "b", Weight: 1})
	b := snapshot(t, ring.Placement{}, ring.Node{ID: "a", Weight: 1}, ring.Node{ID: "b"})
	if a.Version() != b.Version() {
		t.Errorf("versions differ: %s and %s", a.Version(), b.Version())
	}
}

func TestVersionTellsPlacementsApart(t *testing.T) {
	base := fleet(3, "n%d")
	change := func(f func(n *ring.Node)) []ring.Node {
		nodes := slices.Clone(base)
		f(&nodes[1])
		return nodes
	}
	same := snapshot(t, ring.Placement{}, change(func(n *ring.Node) { n.Addr = "elsewhere:1" })...)
	want := snapshot(t, ring.Placement{}, base...).Version()
	if same.Version() != want {
		t.Errorf("another address makes another version, though nothing moves")
	}
	for name, s := range map[string]*ring.Snapshot{
		"hash":   snapshot(t, ring.Placement{Hash: ring.Murmur3}, base...),
		"vnodes": snapshot(t, ring.Placement{VNodes: 101}, base...),
		"id":     snapshot(t, ring.Placement{}, change(func(n *ring.Node) { n.ID = "n9" })...),
		"zone":   snapshot(t, ring.Placement{}, change(func(n *ring.Node) { n.Zone = "z" })...),
		"weight": snapshot(t, ring.Placement{}, change(func(n *ring.Node) { n.Weight = 2 })...),
		"number": snapshot(t, ring.Placement{}, base[:2]...),
	} {
		if s.Version() == want {
			t.Errorf("another %s makes no other version", name)
		}
	}
	if text := want.String(); !strings.HasPrefix(text, "1-xxhash64-100-") || len(text) != len("1-xxhash64-100-")+16 {
		t.Errorf("version is written %q", text)
	}
}

func TestNewSnapshotRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		placement ring.Placement
		nodes     []ring.Node
		want      string
	}{
		"hash":     {ring.Placement{Hash: "crc32"}, nil, `hash "crc32" is not known`},
		"vnodes":   {ring.Placement{VNodes: -1}, nil, "vnodes -1"},
		"many":     {ring.Placement{VNodes: 65537}, nil, "vnodes 65537"},
		"no id":    {ring.Placement{}, []ring.Node{{Addr: "a"}}, "has no id"},
		"twice":    {ring.Placement{}, []ring.Node{{ID: "a"}, {ID: "b"}, {ID: "a"}}, `node "a" is listed twice`},
		"weight":   {ring.Placement{}, []ring.Node{{ID: "a", Weight: 1001}}, "weight 1001"},
		"too much": {ring.Placement{VNodes: 65536}, []ring.Node{{ID: "a", Weight: 1000}}, "points"},
	} {
		if _, err := ring.NewSnapshot(c.placement, c.nodes); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
		if _, err := ring.New(ring.Options{Placement: c.placement}, c.nodes...); err == nil {
			t.Errorf("%s: New takes what NewSnapshot refuses", name)
		}
	}
}

func TestEmptyRing(t *testing.T) {
	r := newRing(t, ring.Options{})
	s := r.Snapshot()
	for name, err := range map[string]error{
		"Get":           second(r.Get("k")),
		"GetN":          second(r.GetN(nil, "k", 2)),
		"GetNZones":     second(r.GetNZones(nil, "k", 2)),
		"Readers":       second(r.Readers(nil, "k")),
		"snapshot Get":  second(s.Get("k")),
		"snapshot GetN": second(s.GetN(nil, "k", 2)),
		"Owner":         second(s.Owner(0)),
	} {
		if !errors.Is(err, ring.ErrEmpty) {
			t.Errorf("%s: error %v, want ErrEmpty", name, err)
		}
	}
	if s.Skew() != 0 || len(s.Shares()) != 0 || s.Ranges("a") != nil || r.Owns("a", "k") {
		t.Error("an empty ring owns something")
	}
}

func second[T any](_ T, err error) error { return err }

func TestGetN(t *testing.T) {
	zones := []string{"a", "b", "c"}
	nodes := fleet(30, "node-%d")
	for i := range nodes {
		nodes[i].Zone = zones[i%len(zones)]
	}
	s := snapshot(t, ring.Placement{}, nodes...)
	for _, key := range keys(2000) {
		prefix := []ring.Node{{ID: "kept"}}
		got, err := s.GetN(prefix, key, 5)
		if err != nil || len(got) != 6 || got[0].ID != "kept" || got[1].ID != owner(t, s, key) {
			t.Fatalf("GetN(%s, 5) = %v, %v", key, idsOf(got), err)
		}
		if distinct := slices.Compact(slices.Sorted(slices.Values(idsOf(got)))); len(distinct) != 6 {
			t.Fatalf("GetN(%s, 5) = %v repeats a node", key, idsOf(got))
		}
		got, err = s.GetNZones(nil, key, 3)
		if err != nil || len(got) != 3 || got[0].ID != owner(t, s, key) {
			t.Fatalf("GetNZones(%s, 3) = %v, %v", key, idsOf(got), err)
		}
		seen := map[string]bool{}
		for _, n := range got {
			seen[n.Zone] = true
		}
		if len(seen) != 3 {
			t.Fatalf("GetNZones(%s, 3) = %v is in %d zones", key, got, len(seen))
		}
	}
	all, err := s.GetN(nil, "k", 30)
	if err != nil || len(slices.Compact(slices.Sorted(slices.Values(idsOf(all))))) != 30 {
		t.Errorf("GetN of all nodes = %v, %v", idsOf(all), err)
	}
	if none, err := s.GetN(nil, "k", 0); len(none) != 0 || err != nil {
		t.Errorf("GetN of none = %v, %v", none, err)
	}
	var few *ring.TooFewError
	if got, err := s.GetN(nil, "k", 31); len(got) != 30 || !errors.As(err, &few) || *few != (ring.TooFewError{Want: 31, Have: 30, Of: "nodes"}) {
		t.Errorf("GetN of too many = %d nodes, %v", len(got), err)
	}
	if got, err := s.GetNZones(nil, "k", 4); len(got) != 3 || !errors.As(err, &few) || *few != (ring.TooFewError{Want: 4, Have: 3, Of: "zones"}) {
		t.Errorf("GetNZones of too many = %d nodes, %v", len(got), err)
	}
}

// The replicas of a key without one of its nodes are those that follow: what a
// failed node held is found where it was copied to.
func TestReplicasMoveUp(t *testing.T) {
	nodes := fleet(10, "node-%d")
	s := snapshot(t, ring.Placement{}, nodes...)
	for _, key := range keys(300) {
		before, _ := s.GetN(nil, key, 10)
		without := slices.DeleteFunc(slices.Clone(nodes), func(n ring.Node) bool { return n.ID == before[0].ID })
		after, _ := snapshot(t, ring.Placement{VNodes: 100}, without...).GetN(nil, key, 9)
		if !slices.Equal(idsOf(after), idsOf(before[1:])) {
			t.Fatalf("%s: replicas %v, and %v without the first", key, idsOf(before), idsOf(after))
		}
	}
}

func ExampleSnapshot_GetN() {
	s, err := ring.NewSnapshot(ring.Placement{}, []ring.Node{
		{ID: "a", Zone: "east"}, {ID: "b", Zone: "east"}, {ID: "c", Zone: "west"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	replicas, err := s.GetNZones(nil, "customer:42", 2)
	for _, n := range replicas {
		fmt.Println(n.ID, n.Zone)
	}
	fmt.Println(err)
	// Output:
	// a east
	// c west
	// <nil>
}
