package election

import "sync/atomic"

// Gate is a fence in memory: it admits tokens that are not lower than any that
// it admitted before. It suits a place of writes that is a process of its own,
// which is sent the token with each request. The zero value admits every token.
// It is safe for concurrent use, but a check and the write that follows are one
// step only where the caller makes them so.
type Gate struct{ highest atomic.Int64 }

// Admit returns nil for a token that is not lower than any admitted before, and
// a *FencedError otherwise.
func (g *Gate) Admit(token Token) error {
	for {
		highest := g.highest.Load()
		switch {
		case int64(token) < highest || token <= 0:
			return &FencedError{Name: "gate", Token: token}
		case int64(token) == highest || g.highest.CompareAndSwap(highest, int64(token)):
			return nil
		}
	}
}
