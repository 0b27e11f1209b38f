package bus

import (
	"context"
	"runtime"
	"sync"
	"time"
)

// lanes is the queue of one group. Events with one key make a lane: they are
// taken one at a time and in order, and a lane whose event has to be tried again
// waits for it, while all others go on. An event without a key is a lane of its
// own. Lanes live only while they hold something, so that there may be any number
// of keys. It is safe for concurrent use.
type lanes struct {
	limit    int
	overflow Overflow
	dropped  func(*item) // told of each event that made room for another; with mu held

	mu       sync.Mutex
	work     sync.Cond        // for takers: something is ready, or all is over
	keyed    map[string]*lane // lanes that hold an event with a key
	ready    laneList
	delayed  laneHeap
	timer    *time.Timer // fires when the first of the delayed is due; nil before there is one
	oldest   arrivals    // everything that waits, ready or not
	waiting  int         // events in oldest
	busy     int         // events that were taken and are not done with
	reserved int         // room that was promised to publishers
	blocked  waiters     // publishers without room
	closed   bool        // takes nothing in
	deadline time.Time   // of the drain; what is due later is not waited for
	stopped  bool        // gives nothing out
	idle     chan struct{}

	freeItems *item
	freeLanes *lane
}

// arrival is how an event comes to the lanes.
type arrival struct {
	key      string // orders it
	at       time.Time
	receipt  Receipt
	tracked  *settlement
	attempts int   // that others have begun
	cause    error // why it cannot be handled at all, or nil
}

// item is an event on its way through the lanes. Whoever took it has it for
// itself.
type item struct {
	event   Event
	receipt Receipt     // nil in memory
	tracked *settlement // nil where nobody asks
	arrived time.Time

	// What the group has done about it so far.
	phase    phase
	token    Token
	attempts int       // begun
	first    time.Time // beginning of the first one
	cause    error     // of the last failure
	trouble  int       // failures in a row to reach a store or an engine

	lane         *lane
	behind       *item // the next of its lane
	older, newer *item // neighbours in arrivals
}

func newLanes(limit int, overflow Overflow, dropped func(*item)) *lanes {
	l := &lanes{limit: limit, overflow: overflow, dropped: dropped,
		keyed: make(map[string]*lane), idle: make(chan struct{})}
	l.work.L = &l.mu
	return l
}

// reserve promises room for one event: put or release follows. While there is
// none it does what the overflow policy says.
func (l *lanes) reserve(ctx context.Context) error {
	for try := 0; ; try++ {
		l.mu.Lock()
		switch {
		case l.closed:
			l.mu.Unlock()
			return ErrClosed
		case l.room():
			l.reserved++
			l.mu.Unlock()
			return nil
		case l.overflow == Reject:
			l.mu.Unlock()
			return &OverloadedError{}
		case try == yields:
			w := l.blocked.add()
			l.mu.Unlock()
			return l.await(ctx, w)
		}
		l.mu.Unlock()
		// Let the workers take many, instead of being woken for each of them.
		runtime.Gosched()
	}
}

// yields is how often a publisher without room lets others run before it waits.
const yields = 3

