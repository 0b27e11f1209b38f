// Package etcd keeps the lease of an election in etcd: one key, which lives as
// long as an etcd lease. The token is the revision in which the key was created,
// which etcd gives to no other change ever.
//
// It does not use the queue of clientv3/concurrency: there a candidate holds a
// key of its own while it waits, and where that key's lease ends meanwhile,
// Campaign returns all the same in the end, as a leader without a key (etcd issue
// 19597). Here a candidate has neither key nor lease until the one transaction
// that creates the key, and each renewal compares its revision.
package etcd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/fractl/fractl/templates/pieces/election"
)

// Lease is a lease in etcd. It is safe for concurrent use.
type Lease struct {
	client   *clientv3.Client
	settings Settings

	mu    sync.Mutex
	token election.Token // of the latest grant to this instance
	lease clientv3.LeaseID
}

// New returns the lease at the key of the settings. The client remains the
// caller's to close.
func New(client *clientv3.Client, s Settings) (*Lease, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if client == nil {
		return nil, errors.New("etcd lease: needs a client")
	}
	return &Lease{client: client, settings: s}, nil
}

// Acquire implements election.Lease. The time of a lease in etcd is in whole
// seconds, and at least what the server asks for, so that it may last longer
// than ttl.
func (l *Lease) Acquire(ctx context.Context, candidate string, ttl time.Duration) (election.Holder, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, l.settings.Timeout)
	defer cancel()
	held, lease, _, err := l.look(ctx)
	if err != nil {
		return election.Holder{}, false, l.explain("read", err)
	}
	if held.ID == candidate {
		// An earlier grant of which this candidate has not heard.
		if _, err := l.client.Revoke(ctx, lease); err != nil && !errors.Is(err, rpctypes.ErrLeaseNotFound) {
			return election.Holder{}, false, l.explain("take back", err)
		}
	} else if held.ID != "" {
		return held, false, nil
	}
	held, won, err := l.create(ctx, candidate, ttl)
	if err != nil {
		return election.Holder{}, false, l.explain("take", err)
	}
	return held, won, nil
}

// create creates the key under a new lease, if there is none.
func (l *Lease) create(ctx context.Context, candidate string, ttl time.Duration) (election.Holder, bool, error) {
	lease, err := l.client.Grant(ctx, int64((ttl+time.Second-1)/time.Second))
	if err != nil {
		return election.Holder{}, false, err
	}
	response, err := l.client.Txn(ctx).
		If(clientv3.Compare(clientv3.CreateRevision(l.settings.Key), "=", 0)).
		Then(clientv3.OpPut(l.settings.Key, candidate, clientv3.WithLease(lease.ID))).
		Else(clientv3.OpGet(l.settings.Key)).
		Commit()
	if err != nil || !response.Succeeded {
		// Where the answer was lost, this takes the key away as well.
		l.revoke(ctx, lease.ID)
		if err != nil {
			return election.Holder{}, false, err
		}
		held, _ := holderOf(response.Responses[0].GetResponseRange().GetKvs())
		return held, false, nil
	}
	holder := election.Holder{ID: candidate, Token: election.Token(response.Header.Revision)}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.token, l.lease = holder.Token, lease.ID
	return holder, true, nil
}

// revoke ends a lease that nobody needs. If it cannot, that ends by itself.
func (l *Lease) revoke(ctx context.Context, lease clientv3.LeaseID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.settings.Timeout)
	defer cancel()
	_, _ = l.client.Revoke(ctx, lease)
}

// Renew implements election.Lease. The lease is kept alive first and the key
// compared afterwards: if it is still the same one, it has a whole lease before
// it.
func (l *Lease) Renew(ctx context.Context, candidate string, token election.Token, _ time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, l.settings.Timeout)
	defer cancel()
	lease, ok := l.leaseOf(token)
	if !ok {
		return l.explain("renew", election.ErrLost)
	}
	_, err := l.client.KeepAliveOnce(ctx, lease)
	if errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return l.explain("renew", election.ErrLost)
	}
	if err != nil {
		return l.explain("renew", err)
	}
	held, _, _, err := l.look(ctx)
	if err != nil {
		return l.explain("read", err)
	}
	if held != (election.Holder{ID: candidate, Token: token}) {
		return l.explain("renew", election.ErrLost)
	}
	return nil
}

// Release implements election.Lease.
func (l *Lease) Release(ctx context.Context, _ string, token election.Token) error {
	ctx, cancel := context.WithTimeout(ctx, l.settings.Timeout)
	defer cancel()
	lease, ok := l.leaseOf(token)
	if !ok {
		return nil
	}
	if _, err := l.client.Revoke(ctx, lease); err != nil && !errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return l.explain("give up", err)
	}
	return nil
}

// leaseOf is the lease of a term, if that is the latest one of this instance.
func (l *Lease) leaseOf(token election.Token) (clientv3.LeaseID, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lease, l.token == token && token > 0
}

// Wait implements election.Lease. It looks first and watches from that revision
// on, so that it misses nothing and no compaction is in its way.
func (l *Lease) Wait(ctx context.Context, held election.Holder) error {
	// Without the requirement, a member that has lost its cluster would be silent.
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	asking, stop := context.WithTimeout(ctx, l.settings.Timeout)
	defer stop()
	now, _, revision, err := l.look(asking)
	if err != nil {
		return l.explain("read", err)
	}
	if now != held {
		return nil
	}
	for response := range l.client.Watch(ctx, l.settings.Key, clientv3.WithRev(revision+1)) {
		if err := response.Err(); err != nil {
			return l.explain("watch", err)
		}
		if len(response.Events) > 0 {
			return nil
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return l.explain("watch", errors.New("watch ended"))
}

// Guard is the condition that the leader of the term puts into each transaction
// with which it writes to etcd: the key is still that of its term. Where the
// transaction does not succeed, there may be a later leader.
func (l *Lease) Guard(token election.Token) clientv3.Cmp {
	return clientv3.Compare(clientv3.CreateRevision(l.settings.Key), "=", int64(token))
}

// look returns who holds the lease, under which lease of etcd, and the revision
// that this is of.
func (l *Lease) look(ctx context.Context) (election.Holder, clientv3.LeaseID, int64, error) {
	response, err := l.client.Get(ctx, l.settings.Key)
	if err != nil {
		return election.Holder{}, 0, 0, err
	}
	held, lease := holderOf(response.Kvs)
	return held, lease, response.Header.Revision, nil
}

// holderOf is who holds the lease by what is at its key.
func holderOf(kvs []*mvccpb.KeyValue) (election.Holder, clientv3.LeaseID) {
	if len(kvs) == 0 {
		return election.Holder{}, 0
	}
	return election.Holder{ID: string(kvs[0].Value), Token: election.Token(kvs[0].CreateRevision)}, clientv3.LeaseID(kvs[0].Lease)
}

func (l *Lease) explain(what string, err error) error {
	return fmt.Errorf("%s lease %s in etcd at %s: %w", what, l.settings.Key, strings.Join(l.settings.Endpoints, ", "), err)
}
