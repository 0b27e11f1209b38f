package electiontest

import (
	"context"
	"sync"
	"time"

	"github.com/fractl/fractl/templates/pieces/election"
)

// Memory is a lease in memory, for tests of what uses an elector: all candidates
// use the same value. It is safe for concurrent use.
type Memory struct {
	mu      sync.Mutex
	held    election.Holder
	last    election.Token
	ends    time.Time
	ahead   time.Duration // of its clock before time.Now
	changed chan struct{} // closed at the next change
}

// NewMemory returns a lease that nobody has held.
func NewMemory() *Memory { return &Memory{changed: make(chan struct{})} }

// Jump makes the clock of the lease jump, forward or back.
func (m *Memory) Jump(by time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ahead += by
	m.change()
}

// Acquire implements election.Lease.
func (m *Memory) Acquire(ctx context.Context, candidate string, ttl time.Duration) (election.Holder, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return election.Holder{}, false, err
	}
	if m.holder().ID != "" && m.held.ID != candidate {
		return m.held, false, nil
	}
	m.last++
	m.held = election.Holder{ID: candidate, Token: m.last}
	m.ends = m.now().Add(ttl)
	m.change()
	return m.held, true, nil
}

// Renew implements election.Lease.
func (m *Memory) Renew(ctx context.Context, candidate string, token election.Token, ttl time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.holder() != (election.Holder{ID: candidate, Token: token}) {
		return election.ErrLost
	}
	m.ends = m.now().Add(ttl)
	m.change()
	return nil
}

// Release implements election.Lease.
func (m *Memory) Release(ctx context.Context, candidate string, token election.Token) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.held == (election.Holder{ID: candidate, Token: token}) {
		m.held = election.Holder{}
		m.change()
	}
	return nil
}

// Wait implements election.Lease.
func (m *Memory) Wait(ctx context.Context, held election.Holder) error {
	for {
		m.mu.Lock()
		now, left, changed := m.holder(), m.ends.Sub(m.now()), m.changed
		m.mu.Unlock()
		if now != held {
			return nil
		}
		timer := time.NewTimer(left)
		select {
		case <-timer.C:
		case <-changed:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
		timer.Stop()
	}
}

// Holder returns who holds the lease now, nobody where it has ended.
func (m *Memory) Holder() election.Holder {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.holder()
}

func (m *Memory) holder() election.Holder {
	if !m.now().Before(m.ends) {
		return election.Holder{}
	}
	return m.held
}

func (m *Memory) now() time.Time { return time.Now().Add(m.ahead) }

func (m *Memory) change() {
	close(m.changed)
	m.changed = make(chan struct{})
}
