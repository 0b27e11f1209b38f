package bus

import (
	"errors"
	"time"
)

// keep extends the claims of handlers that take long, until the workers are done.
// A handler whose claim is gone is told so by the end of its context.
func (g *group) keep() {
	ticker := time.NewTicker(g.options.Lease / 4)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			for _, w := range g.workers {
				g.extend(w)
			}
		case <-g.ended:
			return
		case <-g.ctx.Done():
			return
		}
	}
}

func (g *group) extend(w *worker) {
	w.mu.Lock()
	busy, key, token, since, cancel := w.busy, w.key, w.token, w.since, w.cancel
	w.mu.Unlock()
	now := time.Now()
	if !busy || now.Sub(since) < g.options.Lease/4 {
		return
	}
	err := g.claims.Extend(g.ops, key, token, g.options.Lease)
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.busy || w.token != token {
		return // the handler has returned in the meantime
	}
	switch {
	case err == nil:
		w.since = now
	case errors.Is(err, ErrLost):
		cancel(ErrLost)
	default:
		g.counts.trouble.Add(1)
		g.log.Error("bus: cannot extend a claim", "event", key.ID, "error", err)
		if now.Sub(since) >= g.options.Lease {
			cancel(ErrLost) // nobody knows any more whose it is
		}
	}
}
