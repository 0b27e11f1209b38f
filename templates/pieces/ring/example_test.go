package ring_test

import (
	"fmt"

	"github.com/fractl/fractl/templates/pieces/ring"
)

func Example() {
	r, err := ring.New(ring.Options{},
		ring.Node{ID: "a", Addr: "10.0.0.1:8080"},
		ring.Node{ID: "b", Addr: "10.0.0.2:8080"},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	owner, err := r.Get("customer:42")
	fmt.Println(owner.ID, err)

	// A third node takes its share, and nothing moves between the others.
	change, err := r.Set(append(r.Snapshot().Nodes(), ring.Node{ID: "c", Addr: "10.0.0.3:8080"}))
	if err != nil {
		fmt.Println(err)
		return
	}
	to := map[string]bool{}
	for _, move := range change.Moves() {
		to[move.To.ID] = true
	}
	fmt.Println("moves to", to)
	// Output:
	// a <nil>
	// moves to map[c:true]
}
