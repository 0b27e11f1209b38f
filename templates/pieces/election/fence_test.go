package election_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"sync"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/fractl/fractl/templates/pieces/election"
)

// register is a row that leaders write through a fence.
type register struct {
	db    *sql.DB
	fence *election.Fence
}

// openRegister opens the register in the file, "" for one in memory.
func openRegister(ctx context.Context, path string) (*register, error) {
	if path == "" {
		path = ":memory:"
	} else {
		path = "file:" + filepath.ToSlash(path) + "?_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)"
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // each one in memory would be a database of its own
	fence, err := election.NewFence("register")
	if err == nil {
		err = fence.Prepare(ctx, db)
	}
	if err == nil {
		_, err = db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS register (id INTEGER PRIMARY KEY, value BIGINT NOT NULL)`)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &register{db, fence}, nil
}

// write writes in one transaction with the guard.
func (r *register) write(ctx context.Context, token election.Token, value int64) error {
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := r.fence.Guard(ctx, tx, token); err != nil {
		return err
	}
	if err := r.put(ctx, tx, value); err != nil {
		return err
	}
	return tx.Commit()
}

// put writes without asking anybody.
func (r *register) put(ctx context.Context, to election.Execer, value int64) error {
	_, err := to.ExecContext(ctx, `INSERT INTO register (id, value) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET value = excluded.value`, value)
	return err
}

func (r *register) read(ctx context.Context) (value int64, err error) {
	err = r.db.QueryRowContext(ctx, `SELECT value FROM register WHERE id = 1`).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return value, err
}

func newRegister(t *testing.T, path string) *register {
	t.Helper()
	r, err := openRegister(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.db.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func TestFence(t *testing.T) {
	r, ctx := newRegister(t, ""), t.Context()
	for _, step := range []struct {
		token   election.Token
		refused bool
	}{{3, false}, {3, false}, {2, true}, {5, false}, {3, true}, {0, true}, {-1, true}, {5, false}} {
		before, err := r.read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		err = r.write(ctx, step.token, before+1)
		var fenced *election.FencedError
		if got := errors.As(err, &fenced); got != step.refused || got && fenced.Token != step.token || !got && err != nil {
			t.Errorf("write with %d: %v, refused should be %t", step.token, err, step.refused)
		}
		if after, err := r.read(ctx); err != nil || (after == before) != step.refused {
			t.Errorf("write with %d: value %d, was %d, %v", step.token, after, before, err)
		}
	}
	// A leader that has begun is enough to keep the former ones out.
	if err := r.fence.Raise(ctx, r.db, 9); err != nil {
		t.Fatal(err)
	}
	if err := r.write(ctx, 5, 99); !errors.As(err, new(*election.FencedError)) {
		t.Errorf("write of a former leader: %v", err)
	}
}

func TestFenceWritten(t *testing.T) {
	r, ctx := newRegister(t, ""), t.Context()
	if _, err := r.db.ExecContext(ctx, `CREATE TABLE own (id INTEGER PRIMARY KEY, value TEXT, epoch BIGINT NOT NULL); INSERT INTO own VALUES (1, 'a', 4)`); err != nil {
		t.Fatal(err)
	}
	for token, refused := range map[election.Token]bool{3: true, 4: false} {
		result, err := r.db.ExecContext(ctx, `UPDATE own SET value = 'b', epoch = $1 WHERE id = $2 AND epoch <= $1`, int64(token), 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.fence.Written(result, token); errors.As(err, new(*election.FencedError)) != refused {
			t.Errorf("token %d: %v", token, err)
		}
	}
}

// Fences of different names do not know of each other; the table may be there.
func TestFenceNames(t *testing.T) {
	r, ctx := newRegister(t, ""), t.Context()
	if err := r.fence.Raise(ctx, r.db, 7); err != nil {
		t.Fatal(err)
	}
	other, err := election.NewFence("other")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(other.Prepare(ctx, r.db), other.Raise(ctx, r.db, 1)); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"", "a b", "a'b"} {
		if _, err := election.NewFence(name); err == nil {
			t.Errorf("name %q is accepted", name)
		}
	}
}

// Transactions of three leaders at a time, each with a connection of its own:
// after a commit with a higher token there is none with a lower one.
func TestFenceConcurrent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	first := newRegister(t, path)
	if _, err := first.db.ExecContext(t.Context(), `CREATE TABLE log (n INTEGER PRIMARY KEY, epoch BIGINT NOT NULL)`); err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	for token := election.Token(1); token <= 3; token++ {
		r := newRegister(t, path)
		running.Go(func() {
			for range 30 {
				tx, err := r.db.BeginTx(t.Context(), nil)
				if err == nil {
					err = r.fence.Guard(t.Context(), tx, token)
				}
				if errors.As(err, new(*election.FencedError)) {
					_ = tx.Rollback()
					return
				}
				if err == nil {
					_, err = tx.ExecContext(t.Context(), `INSERT INTO log (epoch) VALUES ($1)`, int64(token))
				}
				if err == nil {
					err = tx.Commit()
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	running.Wait()
	var late int
	err := first.db.QueryRowContext(t.Context(), `SELECT count(*) FROM log a JOIN log b ON a.n < b.n AND a.epoch > b.epoch`).Scan(&late)
	if err != nil || late != 0 {
		t.Errorf("%d commits after one with a higher token, %v", late, err)
	}
}

func TestGate(t *testing.T) {
	var g election.Gate
	for _, step := range []struct {
		token   election.Token
		refused bool
	}{{0, true}, {1, false}, {4, false}, {4, false}, {3, true}, {-1, true}} {
		if err := g.Admit(step.token); errors.As(err, new(*election.FencedError)) != step.refused {
			t.Errorf("token %d: %v, refused should be %t", step.token, err, step.refused)
		}
	}
	if n := testing.AllocsPerRun(100, func() { _ = g.Admit(4) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
