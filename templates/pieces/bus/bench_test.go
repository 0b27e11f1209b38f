package bus

import (
	"context"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// flow publishes n events and waits until each group has handled all of them.
type flow struct {
	bus  *Bus
	left atomic.Int64
	done chan struct{}
}

func newFlow(tb testing.TB, groups int, o GroupOptions) *flow {
	f := &flow{bus: New(Options{}), done: make(chan struct{}, 1)}
	for i := range groups {
		err := f.bus.Subscribe("group-"+strconv.Itoa(i), func(context.Context, Delivery) error {
			if f.left.Add(-1) == 0 {
				f.done <- struct{}{}
			}
			return nil
		}, o)
		if err != nil {
			tb.Fatal(err)
		}
	}
	tb.Cleanup(func() {
		if _, err := f.bus.Close(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	return f
}

// run publishes events of 256 bytes with the ids from first on, and makes the ids
// while it does.
func (f *flow) run(tb testing.TB, first, n int, keys []string) {
	f.left.Store(int64(n * len(*f.bus.groups.Load())))
	e := Event{Type: "bench", Source: "bench", Payload: make([]byte, 256)}
	for i := range n {
		e.ID = strconv.Itoa(first + i)
		if len(keys) > 0 {
			e.Key = keys[i%len(keys)]
		}
		if err := f.bus.Publish(context.Background(), e); err != nil {
			tb.Fatal(err)
		}
	}
	<-f.done
}

func keyNames(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = "key-" + strconv.Itoa(i)
	}
	return keys
}

// BenchmarkBus is an event end to end, with its id, its claim and its commit. All
// are remembered to the end, as with a long retention, or each for a short while.
func BenchmarkBus(b *testing.B) {
	long := GroupOptions{}
	short := GroupOptions{Retry: Retry{Attempts: 1, Base: time.Millisecond, Max: time.Millisecond},
		Lease: minLease, Retention: minLease + time.Millisecond}
	for _, bench := range []struct {
		name         string
		groups, keys int
		options      GroupOptions
	}{
		{"one group", 1, 0, long},
		{"one group, 1 worker", 1, 0, GroupOptions{Concurrency: 1}},
		{"one group, short retention", 1, 0, short},
		{"one group, 100 keys", 1, 100, long},
		{"three groups", 3, 0, long},
	} {
		b.Run(bench.name, func(b *testing.B) {
			f := newFlow(b, bench.groups, bench.options)
			keys := keyNames(bench.keys)
			runtime.GC()
			b.ReportAllocs()
			b.ResetTimer()
			f.run(b, 0, b.N, keys)
		})
	}
}
