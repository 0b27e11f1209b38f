package kubernetes

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/fractl/fractl/templates/pieces/ring"
)

// The objects of the API, as far as they matter here. They are documented at
// https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/.
type (
	metadata struct {
		Name            string `json:"name"`
		ResourceVersion string `json:"resourceVersion"`
		Continue        string `json:"continue"`
	}
	sliceList struct {
		Metadata metadata        `json:"metadata"`
		Items    []endpointSlice `json:"items"`
	}
	endpointSlice struct {
		Metadata    metadata   `json:"metadata"`
		AddressType string     `json:"addressType"`
		Endpoints   []endpoint `json:"endpoints"`
		Ports       []port     `json:"ports"`
	}
	endpoint struct {
		Addresses  []string `json:"addresses"`
		Conditions struct {
			Ready *bool `json:"ready"` // nil counts as true
		} `json:"conditions"`
		TargetRef *struct {
			Name string `json:"name"`
		} `json:"targetRef"`
		Zone string `json:"zone"`
	}
	port struct {
		Name string `json:"name"`
		Port *int32 `json:"port"` // nil is any port
	}
	// event is a line of a watch. Its object is a slice, or where the type is
	// ERROR a status.
	event struct {
		Type   string `json:"type"`
		Object struct {
			endpointSlice
			status
		} `json:"object"`
	}
	status struct {
		Message string `json:"message"`
		Code    int    `json:"code"`
	}
)

// apply makes the slices fit the event, and tells whether they changed.
func (e *event) apply(all map[string]endpointSlice) (changed bool, err error) {
	switch e.Type {
	case "ADDED", "MODIFIED":
		all[e.Object.Metadata.Name] = e.Object.endpointSlice
		return true, nil
	case "DELETED":
		delete(all, e.Object.Metadata.Name)
		return true, nil
	case "BOOKMARK": // only tells the version
		return false, nil
	case "ERROR": // 410 where the version is too old; then the list is asked for anew
		return false, fmt.Errorf("API server tells %d: %s", e.Object.Code, e.Object.Message)
	}
	return false, fmt.Errorf("API server tells an event of type %q", e.Type)
}

// nodes returns the endpoints that are ready. A pod is in several slices where
// it has addresses of several types: then IPv4 is taken before IPv6 before a
// name, so that all who look see the same.
func nodes(all map[string]endpointSlice, portName string) []ring.Node {
	addressTypes := []string{"IPv4", "IPv6", "FQDN"}
	sorted := make([]endpointSlice, 0, len(all))
	for _, s := range all {
		sorted = append(sorted, s)
	}
	slices.SortFunc(sorted, func(a, b endpointSlice) int {
		return cmp.Or(
			cmp.Compare(slices.Index(addressTypes, a.AddressType), slices.Index(addressTypes, b.AddressType)),
			cmp.Compare(a.Metadata.Name, b.Metadata.Name),
		)
	})
	var nodes []ring.Node
	seen := make(map[string]bool)
	for _, s := range sorted {
		number, ok := s.port(portName)
		if !ok {
			continue
		}
		for _, e := range s.Endpoints {
			n, ok := e.node(number)
			if !ok || seen[n.ID] {
				continue
			}
			seen[n.ID] = true
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// port returns the number of the port with the name, or of the first one.
func (s endpointSlice) port(name string) (int32, bool) {
	for _, p := range s.Ports {
		if p.Port != nil && (name == "" || p.Name == name) {
			return *p.Port, true
		}
	}
	return 0, false
}

// node returns the node of an endpoint that is ready. Its ID is the name of the
// pod where there is one: in a StatefulSet it stays when the address changes,
// and so do the keys.
func (e endpoint) node(port int32) (ring.Node, bool) {
	if len(e.Addresses) == 0 || e.Conditions.Ready != nil && !*e.Conditions.Ready {
		return ring.Node{}, false
	}
	addr := net.JoinHostPort(e.Addresses[0], strconv.Itoa(int(port)))
	n := ring.Node{ID: addr, Addr: addr, Zone: e.Zone}
	if e.TargetRef != nil && e.TargetRef.Name != "" {
		n.ID = e.TargetRef.Name
	}
	return n, true
}
