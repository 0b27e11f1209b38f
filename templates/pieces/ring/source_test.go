package ring_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"hash"
	"math"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/twmb/murmur3"

	"github.com/fractl/fractl/templates/pieces/ring"
)

// The tests in this file are about a well-known sketch of a shard-aware client:
// a sorted ring of 100 virtual nodes each, searched in two steps, a sync.Map
// that leads from a name to its node, and MurmurHash3. sketch is that design,
// as close to the original as compiles. Each test shows a fault of it, and that
// this package does not have it.
type sketch struct {
	hasher func() hash.Hash64
	ring   atomic.Pointer[sketchRing]
	nodes  sync.Map // from a name to a *ring.Node
}

type sketchRing struct {
	hashes []uint64
	names  []string
}

const sketchVNodes = 100

func newSketch(nodes ...ring.Node) *sketch {
	c := &sketch{hasher: murmur3.New64}
	c.setRing(nodes)
	c.setNodes(nodes)
	return c
}

// setRing and setNodes are the two steps of an update.
func (c *sketch) setRing(nodes []ring.Node) {
	type point struct {
		hash uint64
		name string
	}
	var points []point
	for _, n := range nodes {
		for i := range sketchVNodes {
			points = append(points, point{c.sum(sketchKey(n.ID, i)), n.ID})
		}
	}
	sort.Slice(points, func(i, j int) bool { return points[i].hash < points[j].hash })
	r := &sketchRing{}
	for _, p := range points {
		r.hashes, r.names = append(r.hashes, p.hash), append(r.names, p.name)
	}
	c.ring.Store(r)
}

func (c *sketch) setNodes(nodes []ring.Node) {
	c.nodes.Clear()
	for _, n := range nodes {
		c.nodes.Store(n.ID, &n)
	}
}

func sketchKey(name string, i int) string { return fmt.Sprint(name, i) }

func (c *sketch) sum(key string) uint64 {
	h := c.hasher()
	h.Write([]byte(key))
	return h.Sum64()
}

func (c *sketch) route(key string) *ring.Node {
	h, r := c.sum(key), c.ring.Load()
	i := sort.Search(len(r.hashes), func(i int) bool { return r.hashes[i] >= h })
	node, _ := c.nodes.Load(r.names[i])
	return node.(*ring.Node)
}

// panics returns what f panics with, or nil.
func panics(f func()) (reason any) {
	defer func() { reason = recover() }()
	f()
	return nil
}

func TestSource_DoesNotCompile(t *testing.T) {
	const text = `package client

import (
	"hash"
	"sync"
)

type Node struct{}

type Client struct {
	nodes sync.Map[string]*Node
	hash  hash.Hash64
}

func (c *Client) position(key string) uint64 { return c.hash.Sum64(key) }
`
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "client.go", text, 0)
	if err != nil {
		// A type argument in front of a type is not even syntax.
		text := strings.Replace(text, "sync.Map[string]*Node", "sync.Map", 1)
		if file, err = parser.ParseFile(set, "client.go", text, 0); err != nil {
			t.Fatal(err)
		}
	} else {
		t.Error("the field of type sync.Map[string]*Node parses")
	}
	var faults []string
	config := types.Config{
		Importer: importer.ForCompiler(set, "source", nil),
		Error:    func(err error) { faults = append(faults, err.Error()) },
	}
	_, _ = config.Check("client", set, []*ast.File{file}, nil) // the faults are collected
	if len(faults) != 1 || !strings.Contains(faults[0], "too many arguments in call to c.hash.Sum64") {
		t.Errorf("faults of the sketch: %q", faults)
	}
	// What it means to do is one call.
	r := newRing(t, ring.Options{}, fleet(1, "n%d")...)
	if n, err := r.Get("key"); err != nil || n.ID != "n0" {
		t.Errorf("Get = %+v, %v", n, err)
	}
}

// Ring and nodes are two structures. A reader between their updates finds a
// name without a node.
func TestSource_UpdateInTwoSteps(t *testing.T) {
	c := newSketch(fleet(1, "old-%d")...)
	c.setRing(fleet(1, "new-%d"))
	if panics(func() { c.route("key:00000001") }) == nil {
		t.Error("the sketch stands a reader in the middle of an update")
	}
	c.setNodes(fleet(1, "new-%d"))

	// Here there is no middle: see TestHotUpdate for the same with eight
	// readers at once.
	r := newRing(t, ring.Options{}, fleet(1, "old-%d")...)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 500 {
			if _, err := r.Set(fleet(1, fmt.Sprint("new-", i, "-%d"))); err != nil {
				t.Error(err)
			}
		}
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		owner(t, r, "key:00000001")
	}
}

// A key past the last point belongs to the first one.
func TestSource_NoWrapAround(t *testing.T) {
	c := newSketch(fleet(2, "n%d")...)
	hashes := c.ring.Load().hashes
	past := slices.IndexFunc(keys(100_000), func(key string) bool { return c.sum(key) > hashes[len(hashes)-1] })
	if past < 0 {
		t.Fatal("no key lies past the last point")
	}
	if panics(func() { c.route(keys(100_000)[past]) }) == nil {
		t.Error("the sketch finds a key past the last point")
	}

	s := snapshot(t, ring.Placement{Hash: ring.Murmur3}, fleet(2, "n%d")...)
	if n, err := s.Owner(math.MaxUint64); err != nil || n.ID == "" {
		t.Errorf("the last position belongs to %+v, %v", n, err)
	}
	for _, key := range keys(100_000) {
		owner(t, s, key)
	}
}

