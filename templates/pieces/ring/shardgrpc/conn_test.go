package shardgrpc_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	health "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/fractl/fractl/templates/pieces/ring"
	"github.com/fractl/fractl/templates/pieces/ring/shardgrpc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// node is a server of the health service, whose services are its data.
type node struct {
	health.UnimplementedHealthServer
	ring.Node
	server *grpc.Server
	data   sync.Map
	served atomic.Int64
	fail   atomic.Uint32 // the code to answer with
}

func startNode(t *testing.T, id string) *node {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &node{Node: ring.Node{ID: id, Addr: listener.Addr().String()}, server: grpc.NewServer()}
	health.RegisterHealthServer(n.server, n)
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := n.server.Serve(listener); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		n.server.Stop()
		<-served
	})
	return n
}

// Check answers for what is stored, and for "any…" everywhere.
func (n *node) Check(ctx context.Context, in *health.HealthCheckRequest) (*health.HealthCheckResponse, error) {
	n.served.Add(1)
	md, _ := metadata.FromIncomingContext(ctx)
	_ = grpc.SetHeader(ctx, metadata.Pairs("node", n.ID, "saw", fmt.Sprint(md.Get(shardgrpc.VersionKey))))
	if code := codes.Code(n.fail.Load()); code != codes.OK {
		return nil, status.Error(code, "told to")
	}
	if _, ok := n.data.Load(in.Service); !ok && in.Service[:3] != "any" {
		return nil, status.Error(codes.NotFound, "not here, at "+n.ID)
	}
	return &health.HealthCheckResponse{Status: health.HealthCheckResponse_SERVING}, nil
}

// Watch sends two answers and waits for the end.
func (n *node) Watch(in *health.HealthCheckRequest, stream grpc.ServerStreamingServer[health.HealthCheckResponse]) error {
	n.served.Add(1)
	if err := stream.SetHeader(metadata.Pairs("node", n.ID)); err != nil {
		return err
	}
	for range 2 {
		if err := stream.Send(&health.HealthCheckResponse{}); err != nil {
			return err
		}
	}
	<-stream.Context().Done()
	return stream.Context().Err()
}

func members(nodes ...*node) []ring.Node {
	var members []ring.Node
	for _, n := range nodes {
		members = append(members, n.Node)
	}
	return members
}

type client struct {
	health.HealthClient
	ring *ring.Ring
	conn *shardgrpc.Conn
}

func byService(_ context.Context, _ string, request any) (string, bool) {
	in, ok := request.(*health.HealthCheckRequest)
	return in.GetService(), ok
}

func allRead(string) bool { return true }

