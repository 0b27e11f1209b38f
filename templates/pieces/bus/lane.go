package bus

import "time"

// lane holds the events of one key that wait, the first to come first.
type lane struct {
	key        string
	head, tail *item
	state      laneState
	due        time.Time // while it is delayed
	index      int       // in the heap, while it is delayed
	prev, next *lane     // in the list, while it is ready
}

type laneState int

const (
	laneIdle    laneState = iota // holds nothing and nothing of it is being handled
	laneReady                    // its first event can be taken
	laneBusy                     // an event of it is being handled
	laneDelayed                  // its first event waits to be tried again
)

func (l *lane) append(it *item) {
	if l.tail == nil {
		l.head = it
	} else {
		l.tail.behind = it
	}
	l.tail = it
}

func (l *lane) prepend(it *item) {
	if it.behind = l.head; l.head == nil {
		l.tail = it
	}
	l.head = it
}

// pop removes the first; there is one.
func (l *lane) pop() *item {
	it := l.head
	if l.head = it.behind; l.head == nil {
		l.tail = nil
	}
	it.behind = nil
	return it
}

// laneOf returns the lane of a key, which is new where nothing with that key is
// there.
func (l *lanes) laneOf(key string) *lane {
	if key != "" {
		if found := l.keyed[key]; found != nil {
			return found
		}
	}
	made := l.freeLanes
	if made == nil {
		made = &lane{}
	} else {
		l.freeLanes = made.next
		*made = lane{}
	}
	if made.key = key; key != "" {
		l.keyed[key] = made
	}
	return made
}

func (l *lanes) freeLane(gone *lane) {
	if gone.key != "" {
		delete(l.keyed, gone.key)
	}
	*gone = lane{next: l.freeLanes}
	l.freeLanes = gone
}

func (l *lanes) newItem() *item {
	made := l.freeItems
	if made == nil {
		return &item{}
	}
	l.freeItems = made.behind
	made.behind = nil
	return made
}

func (l *lanes) freeItem(gone *item) {
	*gone = item{behind: l.freeItems}
	l.freeItems = gone
}

// laneList is a queue of lanes, which are in one list at most.
type laneList struct{ first, last *lane }

func (q *laneList) push(l *lane) {
	l.prev, l.next = q.last, nil
	if q.last == nil {
		q.first = l
	} else {
		q.last.next = l
	}
	q.last = l
}

func (q *laneList) pop() *lane {
	l := q.first
	if l != nil {
		q.remove(l)
	}
	return l
}

func (q *laneList) remove(l *lane) {
	if l.prev == nil {
		q.first = l.next
	} else {
		l.prev.next = l.next
	}
	if l.next == nil {
		q.last = l.prev
	} else {
		l.next.prev = l.prev
	}
	l.prev, l.next = nil, nil
}

// laneHeap is a binary heap of the lanes that are delayed, with the one that is
// due first on top.
type laneHeap []*lane

func (h laneHeap) first() *lane {
	if len(h) == 0 {
		return nil
	}
	return h[0]
}

func (h *laneHeap) push(l *lane) {
	l.index = len(*h)
	*h = append(*h, l)
	h.up(l.index)
}

func (h *laneHeap) remove(l *lane) {
	at, last := l.index, len(*h)-1
	h.swap(at, last)
	(*h)[last] = nil
	*h = (*h)[:last]
	if at < last {
		h.up(at)
		h.down(at)
	}
}

func (h laneHeap) up(at int) {
	for at > 0 {
		parent := (at - 1) / 2
		if !h[at].due.Before(h[parent].due) {
			return
		}
		h.swap(at, parent)
		at = parent
	}
}

func (h laneHeap) down(at int) {
	for {
		least := at
		for child := 2*at + 1; child <= 2*at+2 && child < len(h); child++ {
			if h[child].due.Before(h[least].due) {
				least = child
			}
		}
		if least == at {
			return
		}
		h.swap(at, least)
		at = least
	}
}

func (h laneHeap) swap(a, b int) {
	h[a], h[b] = h[b], h[a]
	h[a].index, h[b].index = a, b
}

// arrivals is what waits in all lanes, by the time of its arrival.
type arrivals struct{ first, last *item }

func (a *arrivals) append(it *item) {
	it.older, it.newer = a.last, nil
	if a.last == nil {
		a.first = it
	} else {
		a.last.newer = it
	}
	a.last = it
}

func (a *arrivals) prepend(it *item) {
	it.older, it.newer = nil, a.first
	if a.first == nil {
		a.last = it
	} else {
		a.first.older = it
	}
	a.first = it
}

func (a *arrivals) remove(it *item) {
	if it.older == nil {
		a.first = it.newer
	} else {
		it.older.newer = it.newer
	}
	if it.newer == nil {
		a.last = it.older
	} else {
		it.newer.older = it.older
	}
	it.older, it.newer = nil, nil
}

// waiters are publishers without room, the first to come first.
type waiters struct{ first, last, free *waiter }

type waiter struct {
	granted    chan error // gets nil with the room, once, or why there will be none
	prev, next *waiter
	queued     bool
}

func (q *waiters) add() *waiter {
	w := q.free
	if w == nil {
		w = &waiter{granted: make(chan error, 1)}
	} else {
		q.free = w.next
	}
	w.prev, w.next, w.queued = q.last, nil, true
	if q.last == nil {
		q.first = w
	} else {
		q.last.next = w
	}
	q.last = w
	return w
}

func (q *waiters) pop() *waiter {
	w := q.first
	q.remove(w)
	return w
}

// remove returns false for one that is not in the queue any more.
func (q *waiters) remove(w *waiter) bool {
	if !w.queued {
		return false
	}
	w.queued = false
	if w.prev == nil {
		q.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	return true
}

// recycle takes back one that is not in the queue any more and has no answer in it.
func (q *waiters) recycle(w *waiter) {
	w.prev, w.next = nil, q.free
	q.free = w
}