func TestSource_EmptyRingPanics(t *testing.T) {
	if panics(func() { newSketch().route("key") }) == nil {
		t.Error("the sketch stands an empty ring")
	}
	if _, err := newRing(t, ring.Options{}).Get("key"); !errors.Is(err, ring.ErrEmpty) {
		t.Errorf("an empty ring is %v", err)
	}
}

// A hundred points a node leave a hot spot that the sketch does not mention.
func TestSource_HotSpot(t *testing.T) {
	nodes := fleet(100, "node-%d")
	c := newSketch(nodes...)
	s := snapshot(t, ring.Placement{}, nodes...)
	sketched, ours := map[string]int{}, map[string]int{}
	const n = 200_000
	for _, key := range keys(n) {
		if c.sum(key) <= c.ring.Load().hashes[len(c.ring.Load().hashes)-1] { // see TestSource_NoWrapAround
			sketched[c.route(key).ID]++
		}
		ours[owner(t, s, key)]++
	}
	skew := func(count map[string]int) float64 {
		most := 0
		for _, c := range count {
			most = max(most, c)
		}
		return float64(most) * 100 / n
	}
	if got := skew(sketched); got < 1.20 {
		t.Errorf("fullest node of the sketch has %.3f times the mean", got)
	}
	got := skew(ours)
	if got > 1.20 {
		t.Errorf("fullest node has %.3f times the mean", got)
	}
	// And it is said, within the spread of two thousand keys a node.
	if said := s.Skew(); math.Abs(said-got) > 0.08 {
		t.Errorf("fullest node has %.3f times the mean, and %.3f is said", got, said)
	}
}

// The sketch compares itself with a modulo of which it says that over 35 % of
// the keys move. It is nearly all of them, and with a ring it is the new node's
// share.
func TestSource_ModuloMovesNearlyAll(t *testing.T) {
	const n = 40_000
	for from, want := range map[int]float64{2: 0.6665, 10: 0.9087, 100: 0.9902} {
		before := snapshot(t, ring.Placement{}, fleet(from, "node-%d")...)
		after := snapshot(t, ring.Placement{}, fleet(from+1, "node-%d")...)
		modulo, ours := 0, 0
		for _, key := range keys(n) {
			h := ring.XXHash64.Sum(key)
			if h%uint64(from) != h%uint64(from+1) {
				modulo++
			}
			if owner(t, before, key) != owner(t, after, key) {
				ours++
			}
		}
		if got := float64(modulo) / n; math.Abs(got-want) > 0.01 {
			t.Errorf("modulo moves %.4f of the keys from %d to %d nodes, not %.4f", got, from, from+1, want)
		}
		if got := float64(ours) / n; got > 1.35/float64(from+1) {
			t.Errorf("the ring moves %.4f of the keys from %d to %d nodes", got, from, from+1)
		}
	}
}

// A name and a number written one after the other are ambiguous: two nodes
// stand at one point, and which of them has it depends on chance.
func TestSource_AmbiguousVirtualNodes(t *testing.T) {
	if sketchKey("node-1", 11) != sketchKey("node-11", 1) {
		t.Error("the sketch tells number 11 of node-1 from number 1 of node-11")
	}
	count := func(hashes []uint64) int {
		slices.Sort(hashes)
		return len(hashes) - len(slices.Compact(slices.Clone(hashes)))
	}
	nodes := fleet(20, "node-%d")
	if shared := count(newSketch(nodes...).ring.Load().hashes); shared == 0 {
		t.Error("no two nodes of the sketch share a point")
	}
	s := snapshot(t, ring.Placement{Hash: ring.Murmur3}, nodes...)
	var ends []uint64
	for _, n := range s.Nodes() {
		for _, r := range s.Ranges(n.ID) {
			ends = append(ends, r.Last)
		}
	}
	if shared := count(ends); shared != 0 {
		t.Errorf("%d points are shared", shared)
	}
}

// BenchmarkSource is the lookup of the sketch beside that of this package, with
// the same hash: a sync.Map and two structures buy nothing.
func BenchmarkSource(b *testing.B) {
	nodes, all := fleet(100, "node-%d"), keys(1<<14)
	c := newSketch(nodes...)
	last := c.ring.Load().hashes[len(c.ring.Load().hashes)-1]
	all = slices.DeleteFunc(all, func(key string) bool { return c.sum(key) > last })
	r := newRing(b, ring.Options{Placement: ring.Placement{Hash: ring.Murmur3}}, nodes...)
	b.Run("sketch", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			c.route(all[i%len(all)])
		}
	})
	b.Run("ring", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := r.Get(all[i%len(all)]); err != nil {
				b.Fatal(err)
			}
		}
	})
}
