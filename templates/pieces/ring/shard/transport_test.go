package shard_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/fractl/fractl/templates/pieces/ring"
	"github.com/fractl/fractl/templates/pieces/ring/shard"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// node is a server with data of its own.
type node struct {
	ring.Node
	server *httptest.Server
	data   sync.Map // from a path to a body
	served atomic.Int64
}

func startNode(t *testing.T, id string) *node {
	t.Helper()
	n := &node{}
	n.server = httptest.NewServer(n)
	n.Node = ring.Node{ID: id, Addr: n.server.Listener.Addr().String()}
	t.Cleanup(n.server.Close)
	return n
}

// ServeHTTP stores what is PUT or POSTed, and gives it back. A path that is not
// stored is 404, but below /any/ everybody answers.
func (n *node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.served.Add(1)
	w.Header().Set("Node", n.ID)
	switch r.Method {
	case http.MethodPut, http.MethodPost:
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		n.data.Store(r.URL.Path, string(body))
	default:
		body, ok := n.data.Load(r.URL.Path)
		if !ok && !strings.HasPrefix(r.URL.Path, "/any/") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		fmt.Fprint(w, body)
	}
}

func members(nodes ...*node) []ring.Node {
	var members []ring.Node
	for _, n := range nodes {
		members = append(members, n.Node)
	}
	return members
}

func byPath(r *http.Request) (string, bool) { return r.URL.Path, r.URL.Path != "/" }

// client is a client over a transport, and its ring.
type client struct {
	*http.Client
	ring      *ring.Ring
	transport *shard.Transport
}

