package ring_test

import (
	"fmt"
	"testing"

	"github.com/fractl/fractl/templates/pieces/ring"
)

// Figures to expect on one core of a small machine: Get 20 ns, GetN of three
// 40 ns, a rebuild 1 ms.

func BenchmarkGet(b *testing.B) {
	for _, hash := range []ring.Hash{ring.XXHash64, ring.Murmur3} {
		for _, vnodes := range []int{100, 512} {
			b.Run(fmt.Sprintf("%s/100x%d", hash, vnodes), func(b *testing.B) {
				r := newRing(b, ring.Options{Placement: ring.Placement{Hash: hash, VNodes: vnodes}}, fleet(100, "node-%d")...)
				benchGet(b, r)
			})
		}
	}
	b.Run("one down", func(b *testing.B) {
		r := newRing(b, ring.Options{}, fleet(100, "node-%d")...)
		r.MarkDown("node-7", 0)
		benchGet(b, r)
	})
}

func benchGet(b *testing.B, r *ring.Ring) {
	all := keys(1 << 12)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := r.Get(all[i%len(all)]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGetParallel(b *testing.B) {
	r := newRing(b, ring.Options{}, fleet(100, "node-%d")...)
	all := keys(1 << 12)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if _, err := r.Get(all[i%len(all)]); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkGetN3(b *testing.B) {
	nodes := fleet(100, "node-%d")
	for i := range nodes {
		nodes[i].Zone = fmt.Sprint(i % 5)
	}
	r := newRing(b, ring.Options{}, nodes...)
	all := keys(1 << 12)
	for name, getN := range map[string]func([]ring.Node, string, int) ([]ring.Node, error){"nodes": r.GetN, "zones": r.GetNZones} {
		b.Run(name, func(b *testing.B) {
			var buf [3]ring.Node
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := getN(buf[:0], all[i%len(all)], 3); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkReadersWhileMoving(b *testing.B) {
	r := newRing(b, ring.Options{Transition: 1 << 60}, fleet(100, "node-%d")...)
	if _, err := r.Set(fleet(101, "node-%d")); err != nil {
		b.Fatal(err)
	}
	all := keys(1 << 12)
	var buf [4]ring.Node
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := r.Readers(buf[:0], all[i%len(all)]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRebuild(b *testing.B) {
	for _, vnodes := range []int{100, 512} {
		b.Run(fmt.Sprintf("100x%d", vnodes), func(b *testing.B) {
			nodes := fleet(100, "node-%d")
			b.ReportAllocs()
			for b.Loop() {
				snapshot(b, ring.Placement{VNodes: vnodes}, nodes...)
			}
		})
	}
}

func BenchmarkDiff(b *testing.B) {
	old, now := snapshot(b, ring.Placement{}, fleet(100, "node-%d")...), snapshot(b, ring.Placement{}, fleet(101, "node-%d")...)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ring.Diff(old, now); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBounded(b *testing.B) {
	bounded := newBounded(b, newRing(b, ring.Options{}, fleet(100, "node-%d")...), 1.25)
	all := keys(1 << 12)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		acquire(b, bounded, all[i%len(all)]).Release()
	}
}

func TestLookupsAllocateNothing(t *testing.T) {
	nodes := fleet(100, "node-%d")
	for i := range nodes {
		nodes[i].Zone = fmt.Sprint(i % 20)
	}
	for _, hash := range []ring.Hash{ring.XXHash64, ring.Murmur3} {
		r := newRing(t, ring.Options{Placement: ring.Placement{Hash: hash}, Transition: 1 << 60}, nodes[:99]...)
		if _, err := r.Set(nodes); err != nil {
			t.Fatal(err)
		}
		for _, state := range []string{"all up", "one down"} {
			var buf [16]ring.Node
			for name, f := range map[string]func() error{
				"Get":       func() error { return second(r.Get("key:00000001")) },
				"GetN":      func() error { return second(r.GetN(buf[:0], "key:00000001", 16)) },
				"GetNZones": func() error { return second(r.GetNZones(buf[:0], "key:00000001", 16)) },
				"Readers":   func() error { return second(r.Readers(buf[:0], "key:00000001")) },
			} {
				allocs := testing.AllocsPerRun(100, func() {
					if err := f(); err != nil {
						t.Error(err)
					}
				})
				if allocs != 0 {
					t.Errorf("%s with %s, %s: %v allocations", name, hash, state, allocs)
				}
			}
			r.MarkDown("node-7", 0)
		}
	}
	b := newBounded(t, newRing(t, ring.Options{}, nodes...), 1.25)
	if allocs := testing.AllocsPerRun(100, func() { acquire(t, b, "key").Release() }); allocs > 1 {
		t.Errorf("a lease of a bounded load: %v allocations", allocs)
	}
}
