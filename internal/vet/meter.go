package vet

import (
	"cmp"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"time"
)

// Cost is what one analyzer took in a run: a rule, or what several rules build
// on.
type Cost struct {
	Name string
	// Packages is how many it ran on.
	Packages int
	// CPU is processor time of its thread; that of the garbage collector is
	// not in it.
	CPU time.Duration
	// Allocated counts bytes, most of which are free again when it ends.
	Allocated uint64
}

// meter adds up costs. It is for one goroutine at a time, and nil measures
// nothing.
type meter struct {
	byName map[string]*Cost
	bytes  []metrics.Sample
}

func newMeter() *meter {
	return &meter{byName: make(map[string]*Cost), bytes: []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}}
}

// start begins to measure one run of an analyzer, and returns what ends that.
func (m *meter) start(name string) (stop func()) {
	if m == nil {
		return func() {}
	}
	runtime.LockOSThread() // whose time is measured
	bytes, cpu := m.allocated(), threadTime()
	return func() {
		c := m.byName[name]
		if c == nil {
			c = &Cost{Name: name}
			m.byName[name] = c
		}
		c.Packages++
		c.CPU += threadTime() - cpu
		c.Allocated += m.allocated() - bytes
		runtime.UnlockOSThread()
	}
}

func (m *meter) allocated() uint64 {
	metrics.Read(m.bytes)
	return m.bytes[0].Value.Uint64()
}

func (m *meter) costs() []Cost {
	var list []Cost
	for _, c := range m.byName {
		list = append(list, *c)
	}
	slices.SortFunc(list, func(a, b Cost) int {
		return cmp.Or(cmp.Compare(b.CPU, a.CPU), strings.Compare(a.Name, b.Name))
	})
	return list
}
