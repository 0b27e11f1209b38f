package bus

import (
	"context"
	"sync"
)

// Window bounds the events of a group that an engine has handed out. It is safe for
// concurrent use.
type Window struct {
	mu     sync.Mutex
	open   int
	limit  int
	change chan struct{} // gets a value when one is closed
}

// NewWindow returns one for up to limit events.
func NewWindow(limit int) *Window { return &Window{limit: limit, change: make(chan struct{}, 1)} }

// Free waits until there is room and returns how much; false at the end of ctx.
func (w *Window) Free(ctx context.Context) (int, bool) {
	for {
		w.mu.Lock()
		free := w.limit - w.open
		w.mu.Unlock()
		if free > 0 {
			return free, true
		}
		select {
		case <-ctx.Done():
			return 0, false
		case <-w.change:
		}
	}
}

// Take notes that one was handed out.
func (w *Window) Take() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open++
}

// Give notes that one was settled.
func (w *Window) Give() {
	w.mu.Lock()
	w.open--
	w.mu.Unlock()
	select {
	case w.change <- struct{}{}:
	default:
	}
}