func newClient(t *testing.T, o shard.Options, ro ring.Options, nodes ...ring.Node) *client {
	t.Helper()
	r, err := ring.New(ro, nodes...)
	if err != nil {
		t.Fatal(err)
	}
	if o.Key == nil {
		o.Key = byPath
	}
	transport, err := shard.New(r, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &client{&http.Client{Transport: transport, Timeout: 10 * time.Second}, r, transport}
}

// do returns status, body and the node that answered.
func (c *client) do(method, path, body string) (status int, text, by string, err error) {
	req, err := http.NewRequest(method, "http://items"+path, strings.NewReader(body))
	if err != nil {
		return 0, "", "", err
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, "", "", err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(got), resp.Header.Get("Node"), err
}

func (c *client) owner(t *testing.T, key string) string {
	t.Helper()
	n, err := c.ring.Get(key)
	if err != nil {
		t.Fatal(err)
	}
	return n.ID
}

// pathOf returns a path below prefix that the node owns.
func (c *client) pathOf(t *testing.T, prefix, id string) string {
	t.Helper()
	for i := range 10_000 {
		if path := fmt.Sprint(prefix, i); c.owner(t, path) == id {
			return path
		}
	}
	t.Fatalf("%s owns nothing below %s", id, prefix)
	return ""
}

func TestRequestsGoToTheOwner(t *testing.T) {
	a, b, c := startNode(t, "a"), startNode(t, "b"), startNode(t, "c")
	b.Addr = b.server.URL // an address may be a URL too
	cl := newClient(t, shard.Options{}, ring.Options{}, members(a, b, c)...)
	for i := range 60 {
		path := fmt.Sprint("/any/", i)
		if status, _, by, err := cl.do(http.MethodPost, path, path); err != nil || status != http.StatusOK || by != cl.owner(t, path) {
			t.Fatalf("POST %s: %d by %q, %v; owner is %s", path, status, by, err, cl.owner(t, path))
		}
		if status, text, by, err := cl.do(http.MethodGet, path, ""); err != nil || status != http.StatusOK || text != path || by != cl.owner(t, path) {
			t.Fatalf("GET %s: %d %q by %q, %v", path, status, text, by, err)
		}
	}
	if a.served.Load() == 0 || b.served.Load() == 0 || c.served.Load() == 0 {
		t.Error("not all nodes were asked")
	}
}

// Nodes come, leave in order and are killed, all under load. No request fails,
// and after a change all go to the new owner at once.
func TestNoRequestFailsWhenNodesChange(t *testing.T) {
	nodes := []*node{startNode(t, "a"), startNode(t, "b"), startNode(t, "c")}
	cl := newClient(t, shard.Options{Cooldown: 50 * time.Millisecond}, ring.Options{}, members(nodes...)...)

	stop := make(chan struct{})
	var done atomic.Int64
	var writes atomic.Bool // a node that is killed may break a write that it has begun
	writes.Store(true)
	var underWay sync.RWMutex // read-locked by every request
	var workers sync.WaitGroup
	for w := range 6 {
		workers.Go(func() {
			for i := w; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				underWay.RLock()
				method := http.MethodGet
				if i%2 == 0 && writes.Load() {
					method = http.MethodPost
				}
				path := fmt.Sprint("/any/", i%200)
				status, _, _, err := cl.do(method, path, "x")
				underWay.RUnlock()
				if err != nil || status != http.StatusOK {
					t.Errorf("%s %s: %d, %v", method, path, status, err)
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
	// arrived waits for the requests that are under way.
	arrived := func() {
		underWay.Lock()
		defer underWay.Unlock()
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
		t.Error("the new node is not asked")
	}
	// It leaves: first the ring, then, when what is on its way has arrived, the
	// server. Without that moment between the two, a write may meet a connection
	// that is just being closed, and cannot be sent a second time.
	set(nodes...)
	arrived()
	d.server.Close()
	settle()
	// Another one dies, and the ring hears of it later.
	writes.Store(false)
	arrived()
	nodes[2].server.Listener.Close()
	nodes[2].server.CloseClientConnections()
	settle()
	set(nodes[:2]...)
	settle()
	close(stop)
	workers.Wait()
	t.Logf("%d requests", done.Load())
}

// While ranges move, every key is found, be it moved yet or not.
func TestEveryKeyIsFoundWhileRangesMove(t *testing.T) {
	a, b, c := startNode(t, "a"), startNode(t, "b"), startNode(t, "c")
	cl := newClient(t, shard.Options{}, ring.Options{Transition: time.Hour}, members(a, b)...)
	byID := map[string]*node{"a": a, "b": b, "c": c}
	const n = 200
	for i := range n {
		path := fmt.Sprint("/item/", i)
		byID[cl.owner(t, path)].data.Store(path, path)
	}
	all := func(when string) {
		t.Helper()
		for i := range n {
			path := fmt.Sprint("/item/", i)
			if status, text, _, err := cl.do(http.MethodGet, path, ""); err != nil || status != http.StatusOK || text != path {
				t.Fatalf("%s: GET %s: %d %q, %v", when, path, status, text, err)
			}
		}
		if status, _, by, err := cl.do(http.MethodGet, "/item/none", ""); err != nil || status != http.StatusNotFound || by != cl.owner(t, "/item/none") {
			t.Fatalf("%s: what does not exist: %d by %s, %v", when, status, by, err)
		}
	}
	all("before")
	change, err := cl.ring.Set(members(a, b, c))
	if err != nil {
		t.Fatal(err)
	}
	all("after the change, nothing moved")
	moves := change.Moves()
	moved := 0
	for i, m := range moves {
		from, to := byID[m.From.ID], byID[m.To.ID]
		from.data.Range(func(path, body any) bool {
			if m.Contains(change.New.Position(path.(string))) {
				to.data.Store(path, body)
				from.data.Delete(path)
				moved++
			}
			return true
		})
		if i == len(moves)/2 {
			all("half way")
		}
	}
	all("all moved")
	cl.ring.Settle()
	before := a.served.Load() + b.served.Load() + c.served.Load()
	all("settled")
	if asked := a.served.Load() + b.served.Load() + c.served.Load() - before; asked != n+1 {
		t.Errorf("%d requests for %d keys after all is settled", asked, n+1)
	}
	if moved == 0 {
		t.Error("nothing moved")
	}
	// A write goes to the owner alone, and a miss of a write is an answer.
	if status, _, by, err := cl.do(http.MethodDelete, "/item/none", ""); err != nil || status != http.StatusNotFound || by != cl.owner(t, "/item/none") {
		t.Errorf("DELETE: %d by %s, %v", status, by, err)
	}
}

// An old owner that is gone does not turn a miss into an error.
func TestOldOwnerGone(t *testing.T) {
	a, b := startNode(t, "a"), startNode(t, "b")
	cl := newClient(t, shard.Options{}, ring.Options{Transition: time.Hour}, members(a)...)
	if _, err := cl.ring.Set(members(b)); err != nil {
		t.Fatal(err)
	}
	a.server.Close()
	if status, _, by, err := cl.do(http.MethodGet, "/item/1", ""); err != nil || status != http.StatusNotFound || by != "b" {
		t.Errorf("GET: %d by %q, %v", status, by, err)
	}
}

func TestUnreachableNodes(t *testing.T) {
	a, b := startNode(t, "a"), startNode(t, "b")
	registry := prometheus.NewRegistry()
	cl := newClient(t, shard.Options{Cooldown: time.Hour, Metrics: registry}, ring.Options{}, members(a, b)...)
	path := cl.pathOf(t, "/any/", "a")
	a.server.Close()
	// Nothing was sent to a, so that even a POST goes on to b, with its body.
	for range 3 {
		if status, _, by, err := cl.do(http.MethodPost, path, "body"); err != nil || status != http.StatusOK || by != "b" {
			t.Fatalf("POST: %d by %q, %v", status, by, err)
		}
	}
	if body, _ := b.data.Load(path); body != "body" {
		t.Errorf("b was sent %q", body)
	}
	// It was tried once and is suspect since.
	if got := counted(t, registry, "a", "unreachable"); got != 1 {
		t.Errorf("a was tried %v times", got)
	}
	if got := counted(t, registry, "b", "answered"); got != 3 {
		t.Errorf("b answered %v times", got)
	}
	b.server.Close()
	_, _, _, err := cl.do(http.MethodGet, path, "")
	var unreachable *shard.UnreachableError
	if !errors.As(err, &unreachable) || unreachable.Key != path || strings.Join(unreachable.Nodes, " ") != "b a" {
		t.Errorf("with nobody there: %v", err)
	}
	var op *net.OpError
	if !errors.As(err, &op) {
		t.Errorf("the cause is lost: %v", err)
	}
}

func counted(t *testing.T, g prometheus.Gatherer, node, outcome string) float64 {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if l := m.GetLabel(); f.GetName() == "ring_client_requests_total" && l[0].GetValue() == node && l[1].GetValue() == outcome {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

func TestASuspectIsAskedAgain(t *testing.T) {
	a, b := startNode(t, "a"), startNode(t, "b")
	cl := newClient(t, shard.Options{Cooldown: 20 * time.Millisecond}, ring.Options{}, members(a, b)...)
	path := cl.pathOf(t, "/any/", "a")
	addr := a.Addr
	a.server.Close()
	if _, _, by, err := cl.do(http.MethodGet, path, ""); err != nil || by != "b" {
		t.Fatalf("by %q, %v", by, err)
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		t.Skip("somebody took the port: ", err)
	}
	back := &httptest.Server{Listener: listener, Config: &http.Server{Handler: a}}
	back.Start()
	defer back.Close()
	for by := ""; by != "a"; {
		if _, _, by, err = cl.do(http.MethodGet, path, ""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
}

// A request that may have been done is done again only where that is harmless.
func TestBrokenConnections(t *testing.T) {
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	}))
	defer broken.Close()
	b := startNode(t, "b")
	a := ring.Node{ID: "a", Addr: broken.Listener.Addr().String()}
	for name, c := range map[string]struct {
		method string
		header string
		body   io.Reader
		again  bool
	}{
		"GET":                     {http.MethodGet, "", nil, true},
		"PUT":                     {http.MethodPut, "", strings.NewReader("x"), true},
		"PUT of a stream":         {http.MethodPut, "", io.MultiReader(strings.NewReader("x")), false},
		"POST":                    {http.MethodPost, "", strings.NewReader("x"), false},
		"POST with a key for it":  {http.MethodPost, "Idempotency-Key", strings.NewReader("x"), true},
		"POST with the other key": {http.MethodPost, "X-Idempotency-Key", strings.NewReader("x"), true},
	} {
		cl := newClient(t, shard.Options{}, ring.Options{}, a, b.Node)
		req, err := http.NewRequest(c.method, "http://items"+cl.pathOf(t, "/any/", "a"), c.body)
		if err != nil {
			t.Fatal(err)
		}
		if c.header != "" {
			req.Header.Set(c.header, "1")
		}
		resp, err := cl.Do(req)
		if err == nil {
			resp.Body.Close()
		}
		if again := err == nil && resp.Header.Get("Node") == "b"; again != c.again {
			t.Errorf("%s: sent again %v, %v; want %v", name, again, err, c.again)
		}
	}
}

func TestTheCallerGivesUp(t *testing.T) {
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer slow.Close()
	defer close(release)
	b := startNode(t, "b")
	registry := prometheus.NewRegistry()
	cl := newClient(t, shard.Options{Metrics: registry}, ring.Options{}, ring.Node{ID: "a", Addr: slow.Listener.Addr().String()}, b.Node)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://items"+cl.pathOf(t, "/any/", "a"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cl.Do(req); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the deadline", err)
	}
	if b.served.Load() != 0 || counted(t, registry, "a", "broken") != 0 {
		t.Error("the end of the caller's patience counts as a fault of the node")
	}
}

func TestRequestsThatCannotBeRouted(t *testing.T) {
	cl := newClient(t, shard.Options{}, ring.Options{})
	if _, _, _, err := cl.do(http.MethodPost, "/any/1", "x"); !errors.Is(err, ring.ErrEmpty) {
		t.Errorf("empty ring: %v", err)
	}
	if _, _, _, err := cl.do(http.MethodPost, "/", "x"); err == nil || !strings.Contains(err.Error(), "has no key") {
		t.Errorf("no key: %v", err)
	}
	for _, addr := range []string{"", "http://", "h:1/path", "http://h:1?x", "http://[::1"} {
		cl := newClient(t, shard.Options{}, ring.Options{}, ring.Node{ID: "a", Addr: addr})
		if _, _, _, err := cl.do(http.MethodPost, "/any/1", "x"); err == nil || !strings.Contains(err.Error(), `node "a" has address`) {
			t.Errorf("address %q: %v", addr, err)
		}
	}
	r, err := ring.New(ring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := shard.New(r, shard.Options{}); err == nil {
		t.Error("a transport without Key is made")
	}
	if _, err := shard.New(r, shard.Options{Key: byPath, Tries: -1}); err == nil {
		t.Error("a transport with -1 tries is made")
	}
}

func TestNodesThatAreDownAreAskedLast(t *testing.T) {
	a, b := startNode(t, "a"), startNode(t, "b")
	cl := newClient(t, shard.Options{}, ring.Options{}, members(a, b)...)
	path := cl.pathOf(t, "/any/", "a")
	cl.ring.MarkDown("a", 0)
	if _, _, by, err := cl.do(http.MethodGet, path, ""); err != nil || by != "b" {
		t.Errorf("with a down: by %q, %v", by, err)
	}
	cl.ring.MarkDown("b", 0)
	if _, _, by, err := cl.do(http.MethodGet, path, ""); err != nil || by != "a" {
		t.Errorf("with all down: by %q, %v", by, err)
	}
}
