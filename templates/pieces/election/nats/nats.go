// Package nats keeps the lease of an election in a key of a JetStream key-value
// bucket. The token is the revision in which the lease was taken, which the
// stream behind the bucket gives to no other change ever.
//
// The bucket has no clock that ends a lease. An instance takes the lease from
// another one when it has seen the key unchanged for the lease's time by its own
// clock, so that the clocks of machines need not agree. Every change names the
// revision that it is made to, and only one is made to each, so that neither a
// stale answer of a replica nor a lost message makes two holders.
//
// Do not delete the bucket: the revisions of another one begin anew, and then the
// fence refuses the next leaders until they have caught up.
package nats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/fractl/fractl/templates/pieces/election"
)

// Lease is a lease in a bucket. It is safe for concurrent use.
type Lease struct {
	js       jetstream.JetStream
	settings Settings

	mu       sync.Mutex
	bucket   jetstream.KeyValue // nil until it was opened
	sighting election.Sighting
}

// New returns the lease at the key of the settings. Its bucket is made when it is
// first used. The connection remains the caller's to close.
func New(conn *nats.Conn, s Settings) (*Lease, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if conn == nil {
		return nil, errors.New("nats lease: needs a connection")
	}
	js, err := jetstream.New(conn, jetstream.WithDefaultTimeout(s.Timeout))
	if err != nil {
		return nil, fmt.Errorf("nats: %w", err)
	}
	return &Lease{js: js, settings: s}, nil
}

// record is the value of the key.
type record struct {
	// Holder is empty where nobody holds the lease.
	Holder string `json:"holder"`
	// Token is that of the term; 0 in the revision that begins it, which is the
	// token itself.
	Token election.Token `json:"token,omitempty"`
	// TTL is how long the lease lasts after this revision, in milliseconds.
	TTL int64 `json:"ttl_ms"`

	revision uint64
}

func newRecord(candidate string, token election.Token, ttl time.Duration) record {
	return record{Holder: candidate, Token: token, TTL: (ttl + time.Millisecond - 1).Milliseconds()}
}

// holder is who holds the lease, without a look at the time.
func (r record) holder() election.Holder {
	switch {
	case r.Holder == "":
		return election.Holder{}
	case r.Token == 0:
		return election.Holder{ID: r.Holder, Token: election.Token(r.revision)}
	}
	return election.Holder{ID: r.Holder, Token: r.Token}
}

// readRecord reads an entry. One that was deleted has no holder.
func readRecord(entry jetstream.KeyValueEntry) (r record, err error) {
	if entry.Operation() == jetstream.KeyValuePut {
		if err := json.Unmarshal(entry.Value(), &r); err != nil {
			return record{}, fmt.Errorf("revision %d is not a lease: %w", entry.Revision(), err)
		}
	}
	r.revision = entry.Revision()
	return r, nil
}

// Acquire implements election.Lease.
func (l *Lease) Acquire(ctx context.Context, candidate string, ttl time.Duration) (election.Holder, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, l.settings.Timeout)
	defer cancel()
	now, err := l.look(ctx)
	if err != nil {
		return election.Holder{}, false, l.explain("read", err)
	}
	if now.Holder != candidate && l.left(now) > 0 {
		return now.holder(), false, nil
	}
	next := newRecord(candidate, 0, ttl)
	next.revision, err = l.put(ctx, next, now.revision)
	if err == nil {
		l.left(next)
		return next.holder(), true, nil
	}
	if !errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		return election.Holder{}, false, l.explain("take", err)
	}
	// Another one was faster.
	if now, err = l.look(ctx); err != nil {
		return election.Holder{}, false, l.explain("read", err)
	}
	l.left(now)
	return now.holder(), false, nil
}

// Renew implements election.Lease.
func (l *Lease) Renew(ctx context.Context, candidate string, token election.Token, ttl time.Duration) error {
	return l.change(ctx, "renew", election.Holder{ID: candidate, Token: token}, newRecord(candidate, token, ttl))
}

// Release implements election.Lease. The key stays, so that those who wait see
// it.
func (l *Lease) Release(ctx context.Context, candidate string, token election.Token) error {
	err := l.change(ctx, "give up", election.Holder{ID: candidate, Token: token}, record{})
	if errors.Is(err, election.ErrLost) {
		return nil
	}
	return err
}

