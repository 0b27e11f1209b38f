package shardgrpc

import (
	"slices"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/fractl/fractl/templates/pieces/ring"
)

// A connection to a node that has left is closed after its last call, and not
// before.
func TestPoolClosesWhatHasLeft(t *testing.T) {
	a, b := ring.Node{ID: "a", Addr: "127.0.0.1:1"}, ring.Node{ID: "b", Addr: "127.0.0.1:2"}
	r, err := ring.New(ring.Options{}, a, b)
	if err != nil {
		t.Fatal(err)
	}
	p := newPool(r, []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())})
	take := func(n ring.Node) *pooled {
		t.Helper()
		conn, err := p.take(n.Addr)
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	closed := func(conn *pooled) bool { return conn.cc.GetState() == connectivity.Shutdown }

	idle, used := take(a), take(b)
	p.give(idle)
	if again := take(a); again != idle {
		t.Error("a second call has a connection of its own")
	}
	p.give(idle)
	if _, err := r.Set([]ring.Node{{ID: "c", Addr: "127.0.0.1:3"}}); err != nil {
		t.Fatal(err)
	}
	p.give(take(ring.Node{Addr: "127.0.0.1:3"}))
	if !closed(idle) || closed(used) {
		t.Errorf("after both have left: the idle one is closed: %v, the used one: %v", closed(idle), closed(used))
	}
	p.give(used)
	if !closed(used) {
		t.Error("the connection is open after its last call")
	}
	var addrs []string
	for addr := range p.conns {
		addrs = append(addrs, addr)
	}
	if !slices.Equal(addrs, []string{"127.0.0.1:3"}) {
		t.Errorf("the pool still has %v", addrs)
	}
	if err := p.close(); err != nil {
		t.Error(err)
	}
}
