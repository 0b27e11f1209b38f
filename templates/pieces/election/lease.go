package election

import (
	"context"
	"errors"
	"time"
)

// Lease is the lock that candidates campaign for; each engine has one. An
// Elector uses its lease from one goroutine at a time. Every method ends with
// ctx.
type Lease interface {
	// Acquire tries once to take the lease for the candidate, for ttl from now
	// on. It returns who holds it now, and whether that is the candidate. The
	// token of a grant is higher than those of all grants before it, and made in
	// the same step. A candidate that holds the lease already, because it did not
	// hear of an earlier grant, is given it again with a new token.
	Acquire(ctx context.Context, candidate string, ttl time.Duration) (Holder, bool, error)
	// Renew makes the lease that was granted with the token last for ttl from
	// now on. It fails with ErrLost where another one has been granted since, or
	// the lease has ended.
	Renew(ctx context.Context, candidate string, token Token, ttl time.Duration) error
	// Release ends the lease that was granted with the token, so that others
	// need not wait. Where it has ended already, it does nothing.
	Release(ctx context.Context, candidate string, token Token) error
	// Wait blocks while the lease is held as Acquire told, and returns nil when it
	// may be free: not much later than it is, and perhaps earlier.
	Wait(ctx context.Context, held Holder) error
}

// Token is the fencing token of one term of leadership: a number over 0 that
// rises from term to term of one lease.
type Token int64

// Holder is who holds a lease.
type Holder struct {
	// ID is the candidate that holds it; empty: nobody.
	ID string
	// Token is that of the grant, 0 where the engine does not know it.
	Token Token
}

// ErrLost says that a lease is not held any more.
var ErrLost = errors.New("lease lost")