// await waits until there is room for w, or will never be, or ctx ends.
func (l *lanes) await(ctx context.Context, w *waiter) error {
	var err error
	granted := true
	select {
	case err = <-w.granted:
	case <-ctx.Done():
		granted, err = false, context.Cause(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	// An answer may have come after ctx had ended.
	if !granted && !l.blocked.remove(w) && <-w.granted == nil {
		l.giveBack()
	}
	l.blocked.recycle(w)
	return err
}

// room tells, with mu held, whether an event may come in, in front of those that
// wait for it.
func (l *lanes) room() bool {
	return l.overflow == DropOldest || l.waiting+l.reserved < l.limit && l.blocked.first == nil
}

// release gives reserved room back.
func (l *lanes) release() {
	l.mu.Lock()
	l.giveBack()
	l.mu.Unlock()
}

func (l *lanes) giveBack() {
	l.reserved--
	l.admit()
	l.checkIdle()
}

// put adds an event for which there is reserved room.
func (l *lanes) put(e *Event, a arrival) {
	l.mu.Lock()
	l.reserved--
	l.add(e, a)
	l.mu.Unlock()
}

// offer is reserve and put in one step where that does not have to wait.
func (l *lanes) offer(e *Event, a arrival) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || !l.room() {
		return false
	}
	l.add(e, a)
	return true
}

func (l *lanes) add(e *Event, a arrival) {
	if l.overflow == DropOldest && l.waiting >= l.limit {
		l.dropOldest()
	}
	it := l.newItem()
	it.event, it.receipt, it.tracked, it.arrived = *e, a.receipt, a.tracked, a.at
	it.attempts, it.cause = a.attempts, a.cause
	if a.cause != nil {
		it.phase = burying
	}
	lane := l.laneOf(a.key)
	it.lane = lane
	lane.append(it)
	l.oldest.append(it)
	l.waiting++
	if lane.state == laneIdle {
		lane.state = laneReady
		l.ready.push(lane)
		l.work.Signal()
	}
}

// take ends the way of the event that was taken before, if there is one, and
// returns the next, or nil once the lanes are stopped. waited tells whether it had
// to wait for it. What was taken goes back by again, or is the done of the next
// take.
func (l *lanes) take(done *item) (it *item, waited bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if done != nil {
		l.busy--
		l.resume(done.lane)
		l.freeItem(done)
		l.checkIdle()
	}
	for {
		if l.stopped {
			return nil, waited
		}
		if lane := l.ready.pop(); lane != nil {
			it := lane.pop()
			lane.state = laneBusy
			l.oldest.remove(it)
			l.waiting--
			l.busy++
			l.admit()
			return it, waited
		}
		waited = true
		l.work.Wait()
	}
}

// resume goes on with a lane whose first event is out of the way.
func (l *lanes) resume(lane *lane) {
	if lane.head == nil {
		l.freeLane(lane)
		return
	}
	lane.state = laneReady
	l.ready.push(lane)
	l.work.Signal()
}

// again puts an event that was taken back to the front of its lane, to be taken
// again after the pause.
func (l *lanes) again(it *item, pause time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy--
	it.lane.prepend(it)
	l.oldest.prepend(it)
	l.waiting++ // above the limit by as many as there are takers, at most
	it.lane.state = laneDelayed
	it.lane.due = time.Now().Add(pause)
	l.delayed.push(it.lane)
	l.setTimer()
	l.checkIdle()
}

// setTimer is called with mu held after the delayed have changed.
func (l *lanes) setTimer() {
	first := l.delayed.first()
	switch {
	case first == nil || l.stopped:
		if l.timer != nil {
			l.timer.Stop()
		}
	case l.timer == nil:
		l.timer = time.AfterFunc(time.Until(first.due), l.wake)
	default:
		l.timer.Reset(time.Until(first.due))
	}
}

// wake makes those lanes ready that are due.
func (l *lanes) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for first := l.delayed.first(); first != nil && !now.Before(first.due); first = l.delayed.first() {
		l.delayed.remove(first)
		first.state = laneReady
		l.ready.push(first)
		l.work.Signal()
	}
	l.setTimer()
}

// dropOldest makes room where there is something that waits; what was taken is
// not touched any more.
func (l *lanes) dropOldest() {
	it := l.oldest.first
	if it == nil {
		return
	}
	lane := it.lane
	lane.pop() // the oldest of all is the oldest of its lane
	l.oldest.remove(it)
	l.waiting--
	switch {
	case lane.state == laneDelayed:
		l.delayed.remove(lane)
		l.setTimer()
		l.resume(lane)
	case lane.state == laneReady && lane.head == nil:
		l.ready.remove(lane)
		l.freeLane(lane)
	}
	l.dropped(it)
	l.freeItem(it)
}

// admit gives room to the publisher that has waited longest.
func (l *lanes) admit() {
	for l.blocked.first != nil && !l.closed && l.waiting+l.reserved < l.limit {
		l.reserved++
		l.blocked.pop().granted <- nil
	}
}

// depth is the state of a queue.
type depth struct {
	waiting, delayed, busy int
	oldest                 time.Time // when the oldest that waits arrived, or zero
}

func (l *lanes) depth() depth {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := depth{waiting: l.waiting, delayed: len(l.delayed), busy: l.busy}
	if l.oldest.first != nil {
		d.oldest = l.oldest.first.arrived
	}
	return d
}
