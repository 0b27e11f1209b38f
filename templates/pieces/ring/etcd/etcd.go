// Package etcd keeps the nodes of a ring in etcd: every instance announces
// itself under a lease, and all watch the announcements. An instance that ends
// in order is taken off at once, one that dies after the lease's time.
//
// A node is one key: the prefix and the node's ID; its value is the node's text
// form, so that nodes which are no instances of this program can be put there
// by hand.
package etcd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/fractl/fractl/templates/pieces/ring"
)

// Directory is the place in etcd where the nodes are. It is safe for concurrent
// use.
type Directory struct {
	client   *clientv3.Client
	settings Settings
	log      *slog.Logger
}

// New returns the directory at the prefix of the settings. The client remains
// the caller's to close. A nil log means slog.Default.
func New(client *clientv3.Client, s Settings, log *slog.Logger) (*Directory, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.Default()
	}
	return &Directory{client: client, settings: s, log: log}, nil
}

// Watch implements ring.Source.
func (d *Directory) Watch(ctx context.Context, set func([]ring.Node)) error {
	// Without a leader the watch would be silent instead of ending.
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	nodes, revision, err := d.list(ctx)
	if err != nil {
		return err
	}
	set(listed(nodes))
	// From the revision after the list on, nothing is missed.
	changes := d.client.Watch(ctx, d.settings.Prefix, clientv3.WithPrefix(), clientv3.WithRev(revision+1))
	// A watch goes on silently while etcd is away; so it is asked, now and then.
	ask := time.NewTicker(d.settings.TTL / 2)
	defer ask.Stop()
	for {
		select {
		case <-ask.C:
			if err := d.ping(ctx); err != nil {
				return err
			}
		case response, ok := <-changes:
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err := response.Err(); err != nil || !ok {
				return fmt.Errorf("etcd: watch %s: ended: %w", d.settings.Prefix, cmp.Or(err, io.ErrUnexpectedEOF))
			}
			if d.apply(nodes, response.Events) {
				set(listed(nodes))
			}
		}
	}
}

// apply makes the nodes fit the events, and tells whether there were any.
func (d *Directory) apply(nodes map[string]ring.Node, events []*clientv3.Event) bool {
	for _, event := range events {
		key := string(event.Kv.Key)
		delete(nodes, key)
		if event.Type == clientv3.EventTypePut {
			d.add(nodes, key, string(event.Kv.Value))
		}
	}
	return len(events) > 0
}

// ping returns an error where etcd does not answer.
func (d *Directory) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, d.settings.Timeout)
	defer cancel()
	if _, err := d.client.Get(ctx, d.settings.Prefix, clientv3.WithCountOnly()); err != nil {
		return fmt.Errorf("etcd: ask %s: %w", strings.Join(d.settings.Endpoints, ", "), err)
	}
	return nil
}

// list returns the nodes by their keys, and the revision that the list is of.
func (d *Directory) list(ctx context.Context) (map[string]ring.Node, int64, error) {
	ctx, cancel := context.WithTimeout(ctx, d.settings.Timeout)
	defer cancel()
	response, err := d.client.Get(ctx, d.settings.Prefix, clientv3.WithPrefix())
	if err != nil {
		return nil, 0, fmt.Errorf("etcd: list %s at %s: %w", d.settings.Prefix, strings.Join(d.settings.Endpoints, ", "), err)
	}
	nodes := make(map[string]ring.Node)
	for _, kv := range response.Kvs {
		d.add(nodes, string(kv.Key), string(kv.Value))
	}
	return nodes, response.Header.Revision, nil
}

// add adds the node of an announcement. One that cannot be read is told and left
// out: it must not keep all others from being known.
func (d *Directory) add(nodes map[string]ring.Node, key, value string) {
	n, err := ring.ParseNode(value)
	if err == nil && d.key(n) != key {
		err = fmt.Errorf("it is for the node %q", n.ID)
	}
	if err != nil {
		d.log.Warn("announcement in etcd left out", "key", key, "error", err)
		return
	}
	nodes[key] = n
}

func (d *Directory) key(n ring.Node) string { return d.settings.Prefix + n.ID }

func listed(nodes map[string]ring.Node) []ring.Node {
	list := make([]ring.Node, 0, len(nodes))
	for _, n := range nodes {
		list = append(list, n)
	}
	return list
}

// errTaken says that another instance is announced under the same ID.
var errTaken = errors.New("another instance is announced under this id")

// Announce keeps the node announced until ctx ends, then takes it off and
// returns nil. Where etcd fails, or another instance is announced under the same
// ID (also this one before it was restarted, until its lease ends), it tries
// again. It fails only where the node is not valid.
func (d *Directory) Announce(ctx context.Context, n ring.Node) error {
	value, err := n.MarshalText()
	if err != nil {
		return err
	}
	for {
		err := d.announce(ctx, n, string(value))
		if ctx.Err() != nil {
			return nil
		}
		d.log.WarnContext(ctx, "node is not announced in etcd", "node", n.ID, "error", err)
		pause := time.NewTimer(min(d.settings.TTL/4, 5*time.Second))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return nil
		}
	}
}

// announce announces the node under one lease, until that or ctx ends.
func (d *Directory) announce(ctx context.Context, n ring.Node, value string) error {
	begin, cancel := context.WithTimeout(ctx, d.settings.Timeout)
	defer cancel()
	lease, err := d.client.Grant(begin, int64(d.settings.TTL/time.Second))
	if err != nil {
		return fmt.Errorf("etcd: lease: %w", err)
	}
	defer d.revoke(ctx, lease.ID)
	key := d.key(n)
	response, err := d.client.Txn(begin).
		If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).
		Then(clientv3.OpPut(key, value, clientv3.WithLease(lease.ID))).
		Commit()
	if err != nil {
		return fmt.Errorf("etcd: announce %s: %w", key, err)
	}
	if !response.Succeeded {
		return errTaken
	}
	alive, err := d.client.KeepAlive(ctx, lease.ID)
	if err != nil {
		return fmt.Errorf("etcd: keep lease: %w", err)
	}
	d.log.InfoContext(ctx, "node announced in etcd", "node", n.ID, "key", key, "ttl", d.settings.TTL)
	for range alive {
		// Every answer is another while that the lease lasts.
	}
	return errors.New("etcd: lease has ended")
}

// revoke ends a lease, and with it the announcement. If it cannot, the lease
// ends by itself.
func (d *Directory) revoke(ctx context.Context, id clientv3.LeaseID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.settings.Timeout)
	defer cancel()
	if _, err := d.client.Revoke(ctx, id); err != nil {
		d.log.WarnContext(ctx, "lease in etcd not revoked, it will end by itself", "error", err)
	}
}
