package ring_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fractl/fractl/templates/pieces/ring"
)

// way follows a route to its end.
func way(t *testing.T, route *ring.Route) []string {
	t.Helper()
	var asked []string
	for {
		n, ok, err := route.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return asked
		}
		asked = append(asked, n.ID)
	}
}

func TestRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRing(t, ring.Options{Transition: time.Hour}, fleet(6, "n%d")...)
		router := ring.NewRouter(r, time.Second)
		all, err := r.GetN(nil, "key", 6)
		if err != nil {
			t.Fatal(err)
		}
		replicas := idsOf(all)
		check := func(when string, reads bool, want ...string) {
			t.Helper()
			if diff := cmp.Diff(want, way(t, router.Route("key", reads, 3))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
		}
		check("at first", false, replicas[:3]...)
		router.Reached(replicas[0], false)
		check("with the owner suspect", false, replicas[1], replicas[2], replicas[0])
		router.Reached(replicas[2], false)
		check("with two suspect", true, replicas[1], replicas[0], replicas[2])
		router.Reached(replicas[2], true)
		time.Sleep(time.Second)
		check("after a while", false, replicas[:3]...)
		r.MarkDown(replicas[0], 0)
		check("with the owner down", false, replicas[1:4]...)
		for _, id := range replicas {
			r.MarkDown(id, 0)
		}
		check("with all down", false, replicas[:3]...)
		for _, id := range replicas {
			r.MarkUp(id)
		}

		// The owner leaves: those who read may still ask it.
		without := slices.DeleteFunc(r.Snapshot().Nodes(), func(n ring.Node) bool { return n.ID == replicas[0] })
		if _, err := r.Set(without); err != nil {
			t.Fatal(err)
		}
		check("a write after the owner left", false, replicas[1:4]...)
		check("a read after the owner left", true, replicas[1], replicas[0], replicas[2], replicas[3])
		route := router.Route("key", true, 3)
		if n, ok, err := route.Next(); err != nil || !ok || n.ID != replicas[1] {
			t.Errorf("the new owner: %s, %v", n.ID, err)
		}
		if n, ok := route.NextHolder(); !ok || n.ID != replicas[0] {
			t.Errorf("the old owner: %s, %v", n.ID, ok)
		}
		if n, ok := route.NextHolder(); ok {
			t.Errorf("another holder: %s", n.ID)
		}
		if n, ok := router.Route("key", false, 3).NextHolder(); ok {
			t.Errorf("a holder for a write: %s", n.ID)
		}
	})
}

// A route that is under way takes notice of a change.
func TestRouteFollowsTheRing(t *testing.T) {
	r := newRing(t, ring.Options{}, fleet(2, "n%d")...)
	route := ring.NewRouter(r, 0).Route("key", false, 2)
	if _, ok, err := route.Next(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, err := r.Set(fleet(3, "m%d")); err != nil {
		t.Fatal(err)
	}
	if n, ok, err := route.Next(); err != nil || !ok || n.ID != owner(t, r, "key") {
		t.Errorf("after a change: %s, %v, %v", n.ID, ok, err)
	}
	if _, err := r.Set(nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := route.Next(); !errors.Is(err, ring.ErrEmpty) {
		t.Errorf("with nobody left: %v", err)
	}
}

func ExampleRouter() {
	r, err := ring.New(ring.Options{}, ring.Node{ID: "a"}, ring.Node{ID: "b"})
	if err != nil {
		fmt.Println(err)
		return
	}
	router := ring.NewRouter(r, time.Second)
	send := func(n ring.Node) bool { return n.ID == "b" } // a is away
	route := router.Route("customer:42", true, 2)
	for {
		n, ok, err := route.Next()
		if err != nil || !ok {
			fmt.Println("nobody can be reached", err)
			return
		}
		reached := send(n)
		router.Reached(n.ID, reached)
		fmt.Println(n.ID, reached)
		if reached {
			return
		}
	}
	// Output:
	// a false
	// b true
}
