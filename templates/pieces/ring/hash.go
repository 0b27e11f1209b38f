package ring

import (
	"encoding/binary"
	"fmt"

	"github.com/cespare/xxhash/v2"
	"github.com/twmb/murmur3"
)

// Hash names the function that places keys and nodes. It is part of the
// placement: whoever shares a ring uses the same.
type Hash string

const (
	// XXHash64 is XXH64 with seed 0, the default.
	XXHash64 Hash = "xxhash64"
	// Murmur3 is the first half of MurmurHash3 x64 128 with seed 0, for rings
	// shared with programs that use it. It is somewhat slower.
	Murmur3 Hash = "murmur3"
)

// Sum returns the position of a key. An unknown name counts as XXHash64; New
// and NewSnapshot refuse it.
func (h Hash) Sum(key string) uint64 {
	if h == Murmur3 {
		return murmur3.StringSum64(key)
	}
	return xxhash.Sum64String(key)
}

// Validate tells whether h is a known name.
func (h Hash) Validate() error {
	switch h {
	case XXHash64, Murmur3:
		return nil
	}
	return fmt.Errorf("hash %q is not known: use %s or %s", string(h), XXHash64, Murmur3)
}

// pointKey appends what is hashed for one point of a node. The length comes
// first and the number has a fixed size, so that no two points share a key:
// "node1" and "1" written together are no other than "node" and "11".
func pointKey(buf []byte, id string, number int) []byte {
	buf = binary.AppendUvarint(buf, uint64(len(id)))
	buf = append(buf, id...)
	return binary.LittleEndian.AppendUint32(buf, uint32(number))
}

// sumBytes is Sum for bytes.
func (h Hash) sumBytes(b []byte) uint64 {
	if h == Murmur3 {
		return murmur3.Sum64(b)
	}
	return xxhash.Sum64(b)
}
