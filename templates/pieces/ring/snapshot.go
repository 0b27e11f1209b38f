package ring

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// Snapshot is the placement of all keys on a set of nodes. It is immutable and
// safe for concurrent use.
type Snapshot struct {
	version Version
	nodes   []Node // sorted by ID
	weights int    // sum of the weights
	zones   int    // number of distinct zones

	// points are sorted, and owners[i] is the node of points[i]. One more point
	// at the end, the largest there can be, belongs to the first owner: with it,
	// the search needs no wrap-around.
	points []uint64
	owners []uint32
	// index[p>>shift] is the first point that may be at or after position p.
	index []uint32
	shift uint
}

// Placement is how nodes are placed.
type Placement struct {
	// Hash is the hash function; "" means XXHash64.
	Hash Hash
	// VNodes is the number of virtual nodes of a node of weight 1, from 1 to
	// 65536; 0 means DefaultVNodes.
	VNodes int
}

// DefaultVNodes is the number of virtual nodes where none is given.
const DefaultVNodes = 100

// pointsPerVNode is the number of points of a virtual node. With one, as is
// common, a hundred nodes of 100 virtual nodes each have a fullest one with
// 1.20 to 1.38 times the mean, depending on their names; with three, it is 1.10
// to 1.17, and the lookup takes as long.
const pointsPerVNode = 3

// Limits of a ring. They keep a mistake in a weight from taking all memory.
const (
	maxVNodes = 1 << 16
	maxPoints = 1 << 24
)

// layout is the number of the rules by which points are computed from nodes. A
// change of them that moves keys gets a new number.
const layout = 1

// NewSnapshot places nodes. It fails where a node is not valid, where two have
// the same ID, and where there would be more than 16 million points.
func NewSnapshot(p Placement, nodes []Node) (*Snapshot, error) {
	p, err := p.complete()
	if err != nil {
		return nil, err
	}
	s := &Snapshot{nodes: slices.Clone(nodes)}
	zones := map[string]struct{}{}
	slices.SortFunc(s.nodes, func(a, b Node) int { return strings.Compare(a.ID, b.ID) })
	for i, n := range s.nodes {
		if err := n.Validate(); err != nil {
			return nil, err
		}
		if i > 0 && s.nodes[i-1].ID == n.ID {
			return nil, fmt.Errorf("node %q is listed twice", n.ID)
		}
		s.weights += n.weight()
		zones[n.Zone] = struct{}{}
	}
	s.zones = len(zones)
	if points := s.weights * p.VNodes * pointsPerVNode; points > maxPoints {
		return nil, fmt.Errorf("ring would have %d points, over %d: use fewer vnodes or smaller weights", points, maxPoints)
	}
	s.version = Version{Layout: layout, Hash: p.Hash, VNodes: p.VNodes, Members: fingerprint(s.nodes)}
	s.place()
	return s, nil
}

// complete fills in the defaults and checks the rest.
func (p Placement) complete() (Placement, error) {
	p.Hash = cmp.Or(p.Hash, XXHash64)
	p.VNodes = cmp.Or(p.VNodes, DefaultVNodes)
	if err := p.Hash.Validate(); err != nil {
		return p, err
	}
	if p.VNodes < 1 || p.VNodes > maxVNodes {
		return p, fmt.Errorf("vnodes %d is not in the range 1 to %d", p.VNodes, maxVNodes)
	}
	return p, nil
}

// place computes the points and their index.
func (s *Snapshot) place() {
	if len(s.nodes) == 0 {
		return
	}
	all := make([]point, 0, s.weights*s.version.VNodes*pointsPerVNode)
	var buf []byte
	for owner, n := range s.nodes {
		// The points of a smaller weight are among those of a larger one, so a
		// change of weight moves nothing between other nodes.
		for i := range n.weight() * s.version.VNodes * pointsPerVNode {
			buf = pointKey(buf[:0], n.ID, i)
			all = append(all, point{s.version.Hash.sumBytes(buf), uint32(owner)})
		}
	}
	all = sortPoints(all)
	s.points = make([]uint64, len(all)+1)
	s.owners = make([]uint32, len(all)+1)
	for i, p := range all {
		s.points[i], s.owners[i] = p.at, p.owner
	}
	s.points[len(all)], s.owners[len(all)] = math.MaxUint64, all[0].owner
	s.buildIndex()
}

