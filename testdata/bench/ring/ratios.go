// Command ring measures the ring piece beside its peers in one run, and prints
// the figures with their ratio to the piece. Times are the best of several
// rounds in which all take turns, so that what else the machine does hits all
// alike.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/dgryski/go-jump"
	"github.com/dgryski/go-rendezvous"
	"github.com/golang/groupcache/consistenthash"
	"github.com/serialx/hashring"
	"stathat.com/c/consistent"

	"github.com/fractl/fractl/templates/pieces/ring"
)

func main() {
	rounds := flag.Int("rounds", 40, "rounds of every measurement")
	keys := flag.Int("keys", 1_000_000, "keys whose placement is counted")
	flag.Parse()
	run(os.Stdout, *rounds, *keys)
}

const (
	nodes  = 100
	vnodes = 100
)

// router is one way to place keys.
type router struct {
	name string
	// build makes it for the named nodes.
	build func(names []string) lookup
}

type lookup struct {
	get  func(key string) string
	get3 func(key string) // nil where there is no such thing
}

func routers() []router {
	return []router{
		{"ring, xxhash64", func(names []string) lookup { return ours(ring.XXHash64, vnodes, names) }},
		{"ring, murmur3", func(names []string) lookup { return ours(ring.Murmur3, vnodes, names) }},
		{"ring, 512 vnodes", func(names []string) lookup { return ours(ring.XXHash64, 512, names) }},
		{"stathat", func(names []string) lookup {
			c := consistent.New()
			c.NumberOfReplicas = vnodes
			c.Set(names)
			return lookup{
				get:  func(key string) string { n, _ := c.Get(key); return n },
				get3: func(key string) { _, _ = c.GetN(key, 3) },
			}
		}},
		{"groupcache", func(names []string) lookup {
			m := consistenthash.New(vnodes, nil)
			m.Add(names...)
			return lookup{get: m.Get}
		}},
		{"serialx", func(names []string) lookup {
			weights := map[string]int{}
			for _, n := range names {
				weights[n] = vnodes
			}
			h := hashring.NewWithWeights(weights)
			return lookup{
				get:  func(key string) string { n, _ := h.GetNode(key); return n },
				get3: func(key string) { _, _ = h.GetNodes(key, 3) },
			}
		}},
		{"rendezvous", func(names []string) lookup {
			r := rendezvous.New(names, xxhash.Sum64String)
			return lookup{get: r.Lookup}
		}},
		{"jump", func(names []string) lookup {
			return lookup{get: func(key string) string {
				return names[jump.Hash(xxhash.Sum64String(key), len(names))]
			}}
		}},
		{"modulo", func(names []string) lookup {
			return lookup{get: func(key string) string {
				return names[xxhash.Sum64String(key)%uint64(len(names))]
			}}
		}},
	}
}

func ours(hash ring.Hash, vnodes int, names []string) lookup {
	members := make([]ring.Node, len(names))
	for i, name := range names {
		members[i].ID = name
	}
	r, err := ring.New(ring.Options{Placement: ring.Placement{Hash: hash, VNodes: vnodes}}, members...)
	if err != nil {
		panic(err) // the names of this program are valid
	}
	var buf [3]ring.Node
	return lookup{
		get:  func(key string) string { n, _ := r.Get(key); return n.ID },
		get3: func(key string) { _, _ = r.GetN(buf[:0], key, 3) },
	}
}

// figures are what is measured of one router.
type figures struct {
	get, get3             time.Duration // of a thousand calls
	build                 time.Duration
	skew                  float64
	moved, strayA, strayR float64
	table                 lookup
}

func run(out io.Writer, rounds, keyCount int) {
	names := make([]string, nodes+1)
	for i := range names {
		names[i] = "node-" + strconv.Itoa(i)
	}
	keys := make([]string, keyCount)
	for i := range keys {
		keys[i] = fmt.Sprintf("key:%012d", scramble(i))
	}
	all := routers()
	results := make([]figures, len(all))
	for i, r := range all {
		results[i] = quality(r, names, keys)
	}
	few := keys[:min(len(keys), 4096)]
	for range rounds {
		for i, r := range all {
			f := &results[i]
			f.get = best(f.get, perCall(few, func(key string) { f.table.get(key) }))
			if f.table.get3 != nil {
				f.get3 = best(f.get3, perCall(few, f.table.get3))
			}
			begin := time.Now()
			r.build(names[:nodes])
			f.build = best(f.build, time.Since(begin))
		}
	}
	show(out, all, results)
}

// perCall is the time of a thousand calls, taken over at least 2 ms.
func perCall(keys []string, call func(key string)) time.Duration {
	calls := 0
	begin := time.Now()
	for time.Since(begin) < 2*time.Millisecond {
		for _, key := range keys {
			call(key)
		}
		calls += len(keys)
	}
	return time.Since(begin) * 1000 / time.Duration(calls)
}

func best(before, now time.Duration) time.Duration {
	if before == 0 {
		return now
	}
	return min(before, now)
}

// quality counts where keys are, and where they are after a node more or less.
func quality(r router, names, keys []string) figures {
	base := names[:nodes]
	without := slices.Delete(slices.Clone(base), 37, 38)
	f := figures{table: r.build(base)}
	larger, smaller := r.build(names), r.build(without)
	count := map[string]int{}
	var moved, strayA, strayR int
	for _, key := range keys {
		at, added, removed := f.table.get(key), larger.get(key), smaller.get(key)
		count[at]++
		if added != at {
			moved++
			if added != names[nodes] {
				strayA++
			}
		}
		if removed != at && at != base[37] {
			strayR++
		}
	}
	most := 0
	for _, c := range count {
		most = max(most, c)
	}
	n := float64(len(keys))
	f.skew = float64(most) * nodes / n
	f.moved, f.strayA, f.strayR = float64(moved)/n, float64(strayA)/n, float64(strayR)/n
	return f
}

func show(out io.Writer, all []router, results []figures) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tGet ns\tratio\tGetN(3) ns\tratio\tbuild ms\tmax/mean\tadded: moved\tstray\tremoved: stray\t")
	for i, f := range results {
		base := results[0]
		get3, ratio3 := "-", "-"
		if f.get3 > 0 {
			get3 = fmt.Sprintf("%.1f", float64(f.get3)/1000)
			ratio3 = fmt.Sprintf("%.1fx", float64(f.get3)/float64(base.get3))
		}
		fmt.Fprintf(w, "%s\t%.1f\t%.1fx\t%s\t%s\t%.1f\t%.2f\t%.2f%%\t%.2f%%\t%.2f%%\t\n",
			all[i].name, float64(f.get)/1000, float64(f.get)/float64(base.get), get3, ratio3,
			f.build.Seconds()*1000, f.skew, 100*f.moved, 100*f.strayA, 100*f.strayR)
	}
	_ = w.Flush() // as well as the writes before it: nobody to tell on a broken terminal
	peers := slices.MinFunc(results[3:5], func(a, b figures) int { return cmp.Compare(a.get, b.get) })
	fmt.Fprintf(out, "\nGet takes %.2f of the faster of stathat and groupcache.\n", float64(results[0].get)/float64(peers.get))
}

// scramble spreads numbers over twelve digits.
func scramble(i int) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(strconv.AppendInt(nil, int64(i), 10)) // a hash takes every write
	return h.Sum64() % 1_000_000_000_000
}
