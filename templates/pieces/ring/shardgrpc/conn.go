// Package shardgrpc is a gRPC client connection that sends every call to the
// node which owns its key. It stands where a *grpc.ClientConn does:
//
//	conn, err := shardgrpc.New(r, shardgrpc.Options{Dial: …})
//	client := itemspb.NewItemsClient(conn)
//	item, err := client.Get(shardgrpc.WithKey(ctx, id), request)
//
// After a change of the nodes the next call goes to the new owner; calls in
// progress end where they are. A call that found its node gone goes to the next
// one, if it may: it was not sent, or its method only reads. While ranges move,
// a read that the new owner answers with NotFound is asked at the old one.
package shardgrpc

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/fractl/fractl/templates/pieces/ring"
)

// VersionKey is the metadata key of the version of the sender's ring.
const VersionKey = "ring-version"

// Conn implements grpc.ClientConnInterface over a ring. It is safe for
// concurrent use.
type Conn struct {
	router *ring.Router
	opts   Options
	pool   *pool
}

// Options are the terms of a connection.
type Options struct {
	// Key tells the key of a call, and false where it has none; such a call
	// fails with InvalidArgument. Request is nil for a stream. Nil means the key
	// that WithKey put into the context.
	Key func(ctx context.Context, method string, request any) (key string, ok bool)
	// Reads tells whether a method only reads: it may be called again without
	// harm. Nil means that none does.
	Reads func(method string) bool
	// Dial are the options of the connections to the nodes. They have to name
	// the transport credentials.
	Dial []grpc.DialOption
	// Tries is the number of nodes that a call is sent to while they cannot be
	// reached: the owner and its replicas. 0 means 3.
	Tries int
	// Cooldown is how long a node that could not be reached is asked last; 0
	// means 2 seconds.
	Cooldown time.Duration
}

// New returns a connection over the ring. Nodes are connected to when they are
// first called. Close follows.
func New(r *ring.Ring, o Options) (*Conn, error) {
	if o.Tries < 0 {
		return nil, fmt.Errorf("shardgrpc: %d tries: must be 1 or more", o.Tries)
	}
	o.Tries = cmp.Or(o.Tries, 3)
	if o.Key == nil {
		o.Key = func(ctx context.Context, _ string, _ any) (string, bool) {
			key, ok := ctx.Value(keyOf{}).(string)
			return key, ok
		}
	}
	if o.Reads == nil {
		o.Reads = func(string) bool { return false }
	}
	// A node that comes back is to be found soon: the default goes up to two
	// minutes.
	connect := grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: 2 * time.Second}
	connect.Backoff.BaseDelay, connect.Backoff.MaxDelay = 200*time.Millisecond, 5*time.Second
	dial := append([]grpc.DialOption{grpc.WithConnectParams(connect)}, o.Dial...)
	return &Conn{router: ring.NewRouter(r, o.Cooldown), opts: o, pool: newPool(r, dial)}, nil
}

// keyOf is the context key of the ring's key.
type keyOf struct{}

// WithKey returns a context whose calls go to the owner of the key.
func WithKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, keyOf{}, key)
}

// Invoke implements grpc.ClientConnInterface for unary calls.
func (c *Conn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	key, ok := c.opts.Key(ctx, method, args)
	if !ok {
		return noKey(method)
	}
	reads := c.opts.Reads(method)
	return c.each(ctx, key, reads, func(ctx context.Context, cc *grpc.ClientConn, done func(), from *peer.Peer) error {
		defer done()
		return cc.Invoke(ctx, method, args, reply, withOption(opts, grpc.Peer(from))...)
	})
}

// NewStream implements grpc.ClientConnInterface for streams. What becomes of
// the stream after it was begun is for the caller to see.
func (c *Conn) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	key, ok := c.opts.Key(ctx, method, nil)
	if !ok {
		return nil, noKey(method)
	}
	var stream grpc.ClientStream
	err := c.each(ctx, key, c.opts.Reads(method), func(ctx context.Context, cc *grpc.ClientConn, done func(), _ *peer.Peer) error {
		var err error
		stream, err = cc.NewStream(ctx, desc, method, withOption(opts, grpc.OnFinish(func(error) { done() }))...)
		if err != nil {
			done()
		}
		return err
	})
	return stream, err
}

// Close closes the connections to all nodes. Calls in progress are cut.
func (c *Conn) Close() error { return c.pool.close() }

// attempt makes a call on the connection to one node. It calls done, maybe more
// than once, when the connection is not needed any more, and fills in from where
// the call has found a connection.
type attempt func(ctx context.Context, cc *grpc.ClientConn, done func(), from *peer.Peer) error

// each makes the call at one node after the other until one has answered.
func (c *Conn) each(ctx context.Context, key string, reads bool, call attempt) error {
	ctx = metadata.AppendToOutgoingContext(ctx, VersionKey, c.router.Ring().Snapshot().Version().String())
	route := c.router.Route(key, reads, c.opts.Tries)
	var last error
	missed := false
	for {
		var node ring.Node
		var ok bool
		if missed {
			node, ok = route.NextHolder()
		} else {
			var err error
			if node, ok, err = route.Next(); err != nil {
				return status.Errorf(codes.Unavailable, "key %q: %v", key, err)
			}
		}
		if !ok {
			return last
		}
		sent, err := c.at(ctx, node, call)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return err
		case reads && status.Code(err) == codes.NotFound:
			if !missed {
				last = err // the owner's answer, if nobody has a better one
			}
			missed = true
		case missed:
			// An old owner that fails makes the owner's answer no worse.
		case status.Code(err) != codes.Unavailable || sent && !reads:
			return err
		default:
			last = err
		}
	}
}

// at makes the call at one node. Sent is false where it certainly did not get
// there.
func (c *Conn) at(ctx context.Context, node ring.Node, call attempt) (sent bool, err error) {
	conn, err := c.pool.take(node.Addr)
	if err != nil {
		return false, err
	}
	var from peer.Peer
	err = call(ctx, conn.cc, sync.OnceFunc(func() { c.pool.give(conn) }), &from)
	sent = from.Addr != nil
	if status.Code(err) != codes.Unavailable {
		c.router.Reached(node.ID, true)
	} else if ctx.Err() == nil {
		c.router.Reached(node.ID, false)
	}
	return sent, err
}

// withOption returns the caller's options and ours, in a slice of its own.
func withOption(opts []grpc.CallOption, ours grpc.CallOption) []grpc.CallOption {
	return append(append(make([]grpc.CallOption, 0, len(opts)+1), opts...), ours)
}

func noKey(method string) error {
	return status.Errorf(codes.InvalidArgument, "%s has no key to route by", method)
}
