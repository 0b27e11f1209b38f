package bus

import (
	"context"
	"slices"
	"sync"
)

// MemoryGraveyard is a Graveyard that ends with the process. Beyond its limit it
// takes nothing in: what cannot be buried is tried again and again, which keeps
// it where it came from.
type MemoryGraveyard struct {
	limit int

	mu      sync.Mutex
	letters map[string][]Letter // by group, in the order of their burial
	size    int
}

// NewMemoryGraveyard returns an empty one for up to limit letters.
func NewMemoryGraveyard(limit int) *MemoryGraveyard {
	return &MemoryGraveyard{limit: limit, letters: make(map[string][]Letter)}
}

// Bury is part of Graveyard. It returns an *OverloadedError at the limit.
func (g *MemoryGraveyard) Bury(_ context.Context, l Letter) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if at := g.find(l.Group, l.Event.ID); at >= 0 {
		g.remove(l.Group, at)
	}
	if g.size >= g.limit {
		return &OverloadedError{Group: l.Group}
	}
	g.letters[l.Group] = append(g.letters[l.Group], l)
	g.size++
	return nil
}

// List is part of Graveyard.
func (g *MemoryGraveyard) List(_ context.Context, group, after string, limit int) ([]Letter, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	rest := g.letters[group]
	if after != "" {
		at := g.find(group, after)
		if at < 0 {
			return nil, ErrNotFound
		}
		rest = rest[at+1:]
	}
	return slices.Clone(rest[:min(limit, len(rest))]), nil
}

// Dig is part of Graveyard.
func (g *MemoryGraveyard) Dig(_ context.Context, group, id string) (Letter, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := g.find(group, id)
	if at < 0 {
		return Letter{}, ErrNotFound
	}
	return g.letters[group][at], nil
}

// Discard is part of Graveyard.
func (g *MemoryGraveyard) Discard(_ context.Context, l Letter) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := g.find(l.Group, l.Event.ID)
	if at < 0 || !g.letters[l.Group][at].Last.Equal(l.Last) {
		return ErrNotFound
	}
	g.remove(l.Group, at)
	return nil
}

func (g *MemoryGraveyard) find(group, id string) int {
	return slices.IndexFunc(g.letters[group], func(l Letter) bool { return l.Event.ID == id })
}

func (g *MemoryGraveyard) remove(group string, at int) {
	g.letters[group] = slices.Delete(g.letters[group], at, at+1)
	g.size--
}
