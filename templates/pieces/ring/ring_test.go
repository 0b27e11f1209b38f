package ring_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fractl/fractl/templates/pieces/ring"
)

// Eight readers while nodes come and go: never an error, never a node that no
// version has, never replicas of two versions in one answer.
func TestHotUpdate(t *testing.T) {
	// Every version has nodes of its own, but for one that is in all of them.
	version := func(n int) []ring.Node {
		nodes := fleet(5, fmt.Sprintf("v%d-%%d", n%7))
		for i := range nodes {
			nodes[i].Zone = fmt.Sprint(n % 7)
		}
		return append(nodes, ring.Node{ID: "stays", Zone: fmt.Sprint(n % 7)})
	}
	r := newRing(t, ring.Options{Placement: ring.Placement{VNodes: 10}, Transition: time.Millisecond}, version(0)...)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for reader := range 8 {
		readers.Go(func() {
			all := keys(64)
			var buf [6]ring.Node
			for i := reader; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				key := all[i%len(all)]
				if n, err := r.Get(key); err != nil || n.ID == "" {
					t.Errorf("Get = %+v, %v", n, err)
					return
				}
				got, err := r.GetN(buf[:0], key, 6)
				var few *ring.TooFewError // while a node is marked down
				if err != nil && !errors.As(err, &few) || len(got) < 5 {
					t.Errorf("GetN = %v, %v", idsOf(got), err)
					return
				}
				for _, n := range got {
					if n.Zone != got[0].Zone {
						t.Errorf("GetN mixes two versions: %v", got)
						return
					}
				}
				if got, err := r.Readers(buf[:0], key); err != nil || len(got) == 0 {
					t.Errorf("Readers = %v, %v", got, err)
					return
				}
			}
		})
	}
	for i := range 1000 {
		if _, err := r.Set(version(i)); err != nil {
			t.Error(err)
		}
		r.MarkDown("stays", 0)
		r.MarkUp("stays")
	}
	close(stop)
	readers.Wait()
}

func TestSet(t *testing.T) {
	r := newRing(t, ring.Options{}, fleet(3, "n%d")...)
	before := r.Snapshot()
	if c, err := r.Set(fleet(3, "n%d")); err != nil || c.Changed() || r.Snapshot() != before || c.Generation != 0 {
		t.Errorf("the same nodes again: %+v, %v", c, err)
	}
	if _, err := r.Set([]ring.Node{{ID: "a"}, {ID: "a"}}); err == nil || r.Snapshot() != before {
		t.Errorf("nodes that are not valid: %v, and changed %v", err, r.Snapshot() != before)
	}
	c, err := r.Set(fleet(4, "n%d"))
	if err != nil || !c.Changed() || c.Old != before || c.New != r.Snapshot() || c.Generation != 1 || r.Generation() != 1 {
		t.Errorf("another node: %+v, %v", c, err)
	}
	if moves := c.Moves(); len(moves) == 0 || moves[0].To.ID != "n3" {
		t.Errorf("another node moves %d ranges", len(moves))
	}
	moved := fleet(4, "n%d")
	moved[0].Addr = "elsewhere:1"
	c, err = r.Set(moved)
	if err != nil || !c.Changed() || len(c.Moves()) != 0 || c.Old.Version() != c.New.Version() {
		t.Errorf("another address: %+v, %v", c, err)
	}
	if n, ok := r.Snapshot().Node("n0"); !ok || n.Addr != "elsewhere:1" {
		t.Errorf("n0 is at %q", n.Addr)
	}
	if c, err := r.Set(nil); err != nil || c.New.Len() != 0 {
		t.Errorf("no nodes: %+v, %v", c, err)
	}
}

// A node that is down is skipped as if it were not there, and for all other
// keys nothing changes.
func TestMarkDown(t *testing.T) {
	nodes := fleet(10, "node-%d")
	r := newRing(t, ring.Options{}, nodes...)
	full := r.Snapshot()
	without := snapshot(t, ring.Placement{}, slices.Concat(nodes[:4], nodes[5:])...)
	if !r.MarkDown("node-4", 0) || r.MarkDown("node-99", 0) || r.MarkUp("node-99") {
		t.Error("MarkDown and MarkUp do not tell members from others")
	}
	if diff := cmp.Diff([]string{"node-4"}, r.Down()); diff != "" {
		t.Error(diff)
	}
	if r.Snapshot() != full {
		t.Error("marking a node rebuilds the ring")
	}
	for _, key := range keys(3000) {
		if got, want := owner(t, r, key), owner(t, without, key); got != want {
			t.Fatalf("%s goes to %s, and without the node to %s", key, got, want)
		}
		got, err := r.GetN(nil, key, 3)
		want, _ := without.GetN(nil, key, 3)
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("%s goes to %v, and without the node to %v", key, idsOf(got), idsOf(want))
		}
	}
	var few *ring.TooFewError
	if _, err := r.GetN(nil, "k", 10); !errors.As(err, &few) || few.Have != 9 {
		t.Errorf("ten replicas of nine that are up: %v", err)
	}
	for _, n := range nodes {
		r.MarkDown(n.ID, 0)
	}
	for name, err := range map[string]error{"Get": second(r.Get("k")), "GetN": second(r.GetN(nil, "k", 1)), "Readers": second(r.Readers(nil, "k"))} {
		if !errors.Is(err, ring.ErrAllDown) {
			t.Errorf("%s with all down: %v", name, err)
		}
	}
	for _, n := range nodes {
		r.MarkUp(n.ID)
	}
	for _, key := range keys(100) {
		if owner(t, r, key) != owner(t, full, key) {
			t.Fatalf("%s is elsewhere after all are up again", key)
		}
	}
}

