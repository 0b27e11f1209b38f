package sql

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/goleak"

	"github.com/fractl/fractl/templates/pieces/election"
	"github.com/fractl/fractl/templates/pieces/election/electiontest"
	"github.com/fractl/fractl/templates/pieces/settings"
	"github.com/fractl/fractl/templates/pieces/store"
)

func TestMain(m *testing.M) {
	if electiontest.StandIn(join) {
		return
	}
	goleak.VerifyTestMain(m)
}

// join opens the SQLite database in the folder as another process.
func join(ctx context.Context, dir string) (election.Lease, func(), error) {
	db, err := store.Open(ctx, store.Defaults("sqlite:"+dir+"/test.db"), store.Options{Owner: "election", Schema: "election", Migrations: fstest.MapFS{}})
	if err != nil {
		return nil, nil, err
	}
	l, err := New(db, "leader", Defaults())
	return l, func() { _ = db.Close() }, err
}

func TestPaused(t *testing.T) {
	electiontest.Paused(t, filepath.ToSlash(t.TempDir()), time.Second)
}

func TestKilled(t *testing.T) {
	electiontest.Killed(t, filepath.ToSlash(t.TempDir()), time.Second)
}

// databases are those that the tests run on, and how to open one more connection
// pool, as one more instance does.
var databases = map[string]func(t testing.TB) (open func() *store.DB){
	"sqlite":   sqliteDatabase,
	"postgres": postgresDatabase,
}

func sqliteDatabase(t testing.TB) func() *store.DB {
	s := store.Defaults("sqlite:" + filepath.Join(t.TempDir(), "test.db"))
	return func() *store.DB { return openStore(t, s, "election") }
}

func postgresDatabase(t testing.TB) func() *store.DB {
	server := os.Getenv("TEST_POSTGRES_URL")
	if server == "" {
		t.Skip("TEST_POSTGRES_URL is not set to the URL of a PostgreSQL server that the test may make schemas in")
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal("TEST_POSTGRES_URL is not a URL")
	}
	password, _ := u.User.Password()
	u.User = url.User(u.User.Username())
	s := store.Defaults(u.String())
	s.Password = settings.NewSecret(password)
	s.MaxConns = 2
	schema := "test_" + strings.ToLower(rand.Text())
	admin := openStore(t, s, schema)
	t.Cleanup(func() {
		if _, err := admin.Writer().ExecContext(context.Background(), "DROP SCHEMA "+schema+" CASCADE"); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	return func() *store.DB { return openStore(t, s, schema) }
}

func openStore(t testing.TB, s store.Settings, schema string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), s, store.Options{Owner: "election", Schema: schema, Migrations: fstest.MapFS{}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func newLease(t testing.TB, db *store.DB) *Lease {
	t.Helper()
	l, err := New(db, "leader", Defaults())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func engine(database func(testing.TB) func() *store.DB) electiontest.Engine {
	return electiontest.Engine{New: func(t testing.TB) func() election.Lease {
		open := database(t)
		return func() election.Lease { return newLease(t, open()) }
	}}
}

func TestLease(t *testing.T) {
	for name, database := range databases {
		t.Run(name, func(t *testing.T) { electiontest.Run(t, engine(database)) })
	}
}

func BenchmarkLease(b *testing.B) {
	for name, database := range databases {
		b.Run(name, func(b *testing.B) { electiontest.Bench(b, engine(database)) })
	}
}

// The fence on both databases, with transactions of two leaders at a time.
func TestFence(t *testing.T) {
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			open := database(t)
			first, ctx := open(), t.Context()
			fence, err := election.NewFence("leader")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := first.Writer().ExecContext(ctx, `CREATE TABLE log (n BIGINT NOT NULL, epoch BIGINT NOT NULL)`); err != nil {
				t.Fatal(err)
			}
			var running sync.WaitGroup
			for token := election.Token(1); token <= 3; token++ {
				db := open()
				running.Go(func() {
					if err := fence.Prepare(ctx, db.Writer()); err != nil {
						t.Error(err)
					}
					for range 10 {
						err := db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
							if err := fence.Guard(ctx, tx, token); err != nil {
								return err
							}
							_, err := tx.ExecContext(ctx, `INSERT INTO log SELECT count(*), CAST($1 AS BIGINT) FROM log`, int64(token))
							return err
						})
						if errors.As(err, new(*election.FencedError)) {
							return
						}
						if err != nil {
							t.Error(err)
						}
					}
				})
			}
			running.Wait()
			var late, last int
			err = first.Reader().QueryRowContext(ctx, `SELECT count(*) FROM log a JOIN log b ON a.n < b.n AND a.epoch > b.epoch`).Scan(&late)
			if err != nil || late != 0 {
				t.Errorf("%d commits after one with a higher token, %v", late, err)
			}
			if err := first.Reader().QueryRowContext(ctx, `SELECT count(*) FROM log WHERE epoch = 3`).Scan(&last); err != nil || last != 10 {
				t.Errorf("the last leader has written %d times, want 10, %v", last, err)
			}
		})
	}
}

