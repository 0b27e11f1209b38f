package bus

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// Claims is where a group notes which events it has in hand and which it is done
// with, so that an event that comes twice is handled once. An event goes through
// Claim, the work, and then Commit or Abandon; while the work lasts, Extend keeps
// the claim. Between Claim and Commit the owner may die: then the claim ends with
// its lease, and the next delivery is handled as if it were the first. A Claims
// is safe for concurrent use, and may be shared by processes where its kind says
// so.
type Claims interface {
	// Claim takes an event for the lease. At most one owner has it at a time.
	Claim(ctx context.Context, key ClaimKey, owner Token, lease time.Duration) (Claim, error)
	// Extend makes the lease of a claim last that long from now, or returns
	// ErrLost if owner does not have it any more.
	Extend(ctx context.Context, key ClaimKey, owner Token, lease time.Duration) error
	// Commit turns a claim into the note that the event was handled, which is
	// kept for the retention. It returns ErrLost if owner does not have the
	// claim, and nil where it was committed by owner before.
	Commit(ctx context.Context, key ClaimKey, owner Token, retention time.Duration) error
	// Abandon gives a claim back, so that the next delivery is handled. One that
	// owner does not have is left alone.
	Abandon(ctx context.Context, key ClaimKey, owner Token) error
}

// ClaimKey names an event within a group.
type ClaimKey struct{ Group, ID string }

// Token is the secret of one claim: a fresh one for every attempt.
type Token struct{ Hi, Lo uint64 }

// String is the token in 32 hexadecimal digits.
func (t Token) String() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], t.Hi)
	binary.BigEndian.PutUint64(b[8:], t.Lo)
	return hex.EncodeToString(b[:])
}

// Claim is the answer to one.
type Claim struct {
	State ClaimState
	// Wait is, for an event that is in progress, how long its lease still lasts.
	Wait time.Duration
}

// ClaimState is what is known of an event.
type ClaimState int

// The states.
const (
	// Claimed: it is the caller's to handle.
	Claimed ClaimState = iota + 1
	// InProgress: somebody else has it in hand.
	InProgress
	// Done: it was handled.
	Done
)

// String is the state in words.
func (s ClaimState) String() string {
	switch s {
	case Claimed:
		return "claimed"
	case InProgress:
		return "in progress"
	case Done:
		return "done"
	}
	return "unknown"
}