func TestMarksAreCarriedOver(t *testing.T) {
	r := newRing(t, ring.Options{}, fleet(3, "n%d")...)
	r.MarkDown("n1", 0)
	r.MarkDown("n2", 0)
	if _, err := r.Set(append(fleet(2, "n%d"), ring.Node{ID: "a"})); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"n1"}, r.Down()); diff != "" {
		t.Errorf("down after a change (-want +got):\n%s", diff)
	}
	if _, err := r.Set(fleet(3, "n%d")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"n1"}, r.Down()); diff != "" {
		t.Errorf("down after n2 came back (-want +got):\n%s", diff)
	}
}

func TestMarksEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRing(t, ring.Options{}, fleet(3, "n%d")...)
		r.MarkDown("n0", time.Second)
		r.MarkDown("n1", 3*time.Second)
		for _, step := range []struct {
			after time.Duration
			want  []string
		}{
			{time.Second - 1, []string{"n0", "n1"}},
			{1, []string{"n1"}},
			{2*time.Second - 1, []string{"n1"}},
			{1, nil},
		} {
			time.Sleep(step.after)
			for _, key := range keys(50) {
				if got := owner(t, r, key); slices.Contains(step.want, got) {
					t.Fatalf("%s goes to %s, which is down", key, got)
				}
			}
			if diff := cmp.Diff(step.want, r.Down()); diff != "" {
				t.Fatalf("down (-want +got):\n%s", diff)
			}
		}
	})
}

func TestReadersWhileRangesMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second, third := fleet(3, "n%d"), fleet(4, "n%d"), fleet(5, "n%d")
		s1, s2, s3 := snapshot(t, ring.Placement{}, first...), snapshot(t, ring.Placement{}, second...), snapshot(t, ring.Placement{}, third...)
		r := newRing(t, ring.Options{Transition: time.Minute}, first...)
		check := func(when string, earlier ...*ring.Snapshot) {
			t.Helper()
			if r.Moving() != (len(earlier) > 0) {
				t.Errorf("%s: Moving is %v", when, r.Moving())
			}
			for _, key := range keys(500) {
				want := []string{owner(t, r, key)}
				for _, s := range earlier {
					if id := owner(t, s, key); !slices.Contains(want, id) {
						want = append(want, id)
					}
				}
				got, err := r.Readers(nil, key)
				if err != nil || !slices.Equal(idsOf(got), want) {
					t.Fatalf("%s: readers of %s are %v, %v; want %v", when, key, idsOf(got), err, want)
				}
			}
		}
		set := func(nodes []ring.Node) {
			t.Helper()
			if _, err := r.Set(nodes); err != nil {
				t.Fatal(err)
			}
		}
		check("at first")
		set(second)
		check("after a change", s1)
		time.Sleep(40 * time.Second)
		set(third)
		check("after another", s2, s1)
		time.Sleep(20 * time.Second)
		check("when the first is over", s2)
		time.Sleep(40 * time.Second)
		check("when all is over")
		set(first)
		check("after nodes have left", s3)
		r.Settle()
		check("when all data has moved")

		// Another address moves nothing.
		again := slices.Clone(first)
		again[0].Addr = "elsewhere:1"
		set(again)
		check("after another address")
	})
}

// The old owner of a key is asked where it is now, and not where it is down.
func TestReadersUseWhatIsKnown(t *testing.T) {
	r := newRing(t, ring.Options{Transition: time.Hour}, fleet(1, "n%d")...)
	nodes := fleet(2, "n%d")
	nodes[0].Addr = "elsewhere:1"
	if _, err := r.Set(nodes); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(keys(100), func(key string) bool { return owner(t, r, key) == "n1" })
	key := keys(100)[i]
	if got, err := r.Readers(nil, key); err != nil || len(got) != 2 || got[1] != nodes[0] {
		t.Errorf("readers %v, %v", got, err)
	}
	r.MarkDown("n0", 0)
	if got, err := r.Readers(nil, key); err != nil || len(got) != 1 {
		t.Errorf("readers with the old owner down: %v, %v", got, err)
	}
	for i := range 10 {
		if _, err := r.Set(fleet(i%5+1, fmt.Sprint("m", i, "-%d"))); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := r.Readers(nil, key); err != nil || len(got) != 5 {
		t.Errorf("%d readers after many changes, %v; want the owner and four before it", len(got), err)
	}
}

func TestOwns(t *testing.T) {
	r := newRing(t, ring.Options{}, fleet(3, "n%d")...)
	for _, key := range keys(100) {
		var owners []string
		for _, id := range []string{"n0", "n1", "n2", "", "other"} {
			if r.Owns(id, key) {
				owners = append(owners, id)
			}
		}
		if !slices.Equal(owners, []string{owner(t, r, key)}) {
			t.Fatalf("%s is owned by %v", key, owners)
		}
	}
}
