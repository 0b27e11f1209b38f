package kubernetes

import (
	"encoding/json"
	"testing"

	"github.com/fractl/fractl/templates/pieces/ring"
)

// Whatever the API server sends, it is an error or a list in which every ID is
// there once.
func FuzzEvent(f *testing.F) {
	f.Add([]byte(`{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"1"},"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"],"conditions":{"ready":true},"targetRef":{"name":"p"},"zone":"z"}],"ports":[{"name":"","port":80}]}}`))
	f.Add([]byte(`{"type":"ERROR","object":{"code":410,"message":"gone"}}`))
	f.Add([]byte(`{"type":"MODIFIED","object":{"endpoints":[{"addresses":[]},{"addresses":["a"],"conditions":{"ready":null}}],"ports":[{"port":null},{"port":-1}]}}`))
	f.Add([]byte(`{"type":"BOOKMARK"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var e event
		if json.Unmarshal(text, &e) != nil {
			return
		}
		all := make(map[string]endpointSlice)
		changed, err := e.apply(all)
		if changed && err != nil {
			t.Errorf("changed, and fails with %v", err)
		}
		seen := make(map[string]bool)
		for _, n := range nodes(all, "") {
			if seen[n.ID] {
				t.Errorf("node %q is listed twice", n.ID)
			}
			seen[n.ID] = true
		}
		if !changed && len(seen) > 0 {
			t.Errorf("%d nodes of an event that changes nothing", len(seen))
		}
		// What is not a valid node is for the ring to refuse, not to crash on.
		_, _ = ring.NewSnapshot(ring.Placement{VNodes: 1}, nodes(all, ""))
	})
}
