package shard

import (
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fractl/fractl/templates/pieces/ring"
)

// GuardOptions are the terms of a guard.
type GuardOptions struct {
	// Self is the ID of this instance.
	Self string
	// Key tells the key of a request, and false where it has none; such a
	// request is let through.
	Key func(*http.Request) (key string, ok bool)
	// Replicas is the number of nodes that serve a key; 0 means 1, the owner.
	Replicas int
	// Metrics is where what is amiss is counted; nil means nowhere.
	Metrics prometheus.Registerer
}

// Guard lets those requests through to next whose key this instance serves, and
// answers others with 421 Misdirected Request, upon which a Transport asks the
// next node. A read is let through too where this instance was the owner before
// a change, as long as the ring's transition lasts. It counts the requests of
// senders whose ring has another version: a few are normal at a change, many
// for long mean a fleet with mixed configurations.
func Guard(r *ring.Ring, o GuardOptions, next http.Handler) (http.Handler, error) {
	if o.Self == "" || o.Key == nil || o.Replicas < 0 {
		return nil, fmt.Errorf("shard: guard needs Self and Key, and Replicas of 1 or more")
	}
	o.Replicas = max(o.Replicas, 1)
	g := &guard{ring: r, opts: o, next: next,
		refused:    prometheus.NewCounter(prometheus.CounterOpts{Name: "ring_server_misdirected_total", Help: "Requests refused because another node serves their key."}),
		mismatched: prometheus.NewCounter(prometheus.CounterOpts{Name: "ring_server_version_mismatches_total", Help: "Requests of senders whose ring has another version."}),
	}
	if o.Metrics != nil {
		for _, c := range []prometheus.Collector{g.refused, g.mismatched} {
			if err := o.Metrics.Register(c); err != nil {
				return nil, fmt.Errorf("shard: metrics: %w", err)
			}
		}
	}
	return g, nil
}

type guard struct {
	ring                *ring.Ring
	opts                GuardOptions
	next                http.Handler
	refused, mismatched prometheus.Counter
}

func (g *guard) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	own := g.ring.Snapshot().Version().String()
	if theirs := req.Header.Get(VersionHeader); theirs != "" && theirs != own {
		g.mismatched.Inc()
	}
	w.Header().Set(VersionHeader, own)
	if key, ok := g.opts.Key(req); ok && !g.serves(key, reads(req)) {
		g.refused.Inc()
		http.Error(w, "another node serves this key", http.StatusMisdirectedRequest)
		return
	}
	g.next.ServeHTTP(w, req)
}

// serves tells whether this instance serves the key. Where the ring has no
// nodes or too few, nobody knows better than the sender.
func (g *guard) serves(key string, read bool) bool {
	var buf [8]ring.Node
	nodes, err := g.ring.Snapshot().GetN(buf[:0], key, g.opts.Replicas)
	if len(nodes) == 0 && err != nil || g.has(nodes) {
		return true
	}
	if !read {
		return false
	}
	nodes, err = g.ring.Readers(buf[:0], key)
	return err == nil && g.has(nodes)
}

func (g *guard) has(nodes []ring.Node) bool {
	for _, n := range nodes {
		if n.ID == g.opts.Self {
			return true
		}
	}
	return false
}
