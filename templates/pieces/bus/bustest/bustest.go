// Package bustest holds the tests that every engine, every claims store and every
// graveyard of package bus passes.
package bustest

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fractl/fractl/templates/pieces/bus"
)

// Place is where the events of one test are kept.
type Place struct {
	// Connect returns an engine, each time a further one on the same events, as
	// further processes would. It may return nil for memory.
	Connect func(t *testing.T) bus.Engine
	// Durable is true where events outlive the bus that published them.
	Durable bool
	// Takeover is how long it takes at most until the events of a process that
	// died come to another one.
	Takeover time.Duration
}

// limit is how long a test waits for what has to happen.
const limit = 30 * time.Second

// eventually waits until is returns true.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", limit, what)
		}
	}
}

// open returns a bus over the place, which the test closes at its end if nobody
// has.
func open(t *testing.T, p Place, o bus.Options) *bus.Bus {
	t.Helper()
	o.Engine = p.Connect(t)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	b := bus.New(o)
	t.Cleanup(func() { closeBus(t, b, 5*time.Second) })
	return b
}

// closeBus closes a bus within a time and returns what it says.
func closeBus(t *testing.T, b *bus.Bus, within time.Duration) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	undelivered, err := b.Close(ctx)
	if err != nil {
		t.Errorf("close: %v", err)
	}
	return undelivered
}

// subscribe makes a group and waits until it gets events.
func subscribe(t *testing.T, b *bus.Bus, group string, h bus.Handler, o bus.GroupOptions) {
	t.Helper()
	if err := b.Subscribe(group, h, o); err != nil {
		t.Fatal(err)
	}
	ready(t, b)
}

// ready waits until the groups are known to the engine.
func ready(t *testing.T, b *bus.Bus) {
	t.Helper()
	eventually(t, "the bus is ready", func() bool { return b.Check(t.Context()) == nil })
}

func publish(t *testing.T, b *bus.Bus, events ...bus.Event) {
	t.Helper()
	for _, e := range events {
		if err := b.Publish(t.Context(), e); err != nil {
			t.Fatalf("publish %s: %v", e.ID, err)
		}
	}
}

// event makes one event.
func event(id, key string) bus.Event {
	return bus.Event{ID: id, Type: "test.happened", Source: "bustest", Key: key}
}

// events makes n events with ids from prefix-0 on and keys in turn.
func events(prefix string, n, keys int) []bus.Event {
	list := make([]bus.Event, n)
	for i := range list {
		key := ""
		if keys > 0 {
			key = fmt.Sprintf("key-%d", i%keys)
		}
		list[i] = event(fmt.Sprintf("%s-%d", prefix, i), key)
	}
	return list
}

// quick is a policy for tests that count attempts.
func quick(attempts int) bus.GroupOptions {
	return bus.GroupOptions{Retry: bus.Retry{Attempts: attempts, Base: 20 * time.Millisecond, Max: 200 * time.Millisecond}}
}

// record notes what a handler has got. It is safe for concurrent use.
type record struct {
	mu   sync.Mutex
	list []bus.Delivery
	at   []time.Time
}

func (r *record) add(d bus.Delivery) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, d)
	r.at = append(r.at, time.Now())
}

// handler notes everything and returns nil.
func (r *record) handler(_ context.Context, d bus.Delivery) error {
	r.add(d)
	return nil
}

func (r *record) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.list)
}

func (r *record) ids() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var ids []string
	for _, d := range r.list {
		ids = append(ids, d.ID)
	}
	return ids
}

func (r *record) all() []bus.Delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.list)
}

func (r *record) times() []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.at)
}

// once tells which ids are missing from r or are in it several times.
func (r *record) once(want []bus.Event) error {
	times := map[string]int{}
	for _, id := range r.ids() {
		times[id]++
	}
	var missing, several []string
	for _, e := range want {
		switch times[e.ID] {
		case 0:
			missing = append(missing, e.ID)
		case 1:
		default:
			several = append(several, e.ID)
		}
		delete(times, e.ID)
	}
	if len(missing)+len(several)+len(times) > 0 {
		return fmt.Errorf("missing %v, several times %v, unknown %v", missing, several, times)
	}
	return nil
}
