// Command bus measures the bus piece beside its peers in one run, and prints the
// figures with their ratio to the piece: an event of 256 bytes end to end, from
// its publisher to a handler that counts it. Times are the best of several rounds
// in which all take turns, so that what else the machine does hits all alike.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"
	"github.com/ThreeDotsLabs/watermill/pubsub/gochannel"
	"github.com/asaskevich/EventBus"
	"github.com/cskr/pubsub/v2"

	"github.com/fractl/fractl/templates/pieces/bus"
)

func main() {
	rounds := flag.Int("rounds", 7, "rounds of every measurement")
	events := flag.Int("events", 100_000, "events of a round")
	flag.Parse()
	if err := run(os.Stdout, *rounds, *events); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// carrier is one way to carry events to a number of groups.
type carrier struct {
	name string
	// open starts it; each event that a group handles is told to handled.
	open func(groups int, handled func()) (publish func(id string), end func())
}

func carriers() []carrier {
	return []carrier{
		{"bus, claim and commit", func(groups int, handled func()) (func(string), func()) { return piece(groups, "", handled) }},
		{"bus, 1 key", func(groups int, handled func()) (func(string), func()) { return piece(groups, "key", handled) }},
		{"plain channels", channels},
		{"cskr/pubsub", cskr},
		{"asaskevich/EventBus, in the caller", asaskevich},
		{"watermill GoChannel, blocking", func(groups int, handled func()) (func(string), func()) {
			return goChannel(gochannel.Config{BlockPublishUntilSubscriberAck: true}, groups, handled)
		}},
		{"watermill GoChannel", func(groups int, handled func()) (func(string), func()) {
			return goChannel(gochannel.Config{OutputChannelBuffer: 1024}, groups, handled)
		}},
		{"watermill router, GoChannel, deduplicator", router},
	}
}

func run(out io.Writer, rounds, events int) error {
	for _, groups := range []int{1, 3} {
		all := carriers()
		best := make([]result, len(all))
		for round := range rounds {
			for i, c := range all {
				if groups > 1 && c.name == "watermill router, GoChannel, deduplicator" {
					continue
				}
				r := measure(c, groups, events)
				if round == 0 || r.ns < best[i].ns {
					best[i] = r
				}
			}
		}
		fmt.Fprintf(out, "%d groups, %d events, the best of %d rounds\n\n", groups, events, rounds)
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "carrier\tns an event\tratio\tallocations\tgoroutines")
		for i, c := range all {
			if best[i].ns > 0 {
				fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.1f\t%d\n", c.name, best[i].ns, best[i].ns/best[0].ns, best[i].allocs, best[i].goroutines)
			}
		}
		if err := w.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(out)
	}
	return faults(out)
}

type result struct {
	ns, allocs float64
	goroutines int // most at a time
}

func measure(c carrier, groups, events int) result {
	var left atomic.Int64
	done := make(chan struct{})
	left.Store(int64(events * groups))
	publish, end := c.open(groups, func() {
		if left.Add(-1) == 0 {
			close(done)
		}
	})
	defer end()
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	most := 0
	begin := time.Now()
	for i := range events {
		publish(strconv.Itoa(i))
		if i%1024 == 0 {
			most = max(most, runtime.NumGoroutine())
		}
	}
	<-done
	took := time.Since(begin)
	runtime.ReadMemStats(&after)
	return result{ns: float64(took.Nanoseconds()) / float64(events), allocs: float64(after.Mallocs-before.Mallocs) / float64(events), goroutines: most}
}

var payload = make([]byte, 256)

var ctx = context.Background()

func piece(groups int, key string, handled func()) (func(string), func()) {
	b := bus.New(bus.Options{Log: slog.New(slog.DiscardHandler)})
	for i := range groups {
		must(b.Subscribe("group-"+strconv.Itoa(i), func(context.Context, bus.Delivery) error { handled(); return nil }, bus.GroupOptions{}))
	}
	publish := func(id string) {
		must(b.Publish(ctx, bus.Event{ID: id, Type: "t", Source: "s", Key: key, Payload: payload}))
	}
	return publish, func() {
		undelivered, err := b.Close(ctx)
		must(err)
		if undelivered > 0 {
			panic("undelivered")
		}
	}
}

func channels(groups int, handled func()) (func(string), func()) {
	var all []chan bus.Event
	for range groups {
		c := make(chan bus.Event, 1024)
		all = append(all, c)
		go func() {
			for range c {
				handled()
			}
		}()
	}
	publish := func(id string) {
		for _, c := range all {
			c <- bus.Event{ID: id, Type: "t", Payload: payload}
		}
	}
	return publish, func() {
		for _, c := range all {
			close(c)
		}
	}
}

func cskr(groups int, handled func()) (func(string), func()) {
	ps := pubsub.New[string, bus.Event](1024)
	for range groups {
		c := ps.Sub("topic")
		go func() {
			for range c {
				handled()
			}
		}()
	}
	return func(id string) { ps.Pub(bus.Event{ID: id, Type: "t", Payload: payload}, "topic") }, ps.Shutdown
}

