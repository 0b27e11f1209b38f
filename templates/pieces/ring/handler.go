package ring

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// Handler answers a GET with the ring as JSON, and with ?key=KEY also with who
// owns that key. Self is the ID of this instance, or "". It shows addresses, so
// it belongs on a listener that is not public.
func Handler(r *Ring, self string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method != http.MethodGet && req.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		page := describe(r, self)
		if query := req.URL.Query(); query.Has("key") {
			page.Route = describeRoute(r, self, query.Get("key"))
		}
		body, err := json.MarshalIndent(page, "", "  ")
		if err != nil {
			http.Error(w, "cannot be shown", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(append(body, '\n')) // who asked is gone; there is nobody to tell
	})
}

// The bodies of the answers.
type (
	ringBody struct {
		Version    string     `json:"version"`
		Generation uint64     `json:"generation"`
		Self       string     `json:"self,omitempty"`
		Moving     bool       `json:"moving"`
		Skew       float64    `json:"skew"`
		Nodes      []nodeBody `json:"nodes"`
		Route      *routeBody `json:"route,omitempty"`
	}
	nodeBody struct {
		ID     string  `json:"id"`
		Addr   string  `json:"addr"`
		Zone   string  `json:"zone,omitempty"`
		Weight int     `json:"weight"`
		Share  float64 `json:"share"`
		Down   bool    `json:"down"`
	}
	routeBody struct {
		Key      string `json:"key"`
		Position string `json:"position"`
		// Owner is empty where Error says why there is none.
		Owner string `json:"owner"`
		Error string `json:"error,omitempty"`
		// Mine tells whether the owner is this instance.
		Mine bool `json:"mine"`
		// Readers are the owner and those before it that may still hold the key.
		Readers []string `json:"readers"`
		// Replicas are the first nodes clockwise, the owner first.
		Replicas []string `json:"replicas"`
	}
)

func describe(r *Ring, self string) ringBody {
	v := r.current()
	page := ringBody{
		Version: v.version.String(), Generation: v.generation, Self: self,
		Moving: v.earlier != nil, Skew: v.Skew(), Nodes: []nodeBody{},
	}
	for i, share := range v.Shares() {
		n := v.nodes[i]
		page.Nodes = append(page.Nodes, nodeBody{
			ID: n.ID, Addr: n.Addr, Zone: n.Zone, Weight: n.weight(), Share: share, Down: v.isDown(uint32(i)),
		})
	}
	return page
}

// shownReplicas is the number of replicas that the page shows.
const shownReplicas = 3

func describeRoute(r *Ring, self, key string) *routeBody {
	route := &routeBody{Key: key, Position: fmt.Sprintf("%016x", r.Snapshot().Position(key))}
	readers, err := r.Readers(nil, key)
	if err != nil {
		route.Error = err.Error()
	} else {
		route.Owner = readers[0].ID
		route.Mine = self != "" && route.Owner == self
	}
	replicas, _ := r.GetN(nil, key, shownReplicas) // fewer are shown as fewer
	route.Readers, route.Replicas = ids(readers), ids(replicas)
	return route
}

func ids(nodes []Node) []string {
	ids := make([]string, len(nodes))
	for i, n := range nodes {
		ids[i] = n.ID
	}
	return ids
}
