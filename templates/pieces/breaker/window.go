package breaker

import "time"

// slots is the number of slots of a window: it covers from 9/10 to all of the
// time that it is to.
const slots = 10

// window counts what happened of late. Its slots lie in a ring, and the sum of
// all is kept beside them, so that it costs the same however much happens.
type window struct {
	width  int64 // of a slot
	newest int64 // number of the newest slot since the beginning of time
	ring   [slots]tally
	sum    tally
}

type tally struct{ calls, failures, retries int }

// resize changes the length of the window, which empties it.
func (w *window) resize(length time.Duration) {
	width := max(int64(length)/slots, 1)
	if width != w.width {
		*w = window{width: width}
	}
}

func (w *window) clear() { *w = window{width: w.width} }

// count adds a call.
func (w *window) count(now int64, failure bool) {
	w.advance(now)
	at := &w.ring[w.newest%slots]
	at.calls++
	w.sum.calls++
	if failure {
		at.failures++
		w.sum.failures++
	}
}

// retry adds a retry at the time of the last advance.
func (w *window) retry() {
	w.ring[w.newest%slots].retries++
	w.sum.retries++
}

// advance forgets what is too old. Time does not go back: a caller who is late
// with an earlier one counts into the newest slot.
func (w *window) advance(now int64) {
	number := now / w.width
	if number-w.newest >= slots {
		w.clear()
		w.newest = number
	}
	for w.newest < number {
		w.newest++
		old := &w.ring[w.newest%slots]
		w.sum.calls -= old.calls
		w.sum.failures -= old.failures
		w.sum.retries -= old.retries
		*old = tally{}
	}
}
