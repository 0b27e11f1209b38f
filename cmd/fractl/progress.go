package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress is one line on a terminal that says how far a long run has come. It
// begins to show after a second, and is gone when the run is done. It may be
// used concurrently; nil shows nothing.
type progress struct {
	w     io.Writer
	now   func() time.Time
	began time.Time

	mu    sync.Mutex
	last  time.Time
	shown bool
}

// patience is how long a run may take before it says how far it is.
const (
	patience = time.Second
	interval = 100 * time.Millisecond
)

// progress returns a line of progress where a person watches.
func (u *ui) progress() *progress {
	if !u.terminal {
		return nil
	}
	return &progress{w: u.w, now: time.Now, began: time.Now()}
}

// update says that done of all packages are done.
func (p *progress) update(done, all int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if now.Sub(p.began) < patience || now.Sub(p.last) < interval {
		return
	}
	p.last, p.shown = now, true
	fmt.Fprintf(p.w, "\r\x1b[Kfractl: %d of %d packages", done, all)
}

// end clears the line.
func (p *progress) end() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}
