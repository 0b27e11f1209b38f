package ring

import (
	"math"
)

// Range is a stretch of positions, both ends included. It does not wrap around:
// what does is two ranges.
type Range struct {
	First, Last uint64
}

// Contains tells whether the position lies in the range.
func (r Range) Contains(position uint64) bool { return r.First <= position && position <= r.Last }

// Share is the part of the ring that the range is, over 0 to 1.
func (r Range) Share() float64 { return (float64(r.Last-r.First) + 1) / (1 << 64) }

// Ranges returns what the node with the ID owns, in ascending order; nothing
// where there is no such node. Two ranges of it never touch.
func (s *Snapshot) Ranges(id string) []Range {
	owner, ok := s.find(id)
	if !ok {
		return nil
	}
	var ranges []Range
	s.stretches(func(r Range, of uint32) {
		if int(of) == owner {
			ranges = append(ranges, r)
		}
	})
	return ranges
}

// Shares returns for each node, in the order of Nodes, the part of the ring
// that it owns. They add up to 1.
func (s *Snapshot) Shares() []float64 {
	shares := make([]float64, len(s.nodes))
	s.stretches(func(r Range, owner uint32) { shares[owner] += r.Share() })
	return shares
}

// Skew is how much more than its due the fullest node owns: the largest share
// relative to the one that the node's weight entitles it to. 1 is even, 1.25
// means a quarter too much. It is 0 for an empty ring.
func (s *Snapshot) Skew() float64 {
	var skew float64
	for i, share := range s.Shares() {
		due := float64(s.nodes[i].weight()) / float64(s.weights)
		skew = max(skew, share/due)
	}
	return skew
}

// stretches calls yield with the maximal ranges of one owner, in ascending
// order; together they are the whole ring.
func (s *Snapshot) stretches(yield func(r Range, owner uint32)) {
	var first uint64
	for i, point := range s.points {
		if i+1 < len(s.points) && s.owners[i+1] == s.owners[i] {
			continue // goes on
		}
		if point < first {
			continue // a point equal to the one before, which has won
		}
		yield(Range{first, point}, s.owners[i])
		if point == math.MaxUint64 {
			return
		}
		first = point + 1
	}
}

// Move is a range that has another owner than before.
type Move struct {
	Range
	// From had it; the zero Node where the old ring was empty.
	From Node
	// To has it; the zero Node where the new ring is empty.
	To Node
}

// Diff returns the ranges whose owner differs between two snapshots, in
// ascending order, none of them adjacent to another with the same From and To.
// Nodes are the same if their IDs are. It fails with a *MismatchError where the
// two place keys by different hashes, since then every key may move.
func Diff(old, new *Snapshot) ([]Move, error) {
	if !old.version.sameRules(new.version) {
		return nil, &MismatchError{Old: old.version, New: new.version}
	}
	var moves []Move
	before, after := cursor{s: old}, cursor{s: new}
	for first := uint64(0); ; {
		from, a := before.at(first)
		to, b := after.at(first)
		last := min(a, b)
		if from.ID != to.ID {
			moves = appendMove(moves, Move{Range{first, last}, from, to})
		}
		if last == math.MaxUint64 {
			return moves, nil
		}
		first = last + 1
	}
}

// appendMove appends a move, or extends the last one by it.
func appendMove(moves []Move, m Move) []Move {
	if len(moves) > 0 {
		last := &moves[len(moves)-1]
		if last.Last+1 == m.First && last.From.ID == m.From.ID && last.To.ID == m.To.ID {
			last.Last = m.Last
			return moves
		}
	}
	return append(moves, m)
}

// cursor walks over a snapshot once, upwards.
type cursor struct {
	s *Snapshot
	i int
}

// at returns who owns the position, and the last position up to which that
// point decides.
func (c *cursor) at(position uint64) (Node, uint64) {
	if len(c.s.points) == 0 {
		return Node{}, math.MaxUint64
	}
	for c.s.points[c.i] < position {
		c.i++
	}
	return c.s.nodes[c.s.owners[c.i]], c.s.points[c.i]
}
