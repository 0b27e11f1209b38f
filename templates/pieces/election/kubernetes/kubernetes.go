// Package kubernetes keeps the lease of an election in a Lease object of the
// cluster that the program runs in, as Kubernetes' own components do. It speaks
// the REST API itself; see
// https://kubernetes.io/docs/concepts/architecture/leases/ and
// https://kubernetes.io/docs/reference/using-api/api-concepts/.
//
// The API server has no clock that ends a lease. An instance takes the lease
// from another one when it has seen the object unchanged for the lease's time by
// its own clock, so that the clocks of nodes need not agree. Every change names
// the version of the object that it is made to, and only one is made to each.
//
// The token is spec.leaseTransitions plus one, which is written with the holder.
// It begins anew if the object is deleted: then the fence refuses the next
// leaders until they have caught up, or until leaseTransitions is set by hand.
package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/fractl/fractl/templates/pieces/election"
)

// Lease is a lease that is a Lease object. It is safe for concurrent use.
type Lease struct {
	api      *api
	settings Settings

	mu       sync.Mutex
	sighting election.Sighting
}

// New returns the lease of the settings. It does not wait for the API server:
// that it cannot be reached is told by whoever uses it.
func New(s Settings) (*Lease, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	s, err := s.inPod()
	if err != nil {
		return nil, err
	}
	a, err := newAPI(s)
	if err != nil {
		return nil, err
	}
	return &Lease{api: a, settings: s}, nil
}

// Close closes the connections that are kept for further requests.
func (l *Lease) Close() { l.api.client.CloseIdleConnections() }

// Acquire implements election.Lease. The object has whole seconds, so that a
// lease may last longer than ttl.
func (l *Lease) Acquire(ctx context.Context, candidate string, ttl time.Duration) (election.Holder, bool, error) {
	now, err := l.api.get(ctx)
	if isStatus(err, http.StatusNotFound) {
		return l.create(ctx, candidate, ttl)
	}
	if err != nil {
		return election.Holder{}, false, l.explain("read", err)
	}
	held := now.holder()
	if held.ID != candidate && l.left(now) > 0 {
		return held, false, nil
	}
	next := newTerm(candidate, ttl)
	next.Spec.LeaseTransitions = now.Spec.LeaseTransitions + 1
	next.Metadata.ResourceVersion = now.Metadata.ResourceVersion
	return l.won(ctx, candidate, func() (object, error) { return l.api.patch(ctx, next) })
}

// create makes the object, which gives the first term.
func (l *Lease) create(ctx context.Context, candidate string, ttl time.Duration) (election.Holder, bool, error) {
	first := newTerm(candidate, ttl)
	first.Metadata.Name = l.settings.Name
	return l.won(ctx, candidate, func() (object, error) { return l.api.create(ctx, first) })
}

// won makes a change that gives the lease to the candidate, unless another
// change was faster.
func (l *Lease) won(ctx context.Context, candidate string, change func() (object, error)) (election.Holder, bool, error) {
	made, err := change()
	if err == nil {
		l.left(made)
		return made.holder(), true, nil
	}
	if !isStatus(err, http.StatusConflict) {
		return election.Holder{}, false, l.explain("take", err)
	}
	now, err := l.api.get(ctx)
	if err != nil {
		return election.Holder{}, false, l.explain("read", err)
	}
	l.left(now)
	return now.holder(), false, nil
}

// Renew implements election.Lease.
func (l *Lease) Renew(ctx context.Context, candidate string, token election.Token, ttl time.Duration) error {
	return l.change(ctx, "renew", election.Holder{ID: candidate, Token: token}, func(now object) object {
		next := newTerm(candidate, ttl)
		next.Spec.AcquireTime = now.Spec.AcquireTime
		next.Spec.LeaseTransitions = now.Spec.LeaseTransitions
		return next
	})
}

// Release implements election.Lease. The object stays, for the sake of the
// transitions.
func (l *Lease) Release(ctx context.Context, candidate string, token election.Token) error {
	err := l.change(ctx, "give up", election.Holder{ID: candidate, Token: token}, func(now object) object {
		now.Spec.HolderIdentity = nil
		now.Spec.RenewTime = time.Now().UTC().Format(microTime)
		return now
	})
	if errors.Is(err, election.ErrLost) {
		return nil
	}
	return err
}

// change changes the object while it is held as given. Somebody else may change
// it, too (a label, for example), and then it is looked at again.
func (l *Lease) change(ctx context.Context, what string, held election.Holder, to func(now object) object) error {
	for {
		now, err := l.api.get(ctx)
		if isStatus(err, http.StatusNotFound) {
			return l.explain(what, fmt.Errorf("%w: %w", election.ErrLost, err))
		}
		if err != nil {
			return l.explain(what, err)
		}
		if now.holder() != held {
			return l.explain(what, election.ErrLost)
		}
		next := to(now)
		next.Metadata.ResourceVersion = now.Metadata.ResourceVersion
		made, err := l.api.patch(ctx, next)
		if isStatus(err, http.StatusConflict) {
			continue
		}
		if err != nil {
			return l.explain(what, err)
		}
		l.left(made)
		return nil
	}
}

// left is how long the lease lasts at least, as far as this instance has seen.
func (l *Lease) left(now object) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	age := l.sighting.Age(now.Metadata.ResourceVersion, time.Now())
	if now.holder().ID == "" {
		return 0
	}
	return time.Duration(now.Spec.LeaseDurationSeconds)*time.Second - age
}

// restWatch is how long a watch lasts at least, or else is waited for after it.
const restWatch = time.Second

// Wait implements election.Lease.
func (l *Lease) Wait(ctx context.Context, held election.Holder) error {
	for {
		now, err := l.api.get(ctx)
		if isStatus(err, http.StatusNotFound) {
			return nil
		}
		if err != nil {
			return l.explain("read", err)
		}
		left := l.left(now)
		if now.holder() != held || left <= 0 {
			return nil
		}
		begun := time.Now()
		free, err := l.watch(ctx, now.Metadata.ResourceVersion, held, left)
		if err != nil {
			return l.explain("watch", err)
		}
		if free {
			return nil
		}
		// The server ends a watch after a while, and something in between may end
		// each of them at once: then it is not to be flooded with them.
		if rest := restWatch - time.Since(begun); rest > 0 {
			select {
			case <-time.After(rest):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
}

// watch follows the object until the lease may be free, which makes it return
// true, or the server ends the watch.
func (l *Lease) watch(ctx context.Context, version string, held election.Holder, left time.Duration) (free bool, err error) {
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	expiry := time.AfterFunc(left, cancel)
	defer expiry.Stop()
	err = l.api.watch(watching, version, func(now object, deleted bool) (more bool) {
		left := l.left(now)
		if deleted || now.holder() != held || left <= 0 {
			free = true
			return false
		}
		expiry.Reset(left)
		return true
	})
	switch {
	case free:
		return true, nil
	case ctx.Err() != nil:
		return false, context.Cause(ctx)
	case watching.Err() != nil: // it has expired
		return true, nil
	}
	return false, err
}

func (l *Lease) explain(what string, err error) error {
	return fmt.Errorf("%s lease %s of namespace %s: %w", what, l.settings.Name, l.settings.Namespace, err)
}
