package ring

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Ring is a placement that can change while it is in use. Readers load one
// pointer and take no lock; changes are built aside and swapped in. It is safe
// for concurrent use.
type Ring struct {
	opts Options

	mu   sync.Mutex // of those who change it
	view atomic.Pointer[view]
}

// Options are the terms of a ring.
type Options struct {
	Placement
	// Transition is how long after a change the owners before it are still among
	// the Readers of a key; 0 means not at all. It has to cover the time in which
	// data moves, unless Settle ends it.
	Transition time.Duration
}

// New returns a ring of the nodes, of which there may be none yet. It fails as
// NewSnapshot does.
func New(o Options, nodes ...Node) (*Ring, error) {
	p, err := o.complete()
	if err != nil {
		return nil, err
	}
	o.Placement = p
	s, err := NewSnapshot(p, nodes)
	if err != nil {
		return nil, err
	}
	r := &Ring{opts: o}
	r.view.Store(&view{Snapshot: s})
	return r, nil
}

// view is everything that a reader needs. It is immutable, and everything in it
// is in effect until expires.
type view struct {
	*Snapshot
	generation uint64
	// earlier are the placements that data may still be moving from, the newest
	// first.
	earlier []past
	// down holds for each node until when it is down, the zero time where it is
	// up. It is nil where all are up, which is the common and the fast case.
	down []time.Time
	// expires is when the first of earlier and down is over; zero where there
	// are none.
	expires time.Time
}

// past is a placement that was replaced.
type past struct {
	*Snapshot
	until time.Time
}

// maxEarlier is how many earlier placements are kept. Nodes that change faster
// than data can move lose the oldest.
const maxEarlier = 4

// Change is what a call of Set did.
type Change struct {
	// Old and New are the placements before and after; they are the same where
	// nothing changed.
	Old, New *Snapshot
	// Generation counts the changes of this ring; it differs between processes.
	Generation uint64
}

// Moves is Diff of the change.
func (c Change) Moves() []Move {
	moves, err := Diff(c.Old, c.New)
	if err != nil {
		panic("ring: " + err.Error()) // the rules of one ring do not change
	}
	return moves
}

// Changed tells whether anything is different.
func (c Change) Changed() bool { return c.Old != c.New }

// Set replaces all nodes at once. Nodes that stay keep what was marked on them.
// After an error nothing has changed.
func (r *Ring) Set(nodes []Node) (Change, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.view.Load()
	s, err := NewSnapshot(r.opts.Placement, nodes)
	if err != nil {
		return Change{Old: old.Snapshot, New: old.Snapshot, Generation: old.generation}, err
	}
	if slices.Equal(s.nodes, old.nodes) {
		return Change{Old: old.Snapshot, New: old.Snapshot, Generation: old.generation}, nil
	}
	change := Change{Old: old.Snapshot, New: s, Generation: old.generation + 1}
	next := view{Snapshot: s, generation: change.Generation, earlier: old.earlier, down: old.downIn(s)}
	now := time.Now()
	if r.opts.Transition > 0 && len(old.nodes) > 0 && old.version != s.version {
		next.earlier = append([]past{{old.Snapshot, now.Add(r.opts.Transition)}}, old.earlier...)
		next.earlier = next.earlier[:min(len(next.earlier), maxEarlier)]
	}
	r.store(next, now)
	return change, nil
}

// Settle says that all data has moved to its present owner: Readers gives no
// earlier ones any more.
func (r *Ring) Settle() {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := *r.view.Load()
	next.earlier = nil
	r.store(next, time.Now())
}

// Moving tells whether earlier owners are still among the Readers.
func (r *Ring) Moving() bool { return r.current().earlier != nil }

// MarkDown makes lookups skip the node with the ID for the given time, or until
// MarkUp where it is 0: the keys go to whom they would go to without it, and
// all others stay where they are. It returns false where there is no such node.
// Nothing is rebuilt.
func (r *Ring) MarkDown(id string, d time.Duration) bool {
	if d <= 0 {
		d = math.MaxInt64 // 292 years
	}
	return r.mark(id, time.Now().Add(d))
}

// MarkUp takes back MarkDown. It returns false where there is no such node.
func (r *Ring) MarkUp(id string) bool { return r.mark(id, time.Time{}) }

// Snapshot returns the present placement. It knows nothing of nodes that are
// down.
func (r *Ring) Snapshot() *Snapshot { return r.view.Load().Snapshot }

// Generation counts the changes of the nodes. It is that of this process alone;
// Snapshot().Version() is what processes can compare.
func (r *Ring) Generation() uint64 { return r.view.Load().generation }

// Down returns the IDs of the nodes that are marked down, in ascending order.
func (r *Ring) Down() []string {
	v := r.current()
	var ids []string
	for i := range v.down {
		if v.isDown(uint32(i)) {
			ids = append(ids, v.nodes[i].ID)
		}
	}
	return ids
}

// current returns the view, without what has expired.
func (r *Ring) current() *view {
	v := r.view.Load()
	if v.expires.IsZero() || time.Now().Before(v.expires) {
		return v
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.store(*r.view.Load(), time.Now())
	return r.view.Load()
}

// mark sets until when a node is down.
func (r *Ring) mark(id string, until time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := *r.view.Load()
	i, ok := next.find(id)
	if !ok {
		return false
	}
	down := make([]time.Time, len(next.nodes))
	copy(down, next.down)
	down[i] = until
	next.down = down
	r.store(next, time.Now())
	return true
}

// store swaps in a view, without what has expired. It is called with mu held.
func (r *Ring) store(v view, now time.Time) {
	v.expires = time.Time{}
	note := func(t time.Time) {
		if v.expires.IsZero() || t.Before(v.expires) {
			v.expires = t
		}
	}
	var earlier []past
	for _, p := range v.earlier {
		if now.Before(p.until) {
			earlier = append(earlier, p)
			note(p.until)
		}
	}
	v.earlier = earlier
	down, any := make([]time.Time, len(v.down)), false
	for i, until := range v.down {
		if now.Before(until) {
			down[i], any = until, true
			note(until)
		}
	}
	if v.down = nil; any {
		v.down = down
	}
	r.view.Store(&v)
}

// downIn carries the marks over to another placement.
func (v *view) downIn(s *Snapshot) []time.Time {
	if v.down == nil {
		return nil
	}
	down := make([]time.Time, len(s.nodes))
	for i, n := range s.nodes {
		if was, ok := v.find(n.ID); ok {
			down[i] = v.down[was]
		}
	}
	return down
}

// isDown tells whether an owner is marked down.
func (v *view) isDown(owner uint32) bool { return v.down != nil && !v.down[owner].IsZero() }