// Leases of two names in one database have nothing to do with each other.
func TestNames(t *testing.T) {
	db := sqliteDatabase(t)()
	for i := range 2 {
		l, err := New(db, fmt.Sprint("lease-", i), Defaults())
		if err != nil {
			t.Fatal(err)
		}
		if _, won, err := l.Acquire(t.Context(), "a", time.Minute); !won || err != nil {
			t.Errorf("lease %d: won %t, %v", i, won, err)
		}
	}
}

// The clock of the database jumps. What a jump forward ends too early is refused
// to its holder; after a jump back a lease lasts longer; tokens rise throughout.
func TestClockJumps(t *testing.T) {
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			open := database(t)
			db := open()
			a, b := newLease(t, db), newLease(t, open())
			if _, err := db.Writer().ExecContext(t.Context(), `CREATE TABLE clock (offset_us BIGINT NOT NULL)`); err != nil {
				t.Fatal(err)
			}
			if _, err := db.Writer().ExecContext(t.Context(), `INSERT INTO clock VALUES (0)`); err != nil {
				t.Fatal(err)
			}
			jump := func(by time.Duration) {
				t.Helper()
				if _, err := db.Writer().ExecContext(t.Context(), `UPDATE clock SET offset_us = offset_us + $1`, by.Microseconds()); err != nil {
					t.Fatal(err)
				}
			}
			for _, l := range []*Lease{a, b} {
				l.clock = "(" + l.clock + " + (SELECT offset_us FROM clock))"
			}
			acquire := func(l *Lease, id string) (election.Holder, bool) {
				t.Helper()
				held, won, err := l.Acquire(t.Context(), id, time.Minute)
				if err != nil {
					t.Fatal(err)
				}
				return held, won
			}

			first, won := acquire(a, "a")
			if !won {
				t.Fatal("a does not get a free lease")
			}
			jump(2 * time.Minute)
			second, won := acquire(b, "b")
			if !won || second.Token <= first.Token {
				t.Fatalf("after a jump forward: won %t, token %d after %d", won, second.Token, first.Token)
			}
			if err := a.Renew(t.Context(), "a", first.Token, time.Minute); err == nil {
				t.Error("both hold the lease")
			}
			jump(-time.Hour)
			if held, won := acquire(a, "a"); won || held != second {
				t.Errorf("after a jump back: won %t, holder %+v, want %+v", won, held, second)
			}
			if err := b.Renew(t.Context(), "b", second.Token, time.Minute); err != nil {
				t.Errorf("after a jump back the holder cannot renew: %v", err)
			}
			jump(2 * time.Minute)
			if third, won := acquire(a, "a"); !won || third.Token <= second.Token {
				t.Errorf("after all: won %t, token %d after %d", won, third.Token, second.Token)
			}
		})
	}
}

func TestSettings(t *testing.T) {
	if err := Defaults().Validate(); err != nil {
		t.Error(err)
	}
	for _, poll := range []time.Duration{0, -1, time.Hour} {
		if _, err := New(nil, "leader", Settings{Poll: poll}); err == nil || !strings.HasPrefix(err.Error(), "poll: ") {
			t.Errorf("poll %s: %v", poll, err)
		}
	}
	if _, err := New(nil, "leader", Defaults()); err == nil {
		t.Error("no database is accepted")
	}
}
