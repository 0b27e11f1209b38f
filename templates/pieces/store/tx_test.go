package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"
)

// Transactions that read and then write what they read lose no update.
func TestInTxIsSerializable(t *testing.T) {
	onEach(t, func(t *testing.T, p place) {
		db := openMigrated(t, p)
		insert(t, db, "1")
		const workers, rounds = 4, 10
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for range rounds {
					if err := increment(t.Context(), db); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if n := count(t, db, `SELECT n FROM items`); n != workers*rounds {
			t.Errorf("%d of %d updates are left", n, workers*rounds)
		}
	})
}

// increment does what an UPDATE of n + 1 would do in one step.
func increment(ctx context.Context, db *DB) error {
	return db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT n FROM items WHERE id = $1`, "1").Scan(&n); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE items SET n = $1 WHERE id = $2`, n+1, "1")
		return err
	})
}

func TestInTxUndoes(t *testing.T) {
	onEach(t, func(t *testing.T, p place) {
		db := openMigrated(t, p)
		add := func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO items (id, name) VALUES ('1', 'one')`)
			return err
		}
		failure := errors.New("failure")
		calls := 0
		err := db.InTx(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
			calls++
			return errors.Join(add(ctx, tx), failure)
		})
		if !errors.Is(err, failure) || calls != 1 {
			t.Errorf("InTx = %v after %d calls", err, calls)
		}
		func() {
			defer func() { _ = recover() }()
			_ = db.InTx(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
				if err := add(ctx, tx); err != nil {
					t.Error(err)
				}
				panic("in the middle")
			})
		}()
		if n := count(t, db, `SELECT count(*) FROM items`); n != 0 {
			t.Errorf("%d rows are left of failed transactions", n)
		}
		if err := db.InTx(t.Context(), add); err != nil { // on the same connection
			t.Errorf("InTx after a panic = %v", err)
		}
	})
}

// A lock that stays is an error after the last attempt, and a context that ends
// is one at once.
func TestInTxGivesUp(t *testing.T) {
	onEach(t, func(t *testing.T, p place) {
		p.settings.BusyTimeout = 5 * time.Millisecond
		holder, db := openMigrated(t, p), open(t, p)
		insert(t, holder, "1")
		held, err := holder.Writer().BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer held.Rollback()
		if _, err := held.ExecContext(t.Context(), `UPDATE items SET n = 7`); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := increment(ctx, db); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("InTx = %v, want the end of the context", err)
		}
		if err := increment(t.Context(), db); !isLost(err) {
			t.Errorf("InTx = %v, want the loss", err)
		}
		if err := held.Rollback(); err != nil {
			t.Fatal(err)
		}
		if err := increment(t.Context(), db); err != nil {
			t.Errorf("InTx after the lock = %v", err)
		}
	})
}

func BenchmarkInTx(b *testing.B) {
	p := place{settings: Defaults("sqlite:" + b.TempDir() + "/store.db")}
	p.options = Options{Owner: "auth", Schema: "auth", Migrations: migrations()}
	db, err := Open(b.Context(), p.settings, p.options)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	if _, err := db.Writer().ExecContext(b.Context(), `INSERT INTO items (id, name) VALUES ('1', 'one')`); err != nil {
		b.Fatal(err)
	}
	b.Run("increment", func(b *testing.B) {
		for b.Loop() {
			if err := increment(b.Context(), db); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		var n int
		for b.Loop() {
			if err := db.Reader().QueryRowContext(b.Context(), `SELECT n FROM items WHERE id = $1`, "1").Scan(&n); err != nil {
				b.Fatal(err)
			}
		}
	})
}
