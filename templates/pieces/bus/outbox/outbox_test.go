package outbox_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fractl/fractl/templates/pieces/bus"
	"github.com/fractl/fractl/templates/pieces/bus/bustest"
	"github.com/fractl/fractl/templates/pieces/bus/outbox"
	"github.com/fractl/fractl/templates/pieces/store"
)

const migrations = "../testdata/migrations"

var quiet = slog.New(slog.DiscardHandler)

func TestGraveyard(t *testing.T) {
	bustest.OnDatabases(t, migrations, func(t *testing.T, open func() *store.DB) {
		db := open()
		bustest.TestGraveyard(t, func(t *testing.T) bus.Graveyard {
			if _, err := db.Writer().ExecContext(t.Context(), `DELETE FROM bus_dead_letters`); err != nil {
				t.Fatal(err)
			}
			return outbox.New(db, outbox.Options{Log: quiet}).Graveyard()
		})
	})
}

// process is a bus with an outbox, as in a program.
type process struct {
	box  *outbox.Outbox
	bus  *bus.Bus
	halt func()
}

// run starts a process on a database; subscribe makes its groups.
func run(t *testing.T, db *store.DB, subscribe func(b *bus.Bus)) *process {
	t.Helper()
	box := outbox.New(db, outbox.Options{Poll: 20 * time.Millisecond, Lease: time.Second, Log: quiet})
	p := &process{box: box, bus: bus.New(bus.Options{Graveyard: box.Graveyard(), Log: quiet})}
	subscribe(p.bus)
	ctx, stop := context.WithCancel(context.Background())
	var relay sync.WaitGroup
	relay.Go(func() {
		if err := box.Relay(ctx, p.bus); err != nil {
			t.Errorf("relay: %v", err)
		}
	})
	p.halt = sync.OnceFunc(func() {
		stop()
		relay.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if _, err := p.bus.Close(ctx); err != nil {
			t.Errorf("close the bus: %v", err)
		}
		if err := box.Close(ctx); err != nil {
			t.Errorf("close the outbox: %v", err)
		}
	})
	t.Cleanup(p.halt)
	return p
}

func subscribe(t *testing.T, b *bus.Bus, group string, h bus.Handler, o bus.GroupOptions) {
	t.Helper()
	if err := b.Subscribe(group, h, o); err != nil {
		t.Fatal(err)
	}
}

func appendAll(t *testing.T, db *store.DB, box *outbox.Outbox, events ...bus.Event) {
	t.Helper()
	err := db.InTx(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		for _, e := range events {
			if err := box.Append(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

func empty(t *testing.T, box *outbox.Outbox) func() bool {
	return func() bool {
		n, err := box.Len(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n == 0
	}
}

// list notes ids.
type list struct {
	mu  sync.Mutex
	ids []string
}

func (l *list) handler(_ context.Context, d bus.Delivery) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ids = append(l.ids, d.ID)
	return nil
}

func (l *list) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.ids)
}

// TestOnlyWhatIsCommitted is published, in order, and leaves the outbox.
func TestOnlyWhatIsCommitted(t *testing.T) {
	bustest.OnDatabases(t, migrations, func(t *testing.T, open func() *store.DB) {
		db := open()
		var got list
		p := run(t, db, func(b *bus.Bus) { subscribe(t, b, "one", got.handler, bus.GroupOptions{}) })
		undone := errors.New("undone")
		err := db.InTx(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
			return errors.Join(p.box.Append(ctx, tx, bus.Event{ID: "undone", Type: "t"}), undone)
		})
		if !errors.Is(err, undone) {
			t.Fatal(err)
		}
		var want []string
		for i := range 600 { // more than a batch
			want = append(want, fmt.Sprint(i))
		}
		for part := range slices.Chunk(want, 100) {
			var events []bus.Event
			for _, id := range part {
				events = append(events, bus.Event{ID: id, Type: "t", Key: "k"})
			}
			appendAll(t, db, p.box, events...)
		}
		eventually(t, "all are handled", func() bool { return len(got.all()) >= len(want) })
		if ids := got.all(); !slices.Equal(ids, want) {
			t.Errorf("handled %v", ids)
		}
		eventually(t, "the outbox is empty", empty(t, p.box))
	})
}

// TestSlowCommit: an event of this process is published soon after its commit, even
// if that comes long after Append.
func TestSlowCommit(t *testing.T) {
	bustest.OnDatabases(t, migrations, func(t *testing.T, open func() *store.DB) {
		db := open()
		var got list
		box := outbox.New(db, outbox.Options{Poll: time.Hour, Log: quiet})
		b := bus.New(bus.Options{Log: quiet})
		subscribe(t, b, "one", got.handler, bus.GroupOptions{})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- box.Relay(ctx, b) }()
		err := db.InTx(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
			defer time.Sleep(50 * time.Millisecond)
			return box.Append(ctx, tx, bus.Event{ID: "e", Type: "t"})
		})
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "it is published", func() bool { return len(got.all()) == 1 })
		stop()
		if err := errors.Join(<-done, second(b.Close(t.Context())), box.Close(t.Context())); err != nil {
			t.Error(err)
		}
	})
}

