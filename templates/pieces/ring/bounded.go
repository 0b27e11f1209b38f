package ring

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
)

// Bounded routes by load as well as by key: no node has more than its share of
// the work in progress, times a factor; what is over goes to the next node
// clockwise. While the load is even, keys stay with their owners; a hot key
// spills over to others, so that it is no longer always at the same node.
//
// It implements Mirrokni, Thorup and Zadimoghaddam, "Consistent Hashing with
// Bounded Loads" (SODA 2018), for weighted nodes. It is safe for concurrent use.
type Bounded struct {
	ring   *Ring
	factor float64

	mu      sync.Mutex
	loads   map[string]*load // of the members, and of others with work left
	seen    *Snapshot        // the placement that members is for
	members []*load          // by the index of the node
	total   int              // of the members' work
}

// load is the work in progress on one node.
type load struct {
	id     string
	active int
	member bool
}

// NewBounded returns a router over the nodes of the ring, none of them loaded.
// The factor is over 1, the paper's and the usual one 1.25: the closer to 1,
// the more even the load and the more keys that go elsewhere.
func NewBounded(r *Ring, factor float64) (*Bounded, error) {
	if !(factor > 1) || math.IsInf(factor, 1) { // written so that NaN fails
		return nil, fmt.Errorf("load factor %v is not over 1", factor)
	}
	return &Bounded{ring: r, factor: factor, loads: make(map[string]*load)}, nil
}

// Lease is a piece of work on a node.
type Lease struct {
	// Node is where it is done.
	Node Node

	bounded  *Bounded
	load     *load
	released atomic.Bool
}

// Acquire counts one more piece of work for the key and tells where it goes.
// Release follows. It fails with ErrEmpty or ErrAllDown.
func (b *Bounded) Acquire(key string) (*Lease, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	v := b.ring.current()
	if len(v.points) == 0 {
		return nil, ErrEmpty
	}
	b.sync(v.Snapshot)
	total, weights := b.upNow(v)
	for i := range v.clockwise(key) {
		owner := v.owners[i]
		if v.isDown(owner) {
			continue
		}
		share := float64(v.nodes[owner].weight()) / float64(weights)
		l := b.members[owner]
		if float64(l.active) < math.Ceil(b.factor*float64(total+1)*share) {
			l.active++
			b.total++
			return &Lease{Node: v.nodes[owner], bounded: b, load: l}, nil
		}
	}
	// The capacities add up to more than the load, so some node had room.
	return nil, ErrAllDown
}

// upNow returns the load and the weight of the nodes that are up. It is called
// with mu held.
func (b *Bounded) upNow(v *view) (total, weights int) {
	if v.down == nil {
		return b.total, v.weights
	}
	for i, l := range b.members {
		if !v.isDown(uint32(i)) {
			total += l.active
			weights += v.nodes[i].weight()
		}
	}
	return total, weights
}

// Release says that the work is done. Further calls do nothing.
func (l *Lease) Release() {
	if l.released.Swap(true) {
		return
	}
	l.bounded.mu.Lock()
	defer l.bounded.mu.Unlock()
	l.load.active--
	if l.load.member {
		l.bounded.total--
	}
	l.bounded.forget(l.load)
}

// Load is the number of pieces of work in progress on the node with the ID.
func (b *Bounded) Load(id string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.loads[id]; l != nil {
		return l.active
	}
	return 0
}

// sync makes members fit the placement. It is called with mu held.
func (b *Bounded) sync(s *Snapshot) {
	if b.seen == s {
		return
	}
	for _, l := range b.members {
		l.member = false
	}
	left := b.members
	b.total = 0
	b.members = make([]*load, len(s.nodes))
	for i, n := range s.nodes {
		l := b.loads[n.ID]
		if l == nil {
			l = &load{id: n.ID}
			b.loads[n.ID] = l
		}
		l.member = true
		b.members[i] = l
		b.total += l.active
	}
	for _, l := range left {
		b.forget(l)
	}
	b.seen = s
}

// forget drops a load that nobody will ask for. It is called with mu held.
func (b *Bounded) forget(l *load) {
	if !l.member && l.active == 0 && b.loads[l.id] == l {
		delete(b.loads, l.id)
	}
}
