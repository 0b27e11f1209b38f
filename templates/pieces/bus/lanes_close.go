package bus

import (
	"context"
	"time"
)

// close takes nothing in any more. Room that was reserved before is still good.
func (l *lanes) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for l.blocked.first != nil {
		l.blocked.pop().granted <- ErrClosed
	}
}

// drain waits, after close, until everything is handled, or ctx ends, or nothing
// is left but what is not due before that.
func (l *lanes) drain(ctx context.Context) {
	l.mu.Lock()
	l.deadline, _ = ctx.Deadline()
	l.checkIdle()
	l.mu.Unlock()
	select {
	case <-l.idle:
	case <-ctx.Done():
	}
}

// checkIdle ends the drain if nothing is worth waiting for. It is called with mu
// held.
func (l *lanes) checkIdle() {
	if !l.closed || l.busy > 0 || l.reserved > 0 {
		return
	}
	if !l.stopped {
		if l.ready.first != nil {
			return
		}
		if first := l.delayed.first(); first != nil && (l.deadline.IsZero() || first.due.Before(l.deadline)) {
			return
		}
	}
	select {
	case <-l.idle:
	default:
		close(l.idle)
	}
}

// stop ends every take. What was taken may still be finished.
func (l *lanes) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = true
	l.setTimer()
	l.work.Broadcast()
}

// rest empties the lanes after stop and hands what waited to each, the oldest
// first, with the pause that is left of it.
func (l *lanes) rest(each func(it *item, pause time.Duration)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for it := l.oldest.first; it != nil; it = l.oldest.first {
		l.oldest.remove(it)
		l.waiting--
		var pause time.Duration
		if it.lane.state == laneDelayed {
			pause = max(0, time.Until(it.lane.due))
		}
		each(it, pause)
	}
	l.ready, l.delayed = laneList{}, nil
	clear(l.keyed)
}