func second(_ int, err error) error { return err }

func TestAppendRefuses(t *testing.T) {
	bustest.OnDatabases(t, migrations, func(t *testing.T, open func() *store.DB) {
		db := open()
		box := outbox.New(db, outbox.Options{})
		err := db.InTx(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
			return box.Append(ctx, tx, bus.Event{Type: "t"})
		})
		if err == nil {
			t.Error("an event without an id is taken")
		}
	})
}

// TestUnhandledStays: an event in memory is in the outbox until all groups are done
// with it, and comes again in the next process.
func TestUnhandledStays(t *testing.T) {
	bustest.OnDatabases(t, migrations, func(t *testing.T, open func() *store.DB) {
		db := open()
		var fast, slow list
		begun := make(chan struct{}, 1)
		first := run(t, db, func(b *bus.Bus) {
			subscribe(t, b, "fast", fast.handler, bus.GroupOptions{})
			subscribe(t, b, "slow", func(ctx context.Context, _ bus.Delivery) error {
				begun <- struct{}{}
				return errors.New("not now")
			}, bus.GroupOptions{Retry: bus.Retry{Attempts: 3, Base: time.Hour, Max: time.Hour}})
		})
		appendAll(t, db, first.box, bus.Event{ID: "e", Type: "t"})
		<-begun
		eventually(t, "the fast group is done", func() bool { return len(fast.all()) == 1 })
		first.halt()
		second := run(t, db, func(b *bus.Bus) { subscribe(t, b, "slow", slow.handler, bus.GroupOptions{}) })
		eventually(t, "it is handled after all", func() bool { return len(slow.all()) == 1 })
		eventually(t, "the outbox is empty", empty(t, second.box))
	})
}

// TestOneRelays: two processes share an outbox, and one publishes at a time; when
// it ends, the other goes on.
func TestOneRelays(t *testing.T) {
	bustest.OnDatabases(t, migrations, func(t *testing.T, open func() *store.DB) {
		var one, two list
		first := run(t, open(), func(b *bus.Bus) { subscribe(t, b, "g", one.handler, bus.GroupOptions{}) })
		db := open()
		appendAll(t, db, first.box, bus.Event{ID: "a", Type: "t"})
		eventually(t, "the first relays", func() bool { return len(one.all()) == 1 })
		second := run(t, db, func(b *bus.Bus) { subscribe(t, b, "g", two.handler, bus.GroupOptions{}) })
		for i := range 50 {
			appendAll(t, db, second.box, bus.Event{ID: fmt.Sprint(i), Type: "t"})
		}
		eventually(t, "the outbox is empty", empty(t, second.box))
		if len(one.all()) != 51 || len(two.all()) != 0 {
			t.Errorf("the first handled %d, the second %d", len(one.all()), len(two.all()))
		}
		first.halt()
		appendAll(t, db, second.box, bus.Event{ID: "z", Type: "t"})
		eventually(t, "the second relays", func() bool { return len(two.all()) == 1 })
	})
}

// TestReplayGoesThroughTheOutbox and to the one group alone.
func TestReplayGoesThroughTheOutbox(t *testing.T) {
	bustest.OnDatabases(t, migrations, func(t *testing.T, open func() *store.DB) {
		db := open()
		var good, other list
		bad := true
		p := run(t, db, func(b *bus.Bus) {
			subscribe(t, b, "other", other.handler, bus.GroupOptions{})
			subscribe(t, b, "one", func(ctx context.Context, d bus.Delivery) error {
				if bad {
					return bus.Permanent(errors.New("no"))
				}
				return good.handler(ctx, d)
			}, bus.GroupOptions{Concurrency: 1})
		})
		appendAll(t, db, p.box, bus.Event{ID: "e", Type: "t"})
		eventually(t, "it is buried, and the outbox is empty", empty(t, p.box))
		letters, err := p.bus.DeadLetters(t.Context(), "one", "", 10)
		if err != nil || len(letters) != 1 || letters[0].Cause != "no" {
			t.Fatalf("letters = %+v, %v", letters, err)
		}
		bad = false
		if err := p.bus.Replay(t.Context(), "one", "e"); err != nil {
			t.Fatal(err)
		}
		if err := p.bus.Replay(t.Context(), "one", "e"); !errors.Is(err, bus.ErrNotFound) {
			t.Errorf("the second replay = %v", err)
		}
		eventually(t, "it is handled", func() bool { return len(good.all()) == 1 })
		eventually(t, "the outbox is empty again", empty(t, p.box))
		if n := len(other.all()); n != 1 {
			t.Errorf("the other group got it %d times", n)
		}
	})
}
