package ring

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"sort"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The indexed search against the plain one, at and beside every point.
func TestSearchAgainstBinarySearch(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 60} {
		for _, vnodes := range []int{1, 7, 100} {
			nodes := make([]Node, n)
			for i := range nodes {
				nodes[i].ID = fmt.Sprint("node-", i)
			}
			s, err := NewSnapshot(Placement{VNodes: vnodes}, nodes)
			if err != nil {
				t.Fatal(err)
			}
			real := s.points[:len(s.points)-1]
			if len(real) != n*vnodes*pointsPerVNode || !slices.IsSorted(real) {
				t.Fatalf("%d points for %d nodes of %d, sorted %v", len(real), n, vnodes, slices.IsSorted(real))
			}
			positions := []uint64{0, 1, math.MaxUint64, math.MaxUint64 - 1}
			for _, p := range real {
				positions = append(positions, p-1, p, p+1)
			}
			random := rand.New(rand.NewPCG(uint64(n), uint64(vnodes)))
			for range 10_000 {
				positions = append(positions, random.Uint64())
			}
			for _, position := range positions {
				want := sort.Search(len(real), func(i int) bool { return real[i] >= position })
				if got := s.search(position); s.owners[got] != s.owners[want%len(real)] {
					t.Fatalf("position %x leads to point %d, not %d of %d", position, got, want, len(real))
				}
			}
		}
	}
}

// Two nodes at one point, and a point at either end of the ring.
func TestEqualPoints(t *testing.T) {
	s := &Snapshot{
		nodes:  []Node{{ID: "a"}, {ID: "b"}, {ID: "c"}},
		points: []uint64{0, 10, 10, 10, 20, math.MaxUint64, math.MaxUint64},
		owners: []uint32{2, 0, 1, 2, 1, 2, 2},
	}
	s.buildIndex()
	for position, want := range map[uint64]string{0: "c", 1: "a", 10: "a", 11: "b", 20: "b", 21: "c", math.MaxUint64: "c"} {
		if n, _ := s.Owner(position); n.ID != want {
			t.Errorf("position %d belongs to %s, want %s", position, n.ID, want)
		}
	}
	type stretch struct {
		Range
		Owner uint32
	}
	var got []stretch
	s.stretches(func(r Range, owner uint32) { got = append(got, stretch{r, owner}) })
	want := []stretch{{Range{0, 0}, 2}, {Range{1, 10}, 0}, {Range{11, 20}, 1}, {Range{21, math.MaxUint64}, 2}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stretches (-want +got):\n%s", diff)
	}
}

// Which of two nodes has a point that both claim does not depend on who came
// first.
func TestEqualPointsGoToTheFirstID(t *testing.T) {
	want := []point{{1, 2}, {5, 0}, {5, 1}, {5, 2}, {9, 0}, {1 << 63, 0}, {1 << 63, 1}, {math.MaxUint64, 0}}
	got := slices.Clone(want)
	for seed := range uint64(20) {
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
		if sorted := sortPoints(got); !slices.Equal(sorted, want) {
			t.Fatalf("sorted to %v, want %v", sorted, want)
		}
	}
}

// No two points have the same key, however the nodes are named.
func FuzzPointKey(f *testing.F) {
	f.Add("node1", 1, "node", 11)
	f.Add("node", 1, "1node", 0)
	f.Add("", 0, "\x00", 0)
	f.Fuzz(func(t *testing.T, a string, i int, b string, j int) {
		i, j = i&(maxPoints-1), j&(maxPoints-1)
		same := string(pointKey(nil, a, i)) == string(pointKey(nil, b, j))
		if same != (a == b && i == j) {
			t.Errorf("point %d of %q and point %d of %q have the same key: %v", i, a, j, b, same)
		}
	})
}

// The hashes are those of the standards, by their published vectors.
func TestHashVectors(t *testing.T) {
	for _, c := range []struct {
		hash Hash
		key  string
		want uint64
	}{
		{XXHash64, "", 0xef46db3751d8e999},
		{XXHash64, "a", 0xd24ec4f1a98c6e5b},
		{XXHash64, "abc", 0x44bc2cf5ad770999},
		{Murmur3, "", 0},
		{Murmur3, "hello", 0xcbd8a7b341bd9b02},
		{Murmur3, "hello, world", 0x342fac623a5ebc8e},
	} {
		if got := c.hash.Sum(c.key); got != c.want {
			t.Errorf("%s of %q is %016x, want %016x", c.hash, c.key, got, c.want)
		}
		if got := c.hash.sumBytes([]byte(c.key)); got != c.want {
			t.Errorf("%s of the bytes of %q is %016x, want %016x", c.hash, c.key, got, c.want)
		}
	}
}

var update = flag.Bool("update", false, "write the golden placement anew; only for a new layout")

// golden is a placement that never changes within a layout: data lies by it.
type golden struct {
	Version string            `json:"version"`
	Nodes   []string          `json:"nodes"`
	Points  map[string]string `json:"points"` // some points of each node
	Keys    map[string]string `json:"keys"`   // owner, then replicas
}

func TestGoldenPlacement(t *testing.T) {
	nodes := []string{
		"a=10.0.0.1:8080 zone=east", "b=10.0.0.2:8080 zone=east weight=2",
		"c=10.0.0.3:8080 zone=west", "node-11=10.0.0.4:8080", "node-1=[::1]:8080 zone=west",
	}
	keys := []string{"", "a", "customer:42", "order/2024-05-01/7", "0190b5a0-7e1c-7000-8000-000000000001", "日本", "x y\x00z"}
	for i := range 50 {
		keys = append(keys, fmt.Sprint("key-", i))
	}
	var got []golden
	for _, p := range []Placement{{}, {Hash: Murmur3}, {VNodes: 7}} {
		var members []Node
		for _, text := range nodes {
			n, err := ParseNode(text)
			if err != nil {
				t.Fatal(err)
			}
			members = append(members, n)
		}
		s, err := NewSnapshot(p, members)
		if err != nil {
			t.Fatal(err)
		}
		g := golden{Version: s.Version().String(), Nodes: nodes, Points: map[string]string{}, Keys: map[string]string{}}
		for _, n := range members {
			for _, number := range []int{0, 1, 20} {
				g.Points[fmt.Sprint(n.ID, "#", number)] = fmt.Sprintf("%016x", s.version.Hash.sumBytes(pointKey(nil, n.ID, number)))
			}
		}
		for _, key := range keys {
			replicas, err := s.GetN(nil, key, 3)
			if err != nil {
				t.Fatal(err)
			}
			g.Keys[key] = replicas[0].ID + " " + replicas[1].ID + " " + replicas[2].ID
		}
		got = append(got, g)
	}
	const file = "testdata/placement.json"
	if *update {
		text, err := json.MarshalIndent(got, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var want []golden
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys are placed differently than before: data would be looked for where it is not. If that is meant, it is a new layout (-want +got):\n%s", diff)
	}
}
