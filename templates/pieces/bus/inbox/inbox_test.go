package inbox_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fractl/fractl/templates/pieces/bus"
	"github.com/fractl/fractl/templates/pieces/bus/bustest"
	"github.com/fractl/fractl/templates/pieces/bus/inbox"
	"github.com/fractl/fractl/templates/pieces/store"
)

const migrations = "../testdata/migrations"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestClaims(t *testing.T) {
	bustest.OnDatabases(t, migrations, func(t *testing.T, open func() *store.DB) {
		db := open()
		bustest.TestClaims(t, func(t *testing.T) bus.Claims {
			if _, err := db.Writer().ExecContext(t.Context(), `DELETE FROM bus_inbox`); err != nil {
				t.Fatal(err)
			}
			return inbox.New(db)
		})
	})
}

// effects is a table that every handling of an event adds a row to.
func effects(t *testing.T, db *store.DB) {
	t.Helper()
	if _, err := db.Writer().ExecContext(t.Context(), `CREATE TABLE effects (id TEXT NOT NULL)`); err != nil {
		t.Fatal(err)
	}
}

func add(ctx context.Context, tx *sql.Tx, d bus.Delivery) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO effects (id) VALUES ($1)`, d.ID)
	return err
}

func wantEffects(t *testing.T, db *store.DB, want int) {
	t.Helper()
	var rows, ids int
	err := db.Reader().QueryRowContext(t.Context(), `SELECT count(*), count(DISTINCT id) FROM effects`).Scan(&rows, &ids)
	if err != nil || rows != want || ids != want {
		t.Errorf("%d effects of %d events, want %d of each (%v)", rows, ids, want, err)
	}
}

func delivery(id string) bus.Delivery {
	return bus.Delivery{Event: bus.Event{ID: id, Type: "t"}, Group: "g", Attempt: 1, Token: bus.Token{Hi: 1, Lo: 2}, Retention: time.Hour}
}

// TestEffectOnce has several processes handle the same events at the same time,
// without claims that would keep them apart.
func TestEffectOnce(t *testing.T) {
	bustest.OnDatabases(t, migrations, func(t *testing.T, open func() *store.DB) {
		first := open()
		effects(t, first)
		const events = 40
		var wg sync.WaitGroup
		for n := range 4 {
			db := first
			if n > 0 {
				db = open()
			}
			handle := inbox.New(db).Handler(add)
			wg.Go(func() {
				for i := range events {
					d := delivery(fmt.Sprint(i))
					d.Token = bus.Token{Hi: uint64(n), Lo: uint64(i)}
					if err := handle(t.Context(), d); err != nil {
						t.Errorf("process %d, event %d: %v", n, i, err)
					}
				}
			})
		}
		wg.Wait()
		wantEffects(t, first, events)
	})
}

func TestFailureUndoesTheNote(t *testing.T) {
	bustest.OnDatabases(t, migrations, func(t *testing.T, open func() *store.DB) {
		db := open()
		effects(t, db)
		box := inbox.New(db)
		failure := errors.New("failure")
		calls := 0
		handle := box.Handler(func(ctx context.Context, tx *sql.Tx, d bus.Delivery) error {
			calls++
			if err := add(ctx, tx, d); err != nil {
				return err
			}
			if calls == 1 {
				return bus.Permanent(failure)
			}
			return nil
		})
		if err := handle(t.Context(), delivery("e")); !errors.Is(err, failure) || !bus.IsPermanent(err) {
			t.Errorf("the first = %v, want what the handler returned", err)
		}
		wantEffects(t, db, 0)
		for range 3 {
			if err := handle(t.Context(), delivery("e")); err != nil {
				t.Error(err)
			}
		}
		if wantEffects(t, db, 1); calls != 2 {
			t.Errorf("%d calls, want 2", calls)
		}
	})
}

// TestHandlerUnderAClaim uses one inbox as claims and for the handler.
func TestHandlerUnderAClaim(t *testing.T) {
	bustest.OnDatabases(t, migrations, func(t *testing.T, open func() *store.DB) {
		db := open()
		effects(t, db)
		box := inbox.New(db)
		b := bus.New(bus.Options{Claims: box, Log: slog.New(slog.DiscardHandler)})
		if err := b.Subscribe("g", box.Handler(add), bus.GroupOptions{}); err != nil {
			t.Fatal(err)
		}
		for i := range 60 {
			if err := b.Publish(t.Context(), bus.Event{ID: fmt.Sprint(i % 20), Type: "t"}); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if n, err := b.Close(ctx); n != 0 || err != nil {
			t.Errorf("Close = %d, %v", n, err)
		}
		wantEffects(t, db, 20)
		if s := b.Stats()[0]; s.Handled != 20 || s.Failed != 0 || s.Lost != 0 {
			t.Errorf("stats: %+v", s)
		}
		// Whose claim it is not, has no effect.
		owner := bus.Token{Hi: 7}
		if _, err := box.Claim(t.Context(), bus.ClaimKey{Group: "g", ID: "claimed"}, owner, time.Hour); err != nil {
			t.Fatal(err)
		}
		if err := box.Handler(add)(t.Context(), delivery("claimed")); !errors.Is(err, bus.ErrLost) {
			t.Errorf("under another's claim = %v, want ErrLost", err)
		}
		wantEffects(t, db, 20)
	})
}

// TestPrune forgets what is old, and not what may come again from the outbox.
func TestPrune(t *testing.T) {
	bustest.OnDatabases(t, migrations, func(t *testing.T, open func() *store.DB) {
		db := open()
		effects(t, db)
		box := inbox.New(db)
		handle := box.Handler(add)
		const old = 2500
		_, err := db.Writer().ExecContext(t.Context(), `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
			INSERT INTO bus_inbox (grp, id, owner, done, until) SELECT 'g', CAST(i AS TEXT), 'o', TRUE, 1000 FROM n`)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Writer().ExecContext(t.Context(), `INSERT INTO bus_outbox (grp, id, relay, event) VALUES ('', '7', '', '{}')`); err != nil {
			t.Fatal(err)
		}
		if err := handle(t.Context(), delivery("young")); err != nil {
			t.Fatal(err)
		}
		n, err := box.Prune(t.Context())
		if err != nil || n != old-1 {
			t.Errorf("Prune = %d, %v; want %d", n, err, old-1)
		}
		for _, id := range []string{"7", "young"} {
			if err := handle(t.Context(), delivery(id)); err != nil {
				t.Error(err)
			}
		}
		wantEffects(t, db, 1) // of young; 7 is known for as long as it may come
	})
}
