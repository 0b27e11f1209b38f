// Package cache keeps results by the key of everything that they depend on: in
// a folder of this machine and, where one is given, in a store that machines
// share. It knows nothing of what it keeps.
//
// Nothing that it does can make a result wrong: an entry that is damaged, cut
// short or of another key counts as absent. Many processes may use one folder
// at a time, without locks: entries are written beside their place and renamed
// into it, and two that write one key write the same thing.
package cache

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"sync"
)

// Key is a hash of all that a result depends on, with the kind of the result.
type Key [sha256.Size]byte

// String is the key in hexadecimal digits.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// Store keeps sealed entries. Its methods may be called concurrently.
type Store interface {
	// Get returns the entry of a key, or ErrAbsent.
	Get(ctx context.Context, key Key) ([]byte, error)
	// Put keeps an entry.
	Put(ctx context.Context, key Key, entry []byte) error
	// Close waits for what is under way.
	Close() error
}

// ErrAbsent is what Get returns where there is no entry.
var ErrAbsent = errors.New("no entry")

// Cache is a folder in front of a shared store. A nil *Cache holds nothing. It
// may be used concurrently.
type Cache struct {
	local  Store // nil where no folder can be found
	shared Store // nil where there is none

	wg      sync.WaitGroup
	pending chan func()

	mu       sync.Mutex
	problems []error
	failed   map[Store]bool
}

// New returns a cache of stores, either of which may be nil.
func New(local, shared Store) *Cache {
	c := &Cache{local: local, shared: shared, pending: make(chan func(), 256), failed: make(map[Store]bool)}
	// Writing is off the path of those who compute.
	c.wg.Go(func() {
		for write := range c.pending {
			write()
		}
	})
	return c
}

// Get returns what was put under the key.
func (c *Cache) Get(ctx context.Context, key Key) (data []byte, ok bool) {
	if c == nil {
		return nil, false
	}
	if data, ok := c.from(ctx, c.local, key); ok {
		return data, true
	}
	data, ok = c.from(ctx, c.shared, key)
	if ok {
		sealed := seal(key, data)
		c.pending <- func() { c.put(c.local, key, sealed) }
	}
	return data, ok
}

func (c *Cache) from(ctx context.Context, s Store, key Key) ([]byte, bool) {
	if s == nil || c.gaveUp(s) {
		return nil, false
	}
	entry, err := s.Get(ctx, key)
	if err != nil {
		if !errors.Is(err, ErrAbsent) && ctx.Err() == nil {
			c.giveUp(s, err)
		}
		return nil, false
	}
	return open(key, entry)
}

// GetLocal is Get for what only this machine may use.
func (c *Cache) GetLocal(ctx context.Context, key Key) (data []byte, ok bool) {
	if c == nil {
		return nil, false
	}
	return c.from(ctx, c.local, key)
}

// PutLocal is Put for what only this machine may use.
func (c *Cache) PutLocal(key Key, data []byte) {
	if c == nil {
		return
	}
	sealed := seal(key, data)
	c.pending <- func() { c.put(c.local, key, sealed) }
}

// Put keeps data under the key. It returns before that is done; see Close.
func (c *Cache) Put(key Key, data []byte) {
	if c == nil {
		return
	}
	sealed := seal(key, data)
	c.pending <- func() {
		c.put(c.local, key, sealed)
		c.put(c.shared, key, sealed)
	}
}

func (c *Cache) put(s Store, key Key, entry []byte) {
	if s == nil || c.gaveUp(s) {
		return
	}
	//fractl:detach an entry that is computed is worth keeping even if the run was cancelled meanwhile
	if err := s.Put(context.Background(), key, entry); err != nil {
		c.giveUp(s, err)
	}
}

// giveUp notes why a store is not used any more: what fails once, as a folder
// that cannot be written or a server that does not answer, fails for the rest
// of a run.
func (c *Cache) giveUp(s Store, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.failed[s] {
		c.failed[s] = true
		c.problems = append(c.problems, err)
	}
}

func (c *Cache) gaveUp(s Store) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed[s]
}

// Close waits until everything is written, and returns why stores were given up.
// Results are right all the same. The cache must not be used afterwards.
func (c *Cache) Close() []error {
	if c == nil {
		return nil
	}
	close(c.pending)
	c.wg.Wait()
	for _, s := range []Store{c.local, c.shared} {
		if s != nil {
			if err := s.Close(); err != nil {
				c.giveUp(s, err)
			}
		}
	}
	return c.problems
}

// seal puts a checksum over key and data in front of the data, so that an entry
// which was cut short, damaged, or stored under another key is noticed.
func seal(key Key, data []byte) []byte {
	sum := checksum(key, data)
	return append(sum[:], data...)
}

// open undoes seal.
func open(key Key, entry []byte) ([]byte, bool) {
	if len(entry) < sha256.Size {
		return nil, false
	}
	sum, data := entry[:sha256.Size], entry[sha256.Size:]
	if want := checksum(key, data); !bytes.Equal(sum, want[:]) {
		return nil, false
	}
	return data, true
}

func checksum(key Key, data []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write(key[:])
	h.Write(data)
	return [sha256.Size]byte(h.Sum(nil))
}