func asaskevich(groups int, handled func()) (func(string), func()) {
	b := EventBus.New()
	for range groups {
		must(b.Subscribe("topic", func(bus.Event) { handled() }))
	}
	return func(id string) { b.Publish("topic", bus.Event{ID: id, Type: "t", Payload: payload}) }, func() {}
}

func goChannel(c gochannel.Config, groups int, handled func()) (func(string), func()) {
	ps := gochannel.NewGoChannel(c, watermill.NopLogger{})
	for range groups {
		messages, err := ps.Subscribe(ctx, "topic")
		must(err)
		go func() {
			for m := range messages {
				handled()
				m.Ack()
			}
		}()
	}
	return func(id string) { must(ps.Publish("topic", message.NewMessage(id, payload))) }, func() { must(ps.Close()) }
}

// router is what comes nearest to the piece: a router with recovery and a
// deduplicator, by the id of the message.
func router(_ int, handled func()) (func(string), func()) {
	ps := gochannel.NewGoChannel(gochannel.Config{BlockPublishUntilSubscriberAck: true}, watermill.NopLogger{})
	r, err := message.NewRouter(message.RouterConfig{}, watermill.NopLogger{})
	must(err)
	seen, err := middleware.NewMapExpiringKeyRepository(time.Hour)
	must(err)
	byID := &middleware.Deduplicator{KeyFactory: func(m *message.Message) (string, error) { return m.UUID, nil }, Repository: seen, Timeout: time.Second}
	r.AddMiddleware(middleware.Recoverer, byID.Middleware)
	r.AddConsumerHandler("handler", "topic", ps, func(*message.Message) error { handled(); return nil })
	go func() { must(r.Run(ctx)) }()
	<-r.Running()
	return func(id string) { must(ps.Publish("topic", message.NewMessage(id, payload))) }, func() { must(r.Close()); must(ps.Close()) }
}

// faults shows what each does with an event that fails, and with one that waits.
func faults(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "an event that always fails, for one second; 10,000 events for a group that is stuck")
	fmt.Fprintln(w)
	fmt.Fprintln(w, "carrier\tattempts\tgoroutines more")
	for _, c := range []struct {
		name     string
		attempts func() int64
		stuck    func() int
	}{
		{"bus, back-off 100 ms", pieceFails, pieceStuck},
		{"watermill GoChannel", goChannelFails, goChannelStuck},
	} {
		fmt.Fprintf(w, "%s\t%d\t%d\n", c.name, c.attempts(), c.stuck())
	}
	return w.Flush()
}

func pieceFails() int64 {
	var attempts atomic.Int64
	b := bus.New(bus.Options{Log: slog.New(slog.DiscardHandler)})
	must(b.Subscribe("g", func(context.Context, bus.Delivery) error { attempts.Add(1); return fmt.Errorf("no") },
		bus.GroupOptions{Retry: bus.Retry{Attempts: 1000, Base: 100 * time.Millisecond, Max: 100 * time.Millisecond}}))
	must(b.Publish(ctx, bus.Event{ID: "e", Type: "t"}))
	time.Sleep(time.Second)
	n := attempts.Load()
	ended, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	_, err := b.Close(ended)
	must(err)
	return n
}

func goChannelFails() int64 {
	var attempts atomic.Int64
	ps := gochannel.NewGoChannel(gochannel.Config{}, watermill.NopLogger{})
	messages, err := ps.Subscribe(ctx, "topic")
	must(err)
	go func() {
		for m := range messages {
			attempts.Add(1)
			m.Nack()
		}
	}()
	must(ps.Publish("topic", message.NewMessage("e", payload)))
	time.Sleep(time.Second)
	n := attempts.Load()
	must(ps.Close())
	return n
}

func pieceStuck() int {
	release := make(chan struct{})
	b := bus.New(bus.Options{Log: slog.New(slog.DiscardHandler)})
	must(b.Subscribe("g", func(context.Context, bus.Delivery) error { <-release; return nil }, bus.GroupOptions{Queue: 20_000}))
	before := runtime.NumGoroutine()
	for i := range 10_000 {
		must(b.Publish(ctx, bus.Event{ID: strconv.Itoa(i), Type: "t"}))
	}
	more := runtime.NumGoroutine() - before
	close(release)
	_, err := b.Close(ctx)
	must(err)
	return more
}

func goChannelStuck() int {
	ps := gochannel.NewGoChannel(gochannel.Config{}, watermill.NopLogger{})
	stuck, cancel := context.WithCancel(ctx)
	_, err := ps.Subscribe(stuck, "topic")
	must(err)
	before := runtime.NumGoroutine()
	for i := range 10_000 {
		must(ps.Publish("topic", message.NewMessage(strconv.Itoa(i), payload)))
	}
	more := runtime.NumGoroutine() - before
	cancel()
	must(ps.Close())
	return more
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