// point is a place on the ring and whose it is.
type point struct {
	at    uint64
	owner uint32
}

// comparePoints orders points. Of equal ones the first wins: since owners are
// numbered in the order of their IDs, that too is a matter of the nodes alone.
func comparePoints(a, b point) int {
	if a.at != b.at {
		return cmp.Compare(a.at, b.at)
	}
	return cmp.Compare(a.owner, b.owner)
}

// sortPoints returns the points in order. They are spread evenly, so that about
// one falls into each of as many buckets, and little is left to compare.
func sortPoints(points []point) []point {
	shift := 64 - uint(bits.Len(uint(len(points))))
	ends := make([]uint32, 1<<(64-shift))
	for _, p := range points {
		ends[p.at>>shift]++
	}
	var sum uint32
	for i, n := range ends {
		ends[i], sum = sum, sum+n // the beginning, which becomes the end below
	}
	sorted := make([]point, len(points))
	for _, p := range points {
		bucket := p.at >> shift
		sorted[ends[bucket]] = p
		ends[bucket]++
	}
	var begin uint32
	for _, end := range ends {
		if end-begin > 1 {
			slices.SortFunc(sorted[begin:end], comparePoints)
		}
		begin = end
	}
	return sorted
}

// buildIndex makes one to two entries a point: mostly an entry leads to the
// right point at once, and all of it stays in the cache.
func (s *Snapshot) buildIndex() {
	width := uint(bits.Len(uint(len(s.points))))
	s.shift = 64 - width
	s.index = make([]uint32, 1<<width)
	at := 0
	for i := range s.index {
		for s.points[at] < uint64(i)<<s.shift {
			at++
		}
		s.index[i] = uint32(at)
	}
}

// fingerprint is a number that two sets of nodes share only if they place keys
// alike. Addresses are left out: a node may have a different one for each who
// looks.
func fingerprint(nodes []Node) uint64 {
	var buf []byte
	for _, n := range nodes {
		for _, text := range []string{n.ID, n.Zone} {
			buf = binary.AppendUvarint(buf, uint64(len(text)))
			buf = append(buf, text...)
		}
		buf = binary.AppendUvarint(buf, uint64(n.weight()))
	}
	return xxhash.Sum64(buf)
}

// Version identifies a placement: snapshots with equal versions place every key
// alike, in whatever process they are. It is comparable.
type Version struct {
	// Layout is the number of the rules that make points of nodes.
	Layout int
	// Hash and VNodes are those of the placement.
	Hash   Hash
	VNodes int
	// Members is a fingerprint of the nodes with their weights and zones.
	Members uint64
}

// String returns the version in one word: 1-xxhash64-100-2d06800538d394c2.
func (v Version) String() string {
	return fmt.Sprintf("%d-%s-%d-%016x", v.Layout, v.Hash, v.VNodes, v.Members)
}

// sameRules tells whether nodes common to both stand at the same points.
func (v Version) sameRules(w Version) bool {
	return v.Layout == w.Layout && v.Hash == w.Hash
}

// Version identifies the placement.
func (s *Snapshot) Version() Version { return s.version }

// Len is the number of nodes.
func (s *Snapshot) Len() int { return len(s.nodes) }

// Nodes returns a copy of the nodes in the order of their IDs.
func (s *Snapshot) Nodes() []Node { return slices.Clone(s.nodes) }

// Node returns the node with the ID.
func (s *Snapshot) Node(id string) (Node, bool) {
	i, ok := s.find(id)
	if !ok {
		return Node{}, false
	}
	return s.nodes[i], true
}

func (s *Snapshot) find(id string) (int, bool) {
	return slices.BinarySearchFunc(s.nodes, id, func(n Node, id string) int { return strings.Compare(n.ID, id) })
}
