package bus

import (
	"context"
	"hash/maphash"
	"sync"
	"time"
)

// MemoryClaims are Claims for one process: after its end nobody knows which
// events it had handled. An event takes about 130 bytes for the whole retention,
// and its ID.
type MemoryClaims struct {
	seed   maphash.Seed
	epoch  time.Time // every time is one since then, which is monotonic
	shards [claimShards]claimShard
}

// claimShards spreads the keys, so that workers seldom wait for each other.
const claimShards = 32

type claimShard struct {
	mu sync.Mutex
	// notes has the notes by the hash of their keys; those with one hash make a
	// chain. The map has no strings, which makes it small and fast.
	notes map[uint64]*note
	// first and last end the list of committed notes, in the order of their
	// commits. Where groups differ in their retention, a note may stay as long as
	// the longest.
	first, last *note
	free        *note
	_           [32]byte // keeps the locks of neighbours in different cache lines
}

// note is what is known of one event.
type note struct {
	key   ClaimKey
	hash  uint64
	owner Token
	until time.Duration // end of the lease, or of the retention
	done  bool
	chain *note // the next with the same hash, or the next free one
	next  *note // in the list of committed ones
}

// NewMemoryClaims returns an empty store.
func NewMemoryClaims() *MemoryClaims {
	m := &MemoryClaims{seed: maphash.MakeSeed(), epoch: time.Now()}
	for i := range m.shards {
		m.shards[i].notes = make(map[uint64]*note)
	}
	return m
}

// Claim is part of Claims.
func (m *MemoryClaims) Claim(_ context.Context, key ClaimKey, owner Token, lease time.Duration) (Claim, error) {
	s, hash := m.shard(key)
	now := time.Since(m.epoch)
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.find(hash, key)
	switch {
	case n == nil:
		s.add(hash, key, owner, now+lease)
		return Claim{State: Claimed}, nil
	case n.done && now < n.until:
		return Claim{State: Done}, nil
	case n.done: // it stays where it is in the list of expired ones, and another one takes its place
		s.unchain(n)
		s.add(hash, key, owner, now+lease)
		return Claim{State: Claimed}, nil
	case n.owner != owner && now < n.until:
		return Claim{State: InProgress, Wait: n.until - now}, nil
	}
	n.owner, n.until = owner, now+lease
	return Claim{State: Claimed}, nil
}

// Extend is part of Claims.
func (m *MemoryClaims) Extend(_ context.Context, key ClaimKey, owner Token, lease time.Duration) error {
	s, hash := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.find(hash, key)
	if n == nil || n.owner != owner || n.done {
		return ErrLost
	}
	n.until = time.Since(m.epoch) + lease
	return nil
}

// Commit is part of Claims.
func (m *MemoryClaims) Commit(_ context.Context, key ClaimKey, owner Token, retention time.Duration) error {
	s, hash := m.shard(key)
	now := time.Since(m.epoch)
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.find(hash, key)
	switch {
	case n == nil || n.owner != owner:
		return ErrLost
	case n.done:
		return nil
	}
	n.done, n.until = true, now+retention
	if s.last == nil {
		s.first = n
	} else {
		s.last.next = n
	}
	s.last = n
	s.forget(now)
	return nil
}

// Abandon is part of Claims.
func (m *MemoryClaims) Abandon(_ context.Context, key ClaimKey, owner Token) error {
	s, hash := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.find(hash, key); n != nil && n.owner == owner && !n.done {
		s.unchain(n)
		s.release(n)
	}
	return nil
}

// Len is the number of events that something is known of.
func (m *MemoryClaims) Len() int {
	sum := 0
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		for _, n := range s.notes {
			for ; n != nil; n = n.chain {
				sum++
			}
		}
		s.mu.Unlock()
	}
	return sum
}

func (m *MemoryClaims) shard(key ClaimKey) (*claimShard, uint64) {
	// The group is rotated, so that the groups a and b do not share the hash of
	// the events b and a.
	group := maphash.String(m.seed, key.Group)
	hash := maphash.String(m.seed, key.ID) + (group<<21 | group>>43)
	return &m.shards[hash>>59], hash
}

func (s *claimShard) find(hash uint64, key ClaimKey) *note {
	n := s.notes[hash]
	for n != nil && n.key != key {
		n = n.chain
	}
	return n
}

func (s *claimShard) add(hash uint64, key ClaimKey, owner Token, until time.Duration) {
	if s.free == nil {
		// Many at a time; one by one they would be half of all garbage.
		for notes := make([]note, 32); len(notes) > 0; notes = notes[1:] {
			s.release(&notes[0])
		}
	}
	n := s.free
	s.free = n.chain
	*n = note{key: key, hash: hash, owner: owner, until: until, chain: s.notes[hash]}
	s.notes[hash] = n
}

// unchain takes a note out of the map.
func (s *claimShard) unchain(gone *note) {
	first := s.notes[gone.hash]
	switch {
	case first != gone:
		for first.chain != gone {
			first = first.chain
		}
		first.chain = gone.chain
	case gone.chain == nil:
		delete(s.notes, gone.hash)
	default:
		s.notes[gone.hash] = gone.chain
	}
	gone.key = ClaimKey{}
}

func (s *claimShard) release(n *note) {
	*n = note{chain: s.free}
	s.free = n
}

// forgetAtOnce is how many expired notes one commit removes at most: more than
// it adds, and so few that nobody waits for it.
const forgetAtOnce = 4

func (s *claimShard) forget(now time.Duration) {
	for range forgetAtOnce {
		n := s.first
		if n == nil || now < n.until {
			return
		}
		if s.first = n.next; s.first == nil {
			s.last = nil
		}
		if n.key != (ClaimKey{}) {
			s.unchain(n)
		}
		s.release(n)
	}
}
