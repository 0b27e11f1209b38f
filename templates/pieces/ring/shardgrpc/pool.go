package shardgrpc

import (
	"errors"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/fractl/fractl/templates/pieces/ring"
)

// pool has a connection to each node that was called. Those to nodes that have
// left the ring are closed after their last call.
type pool struct {
	ring *ring.Ring
	dial []grpc.DialOption

	mu         sync.Mutex
	conns      map[string]*pooled // by address
	generation uint64             // of the ring when the connections were last looked at
	closed     bool
}

// pooled is one connection.
type pooled struct {
	cc    *grpc.ClientConn
	addr  string
	calls int  // in progress
	left  bool // to be closed after the last of them
}

func newPool(r *ring.Ring, dial []grpc.DialOption) *pool {
	return &pool{ring: r, dial: dial, conns: make(map[string]*pooled), generation: r.Generation()}
}

// take returns a connection to the address for one call; give follows.
func (p *pool) take(addr string) (*pooled, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, status.Error(codes.Canceled, "connection is closed")
	}
	conn := p.conns[addr]
	if conn == nil {
		cc, err := grpc.NewClient("passthrough:///"+addr, p.dial...)
		if err != nil {
			p.mu.Unlock()
			return nil, status.Errorf(codes.Internal, "address %q: %v", addr, err)
		}
		conn = &pooled{cc: cc, addr: addr}
		p.conns[addr] = conn
	}
	conn.calls++
	unused := p.prune()
	p.mu.Unlock()
	closeAll(unused)
	return conn, nil
}

// give ends a call.
func (p *pool) give(conn *pooled) {
	p.mu.Lock()
	conn.calls--
	unused := p.unused(conn)
	p.mu.Unlock()
	if unused {
		closeAll([]*pooled{conn})
	}
}

// prune sorts out the connections to nodes that have left, once after each
// change of the ring, and returns those to close. It is called with mu held.
func (p *pool) prune() []*pooled {
	generation := p.ring.Generation()
	if p.generation == generation {
		return nil
	}
	p.generation = generation
	present := make(map[string]bool)
	for _, n := range p.ring.Snapshot().Nodes() {
		present[n.Addr] = true
	}
	var unused []*pooled
	for addr, conn := range p.conns {
		conn.left = !present[addr]
		if p.unused(conn) {
			unused = append(unused, conn)
		}
	}
	return unused
}

// unused takes a connection out that is not needed any more, and tells whether
// it did. It is called with mu held. To an old owner that is still asked, there
// will be another one.
func (p *pool) unused(conn *pooled) bool {
	if !conn.left || conn.calls > 0 || p.conns[conn.addr] != conn {
		return false
	}
	delete(p.conns, conn.addr)
	return true
}

// closeAll closes connections without the lock, since that may take a moment.
func closeAll(conns []*pooled) {
	for _, conn := range conns {
		_ = conn.cc.Close() // only says that it is closed already
	}
}

// close closes all connections, for good.
func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	var errs []error
	for addr, conn := range p.conns {
		delete(p.conns, addr)
		errs = append(errs, conn.cc.Close())
	}
	return errors.Join(errs...)
}
