package shard_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fractl/fractl/templates/pieces/ring"
	"github.com/fractl/fractl/templates/pieces/ring/shard"
)

func TestGuard(t *testing.T) {
	nodes := []ring.Node{{ID: "a"}, {ID: "b"}, {ID: "c"}}
	r, err := ring.New(ring.Options{Transition: time.Hour}, nodes...)
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	guard, err := shard.Guard(r, shard.GuardOptions{Self: "a", Key: byPath, Metrics: registry}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	}))
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path, version string) int {
		w := httptest.NewRecorder()
		req := httptest.NewRequest(method, path, nil)
		if version != "" {
			req.Header.Set(shard.VersionHeader, version)
		}
		guard.ServeHTTP(w, req)
		if got := w.Header().Get(shard.VersionHeader); got != r.Snapshot().Version().String() {
			t.Errorf("the answer has version %q", got)
		}
		return w.Code
	}
	check := func(method string, serves func(path string) bool) {
		t.Helper()
		for i := range 100 {
			path := fmt.Sprint("/", i)
			want := http.StatusMisdirectedRequest
			if serves(path) {
				want = http.StatusNoContent
			}
			if got := ask(method, path, ""); got != want {
				t.Errorf("%s %s: %d, want %d", method, path, got, want)
			}
		}
	}
	first := r.Snapshot()
	ownedIn := func(s *ring.Snapshot) func(string) bool {
		return func(path string) bool { n, err := s.Get(path); return err == nil && n.ID == "a" }
	}
	check(http.MethodGet, ownedIn(first))
	check(http.MethodPost, ownedIn(first))
	if got := ask(http.MethodPost, "/", ""); got != http.StatusNoContent {
		t.Errorf("no key: %d", got)
	}
	// What it owned before a change it serves to readers for a while.
	if _, err := r.Set(append(nodes, ring.Node{ID: "d"}, ring.Node{ID: "e"})); err != nil {
		t.Fatal(err)
	}
	now := r.Snapshot()
	check(http.MethodPost, ownedIn(now))
	check(http.MethodGet, func(path string) bool { return ownedIn(first)(path) || ownedIn(now)(path) })
	r.Settle()
	check(http.MethodGet, ownedIn(now))

	ask(http.MethodGet, "/1", now.Version().String())
	ask(http.MethodGet, "/1", first.Version().String())
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "ring_server_version_mismatches_total" && f.GetMetric()[0].GetCounter().GetValue() != 1 {
			t.Errorf("mismatches: %v", f.GetMetric())
		}
	}
	// Nobody is turned away because this instance knows no nodes yet.
	if _, err := r.Set(nil); err != nil {
		t.Fatal(err)
	}
	check(http.MethodPost, func(string) bool { return true })
}

// A client whose ring is old finds the owner through the guards.
func TestGuardLeadsToTheOwner(t *testing.T) {
	var nodes []*node
	truth, err := ring.New(ring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a", "b", "c"} {
		n := &node{}
		guard, err := shard.Guard(truth, shard.GuardOptions{Self: id, Key: byPath}, n)
		if err != nil {
			t.Fatal(err)
		}
		n.server = httptest.NewServer(guard)
		defer n.server.Close()
		n.Node = ring.Node{ID: id, Addr: n.server.Listener.Addr().String()}
		nodes = append(nodes, n)
	}
	// The client still knows weights that nobody else goes by.
	old := members(nodes...)
	old[0].Weight, old[1].Weight = 5, 3
	if _, err := truth.Set(members(nodes...)); err != nil {
		t.Fatal(err)
	}
	cl := newClient(t, shard.Options{}, ring.Options{}, old...)
	elsewhere := 0
	for _, path := range []string{"/any/1", "/any/2", "/any/3", "/any/4", "/any/5", "/any/6", "/any/7", "/any/8", "/any/9"} {
		want, err := truth.Get(path)
		if err != nil {
			t.Fatal(err)
		}
		if cl.owner(t, path) != want.ID {
			elsewhere++
		}
		if status, _, by, err := cl.do(http.MethodPost, path, "x"); err != nil || status != http.StatusOK || by != want.ID {
			t.Errorf("POST %s: %d by %q, %v; owner is %s", path, status, by, err, want.ID)
		}
	}
	if elsewhere == 0 {
		t.Error("the client's ring is not old enough")
	}
	// Without the owner among its nodes, it gets the refusal.
	cl = newClient(t, shard.Options{}, ring.Options{}, nodes[0].Node)
	path := "/any/1"
	for i := 0; ; i++ {
		if path = "/any/" + string(rune('a'+i)); !truth.Owns("a", path) {
			break
		}
	}
	if status, _, _, err := cl.do(http.MethodPost, path, "x"); err != nil || status != http.StatusMisdirectedRequest {
		t.Errorf("POST without the owner: %d, %v", status, err)
	}
}

func TestGuardRefusesToBeMade(t *testing.T) {
	r, err := ring.New(ring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []shard.GuardOptions{{Key: byPath}, {Self: "a"}, {Self: "a", Key: byPath, Replicas: -1}} {
		if _, err := shard.Guard(r, o, http.NotFoundHandler()); err == nil {
			t.Errorf("%+v makes a guard", o)
		}
	}
}
