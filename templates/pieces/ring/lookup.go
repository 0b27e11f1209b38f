package ring

import (
	"iter"
	"slices"
)

// Get returns the owner of the key, or ErrEmpty. It allocates nothing.
func (s *Snapshot) Get(key string) (Node, error) {
	if len(s.points) == 0 {
		return Node{}, ErrEmpty
	}
	return s.nodes[s.owners[s.search(s.version.Hash.Sum(key))]], nil
}

// Owner returns the owner of a position, as given by Position, or ErrEmpty.
func (s *Snapshot) Owner(position uint64) (Node, error) {
	if len(s.points) == 0 {
		return Node{}, ErrEmpty
	}
	return s.nodes[s.owners[s.search(position)]], nil
}

// Position is where the key stands on the ring.
func (s *Snapshot) Position(key string) uint64 { return s.version.Hash.Sum(key) }

// GetN appends to dst the n distinct nodes that hold the replicas of the key,
// the owner first. Where there are fewer, it appends those there are and
// returns a *TooFewError, or ErrEmpty. It allocates nothing where dst has room
// and n is at most 16.
func (s *Snapshot) GetN(dst []Node, key string, n int) ([]Node, error) {
	return s.pick(dst, key, n, nil, false)
}

// GetNZones is GetN with every replica in a zone of its own. Nodes without a
// zone count as being in one and the same.
func (s *Snapshot) GetNZones(dst []Node, key string, n int) ([]Node, error) {
	return s.pick(dst, key, n, nil, true)
}

// search returns the first point at or after the position, or the one at the
// end, which stands for the first.
func (s *Snapshot) search(position uint64) int {
	i := int(s.index[position>>(s.shift&63)])
	for s.points[i] < position {
		i++
	}
	return i
}

// onStack is the number of replicas that are found without allocation.
const onStack = 16

// clockwise yields every point once, from that of the key on.
func (s *Snapshot) clockwise(key string) iter.Seq[int] {
	return func(yield func(int) bool) {
		last := len(s.points) - 1 // that one is the first one again
		at := s.search(s.version.Hash.Sum(key))
		for i := at; i < last; i++ {
			if !yield(i) {
				return
			}
		}
		for i := range at {
			if !yield(i) {
				return
			}
		}
	}
}

// pick walks clockwise from the key and collects owners that are not skipped. A
// nil skip means that none is.
func (s *Snapshot) pick(dst []Node, key string, n int, skip func(owner uint32) bool, zones bool) ([]Node, error) {
	if len(s.points) == 0 {
		return dst, ErrEmpty
	}
	if n < 1 {
		return dst, nil
	}
	want := min(n, len(s.nodes))
	if zones {
		want = min(n, s.zones)
	}
	var array [onStack]uint32
	picked := array[:0]
	for i := range s.clockwise(key) {
		owner := s.owners[i]
		if s.taken(picked, owner, zones) || skip != nil && skip(owner) {
			continue
		}
		picked = append(picked, owner)
		dst = append(dst, s.nodes[owner])
		if len(picked) == want {
			break
		}
	}
	if len(picked) < n {
		return dst, s.tooFew(n, len(picked), zones)
	}
	return dst, nil
}

// taken tells whether the owner, or its zone, is among those picked.
func (s *Snapshot) taken(picked []uint32, owner uint32, zones bool) bool {
	if !zones {
		return slices.Contains(picked, owner)
	}
	for _, p := range picked {
		if s.nodes[p].Zone == s.nodes[owner].Zone {
			return true
		}
	}
	return false
}

func (s *Snapshot) tooFew(want, have int, zones bool) error {
	switch {
	case have == 0:
		return ErrAllDown
	case zones:
		return &TooFewError{Want: want, Have: have, Of: "zones"}
	}
	return &TooFewError{Want: want, Have: have, Of: "nodes"}
}
