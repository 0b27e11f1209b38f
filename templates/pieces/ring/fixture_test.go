package ring_test

import (
	"fmt"
	"testing"

	"go.uber.org/goleak"

	"github.com/fractl/fractl/templates/pieces/ring"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fleet returns n nodes with IDs of the given form.
func fleet(n int, format string) []ring.Node {
	nodes := make([]ring.Node, n)
	for i := range nodes {
		nodes[i] = ring.Node{ID: fmt.Sprintf(format, i), Addr: fmt.Sprintf("10.0.%d.%d:8080", i/256, i%256)}
	}
	return nodes
}

// keys returns n different keys.
func keys(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("key:%08d", i)
	}
	return keys
}

func snapshot(t testing.TB, p ring.Placement, nodes ...ring.Node) *ring.Snapshot {
	t.Helper()
	s, err := ring.NewSnapshot(p, nodes)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newRing(t testing.TB, o ring.Options, nodes ...ring.Node) *ring.Ring {
	t.Helper()
	r, err := ring.New(o, nodes...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// getter is what a Ring and a Snapshot have in common.
type getter interface {
	Get(key string) (ring.Node, error)
}

func owner(t testing.TB, g getter, key string) string {
	t.Helper()
	n, err := g.Get(key)
	if err != nil {
		t.Fatalf("Get(%q): %v", key, err)
	}
	if n.ID == "" {
		t.Fatalf("Get(%q) returned no node and no error", key)
	}
	return n.ID
}

func idsOf(nodes []ring.Node) []string {
	ids := make([]string, len(nodes))
	for i, n := range nodes {
		ids[i] = n.ID
	}
	return ids
}