// change writes the next record while the lease is held as given.
func (l *Lease) change(ctx context.Context, what string, held election.Holder, next record) error {
	ctx, cancel := context.WithTimeout(ctx, l.settings.Timeout)
	defer cancel()
	for {
		now, err := l.look(ctx)
		if err != nil {
			return l.explain("read", err)
		}
		if now.holder() != held {
			return l.explain(what, election.ErrLost)
		}
		// What a replica tells may be old; then this is tried again.
		switch next.revision, err = l.put(ctx, next, now.revision); {
		case err == nil:
			l.left(next)
			return nil
		case !errors.Is(err, jetstream.ErrKeyRevisionMismatch):
			return l.explain(what, err)
		}
	}
}

// left is how long the lease lasts at least, as far as this instance has seen.
func (l *Lease) left(r record) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	age := l.sighting.Age(fmt.Sprint(r.revision), time.Now())
	if r.Holder == "" {
		return 0
	}
	return time.Duration(r.TTL)*time.Millisecond - age
}

// Wait implements election.Lease.
func (l *Lease) Wait(ctx context.Context, held election.Holder) error {
	bucket, err := l.open(ctx)
	if err != nil {
		return l.explain("watch", err)
	}
	watcher, err := bucket.Watch(ctx, l.settings.Key)
	if err != nil {
		return l.explain("watch", err)
	}
	defer func() { _ = watcher.Stop() }() // where it fails the connection is gone
	// The watch begins with what is there, then comes a nil.
	first := time.NewTimer(l.settings.Timeout)
	defer first.Stop()
	expiry := time.NewTimer(time.Hour)
	defer expiry.Stop()
	seen := false
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-first.C:
			return l.explain("watch", errors.New("no answer in time"))
		case <-expiry.C:
			return nil
		case entry, ok := <-watcher.Updates():
			switch {
			case !ok:
				return l.explain("watch", errors.New("watch ended"))
			case entry == nil && !seen: // there is no such key
				return nil
			case entry == nil:
				first.Stop()
				continue
			}
			now, err := readRecord(entry)
			if err != nil {
				return l.explain("watch", err)
			}
			left := l.left(now)
			if now.holder() != held || left <= 0 {
				return nil
			}
			seen = true
			expiry.Reset(left)
		}
	}
}

// look returns what the key holds, a record of nobody where there is none.
func (l *Lease) look(ctx context.Context) (record, error) {
	bucket, err := l.open(ctx)
	if err != nil {
		return record{}, err
	}
	entry, err := bucket.Get(ctx, l.settings.Key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return record{}, nil
	}
	if err != nil {
		return record{}, err
	}
	return readRecord(entry)
}

// put writes the record if the key still has the revision, 0 where there is
// none. It returns the new revision.
func (l *Lease) put(ctx context.Context, r record, revision uint64) (uint64, error) {
	bucket, err := l.open(ctx)
	if err != nil {
		return 0, err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return 0, err
	}
	if revision == 0 {
		// Not an update of revision 0: there may be the mark of a deleted key.
		next, err := bucket.Create(ctx, l.settings.Key, text)
		if errors.Is(err, jetstream.ErrKeyExists) {
			err = jetstream.ErrKeyRevisionMismatch
		}
		return next, err
	}
	return bucket.Update(ctx, l.settings.Key, text, revision)
}

// open returns the bucket, and makes it where there is none.
func (l *Lease) open(ctx context.Context) (jetstream.KeyValue, error) {
	l.mu.Lock()
	bucket := l.bucket
	l.mu.Unlock()
	if bucket != nil {
		return bucket, nil
	}
	ctx, cancel := context.WithTimeout(ctx, l.settings.Timeout)
	defer cancel()
	bucket, err := l.js.KeyValue(ctx, l.settings.Bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		bucket, err = l.js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket:      l.settings.Bucket,
			Description: "leases of elections",
			History:     1,
			Replicas:    l.settings.Replicas,
		})
		if errors.Is(err, jetstream.ErrBucketExists) { // another instance was faster
			bucket, err = l.js.KeyValue(ctx, l.settings.Bucket)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", l.settings.Bucket, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bucket = bucket
	return bucket, nil
}

func (l *Lease) explain(what string, err error) error {
	return fmt.Errorf("%s lease %s in NATS: %w", what, l.settings.Key, err)
}