func newClient(t *testing.T, o shardgrpc.Options, ro ring.Options, nodes ...ring.Node) *client {
	t.Helper()
	r, err := ring.New(ro, nodes...)
	if err != nil {
		t.Fatal(err)
	}
	o.Dial = append(o.Dial, grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := shardgrpc.New(r, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	return &client{health.NewHealthClient(conn), r, conn}
}

// check calls Check for the key and returns the node that answered.
func (c *client) check(t *testing.T, key string) (by string, err error) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var header metadata.MD
	_, err = c.Check(shardgrpc.WithKey(ctx, key), &health.HealthCheckRequest{Service: key}, grpc.Header(&header))
	if ids := header.Get("node"); len(ids) > 0 {
		by = ids[0]
	}
	return by, err
}

func (c *client) owner(t *testing.T, key string) string {
	t.Helper()
	n, err := c.ring.Get(key)
	if err != nil {
		t.Fatal(err)
	}
	return n.ID
}

func (c *client) keyOf(t *testing.T, id string) string {
	t.Helper()
	for i := range 10_000 {
		if key := fmt.Sprint("any-", i); c.owner(t, key) == id {
			return key
		}
	}
	t.Fatalf("%s owns nothing", id)
	return ""
}

func TestCallsGoToTheOwner(t *testing.T) {
	nodes := []*node{startNode(t, "a"), startNode(t, "b"), startNode(t, "c")}
	for name, o := range map[string]shardgrpc.Options{"key of the context": {}, "key of the request": {Key: byService}} {
		cl := newClient(t, o, ring.Options{}, members(nodes...)...)
		for i := range 50 {
			key := fmt.Sprint("any-", i)
			if by, err := cl.check(t, key); err != nil || by != cl.owner(t, key) {
				t.Fatalf("%s: %s by %q, %v; owner is %s", name, key, by, err, cl.owner(t, key))
			}
		}
	}
	for _, n := range nodes {
		if n.served.Load() == 0 {
			t.Errorf("%s was not called", n.ID)
		}
	}
	cl := newClient(t, shardgrpc.Options{}, ring.Options{}, members(nodes...)...)
	var header metadata.MD
	if _, err := cl.Check(shardgrpc.WithKey(t.Context(), "any"), &health.HealthCheckRequest{Service: "any"}, grpc.Header(&header)); err != nil {
		t.Fatal(err)
	}
	if got := header.Get("saw"); len(got) != 1 || got[0] != "["+cl.ring.Snapshot().Version().String()+"]" {
		t.Errorf("the node saw version %v", got)
	}
	if _, err := cl.Check(t.Context(), &health.HealthCheckRequest{Service: "any"}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("no key: %v", err)
	}
	if _, err := cl.Watch(t.Context(), &health.HealthCheckRequest{}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("no key for a stream: %v", err)
	}
}

// Nodes come, leave in order and are killed, all under load. No call fails.
func TestNoCallFailsWhenNodesChange(t *testing.T) {
	nodes := []*node{startNode(t, "a"), startNode(t, "b"), startNode(t, "c")}
	cl := newClient(t, shardgrpc.Options{Reads: allRead, Cooldown: 50 * time.Millisecond}, ring.Options{}, members(nodes...)...)
	stop := make(chan struct{})
	var done atomic.Int64
	var workers sync.WaitGroup
	for w := range 6 {
		workers.Go(func() {
			for i := w; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := cl.check(t, fmt.Sprint("any-", i%200)); err != nil {
					t.Errorf("call %d: %v", i, err)
					return
				}
				done.Add(1)
			}
		})
	}
	settle := func() {
		for target := done.Load() + 300; done.Load() < target && !t.Failed(); {
			time.Sleep(time.Millisecond)
		}
	}
	set := func(nodes ...*node) {
		if _, err := cl.ring.Set(members(nodes...)); err != nil {
			t.Error(err)
		}
	}
	settle()
	d := startNode(t, "d")
	set(append(nodes, d)...)
	settle()
	if d.served.Load() == 0 {
		t.Error("the new node is not called")
	}
	set(nodes...)
	d.server.GracefulStop()
	settle()
	nodes[2].server.Stop()
	settle()
	set(nodes[:2]...)
	settle()
	close(stop)
	workers.Wait()
	t.Logf("%d calls", done.Load())
}

func TestReadsWhileRangesMove(t *testing.T) {
	a, b := startNode(t, "a"), startNode(t, "b")
	cl := newClient(t, shardgrpc.Options{Reads: allRead}, ring.Options{Transition: time.Hour}, members(a)...)
	a.data.Store("old", true)
	if _, err := cl.ring.Set(members(b)); err != nil {
		t.Fatal(err)
	}
	if by, err := cl.check(t, "old"); err != nil || by != "a" {
		t.Errorf("what has not moved: by %q, %v", by, err)
	}
	if _, err := cl.check(t, "none"); status.Convert(err).Message() != "not here, at b" {
		t.Errorf("what does not exist: %v, want the answer of the owner", err)
	}
	// What the old owner says instead of an answer does not matter.
	a.fail.Store(uint32(codes.Internal))
	if _, err := cl.check(t, "old"); status.Convert(err).Message() != "not here, at b" {
		t.Errorf("with an old owner that fails: %v", err)
	}
	a.server.Stop()
	if _, err := cl.check(t, "old"); status.Convert(err).Message() != "not here, at b" {
		t.Errorf("with an old owner that is gone: %v", err)
	}
	cl.ring.Settle()
	if _, err := cl.check(t, "old"); status.Code(err) != codes.NotFound {
		t.Errorf("settled: %v", err)
	}
}

