package ring

import (
	"cmp"
	"sync"
	"time"
)

// Router decides where a client sends its requests. Beside the ring it knows
// which nodes this client could not reach lately, and asks those last; that is
// its own knowledge and changes nothing for others who use the ring. It is safe
// for concurrent use.
type Router struct {
	ring     *Ring
	cooldown time.Duration

	mu       sync.Mutex
	suspects map[string]time.Time // until when
}

// NewRouter returns a router that asks a node which could not be reached last
// for as long as cooldown; 0 means 2 seconds.
func NewRouter(r *Ring, cooldown time.Duration) *Router {
	return &Router{ring: r, cooldown: cmp.Or(cooldown, 2*time.Second), suspects: make(map[string]time.Time)}
}

// Ring is the ring that the router goes by.
func (r *Router) Ring() *Ring { return r.ring }

// Reached tells whether the node could be reached.
func (r *Router) Reached(id string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ok {
		delete(r.suspects, id)
		return
	}
	now := time.Now()
	for other, until := range r.suspects { // those that have left are never asked for again
		if !now.Before(until) {
			delete(r.suspects, other)
		}
	}
	r.suspects[id] = now.Add(r.cooldown)
}

// Route begins to route one request. Where reads is true, those who owned the
// key before a change are among the nodes to ask. At most tries further nodes
// are: the owner and its replicas.
func (r *Router) Route(key string, reads bool, tries int) *Route {
	return &Route{router: r, key: key, reads: reads, tries: tries}
}

// Route is the way of one request: whom to ask next, given whom it has asked.
// It is not safe for concurrent use.
type Route struct {
	router *Router
	key    string
	reads  bool
	tries  int
	asked  []string
	buf    []Node
}

// Next returns the node to ask next. It looks at the ring as it is at that
// moment: after a change it is the new owner, unless that was asked already. It
// returns false where nobody is left, and ErrEmpty where the ring has no nodes.
// That nodes are marked down or suspect only makes them the last ones.
func (r *Route) Next() (Node, bool, error) {
	candidates, err := r.candidates()
	if err != nil {
		return Node{}, false, err
	}
	n, ok := r.choose(candidates)
	return n, ok, nil
}

// NextHolder returns a further node that may hold the key since ranges are
// moving, for a read that the nodes asked so far had no answer to. It returns
// false where there is none.
func (r *Route) NextHolder() (Node, bool) {
	if !r.reads {
		return Node{}, false
	}
	holders, err := r.router.ring.Readers(r.buf[:0], r.key)
	if err != nil {
		return Node{}, false
	}
	r.buf = holders
	return r.choose(holders)
}

// candidates are all whom the request may be sent to, the best first.
func (r *Route) candidates() ([]Node, error) {
	ring := r.router.ring
	all, err := ring.GetN(r.buf[:0], r.key, r.tries)
	if err == ErrAllDown { // then who says so is more likely wrong than not
		all, err = ring.Snapshot().GetN(all[:0], r.key, r.tries)
	}
	r.buf = all
	if len(all) == 0 {
		return nil, err
	}
	if !r.reads {
		return all, nil
	}
	holders, err := ring.Readers(nil, r.key)
	if err != nil {
		return all, nil
	}
	for _, n := range all {
		if !containsNode(holders, n.ID) {
			holders = append(holders, n)
		}
	}
	return holders, nil
}

// choose returns the first node that was not asked, of those not suspect if
// there is one, and counts it as asked.
func (r *Route) choose(nodes []Node) (Node, bool) {
	r.router.mu.Lock()
	defer r.router.mu.Unlock()
	best := -1
	for i, n := range nodes {
		if r.wasAsked(n.ID) {
			continue
		}
		if !r.router.suspect(n.ID) {
			best = i
			break
		}
		if best < 0 {
			best = i
		}
	}
	if best < 0 {
		return Node{}, false
	}
	r.asked = append(r.asked, nodes[best].ID)
	return nodes[best], true
}

func (r *Route) wasAsked(id string) bool {
	for _, a := range r.asked {
		if a == id {
			return true
		}
	}
	return false
}

// suspect is called with mu held.
func (r *Router) suspect(id string) bool {
	if len(r.suspects) == 0 {
		return false
	}
	until, ok := r.suspects[id]
	return ok && time.Now().Before(until)
}