// A call that may have been done is made again only where it only reads.
func TestUnavailable(t *testing.T) {
	a, b := startNode(t, "a"), startNode(t, "b")
	a.fail.Store(uint32(codes.Unavailable))
	reader := newClient(t, shardgrpc.Options{Reads: allRead}, ring.Options{}, members(a, b)...)
	writer := newClient(t, shardgrpc.Options{}, ring.Options{}, members(a, b)...)
	key := reader.keyOf(t, "a")
	if by, err := reader.check(t, key); err != nil || by != "b" {
		t.Errorf("a read: by %q, %v", by, err)
	}
	if by, err := writer.check(t, key); status.Code(err) != codes.Unavailable || by != "a" {
		t.Errorf("a write that was sent: by %q, %v", by, err)
	}
	a.server.Stop()
	writer = newClient(t, shardgrpc.Options{}, ring.Options{}, members(a, b)...)
	if by, err := writer.check(t, key); err != nil || by != "b" {
		t.Errorf("a write that cannot be sent: by %q, %v", by, err)
	}
	b.fail.Store(uint32(codes.Internal))
	if _, err := reader.check(t, key); status.Code(err) != codes.Internal {
		t.Errorf("another fault: %v", err)
	}
	b.server.Stop()
	if _, err := newClient(t, shardgrpc.Options{}, ring.Options{}, members(a, b)...).check(t, key); status.Code(err) != codes.Unavailable {
		t.Errorf("with nobody there: %v", err)
	}
	if _, err := newClient(t, shardgrpc.Options{}, ring.Options{}).check(t, key); status.Code(err) != codes.Unavailable {
		t.Errorf("with an empty ring: %v", err)
	}
}

// A stream goes on where it is after its node has left, and the connection is
// closed after it.
func TestStreams(t *testing.T) {
	a, b := startNode(t, "a"), startNode(t, "b")
	cl := newClient(t, shardgrpc.Options{}, ring.Options{}, members(a, b)...)
	key := cl.keyOf(t, "a")
	ctx, cancel := context.WithCancel(shardgrpc.WithKey(t.Context(), key))
	defer cancel()
	stream, err := cl.Watch(ctx, &health.HealthCheckRequest{Service: key})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	if _, err := cl.ring.Set(members(b)); err != nil {
		t.Fatal(err)
	}
	if by, err := cl.check(t, key); err != nil || by != "b" {
		t.Errorf("after the change: by %q, %v", by, err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Errorf("the stream was cut: %v", err)
	}
	cancel()
	if _, err := stream.Recv(); status.Code(err) != codes.Canceled {
		t.Errorf("the end of the stream: %v", err)
	}
	a.server.GracefulStop() // returns when the client has closed

	// A stream that cannot begin at its owner begins at the next node.
	if _, err := cl.ring.Set(members(a, b)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithCancel(shardgrpc.WithKey(t.Context(), key))
	defer cancel()
	stream, err = cl.Watch(ctx, &health.HealthCheckRequest{Service: key})
	if err != nil {
		t.Fatal(err)
	}
	header, err := stream.Header()
	if ids := header.Get("node"); err != nil || len(ids) != 1 || ids[0] != "b" {
		t.Errorf("stream by %v, %v", ids, err)
	}
}

func TestClose(t *testing.T) {
	a := startNode(t, "a")
	cl := newClient(t, shardgrpc.Options{}, ring.Options{}, members(a)...)
	if _, err := cl.check(t, "any"); err != nil {
		t.Fatal(err)
	}
	if err := cl.conn.Close(); err != nil {
		t.Error(err)
	}
	if _, err := cl.check(t, "any"); status.Code(err) != codes.Canceled {
		t.Errorf("after Close: %v", err)
	}
	r, err := ring.New(ring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := shardgrpc.New(r, shardgrpc.Options{Tries: -1}); err == nil {
		t.Error("a connection with -1 tries is made")
	}
}
