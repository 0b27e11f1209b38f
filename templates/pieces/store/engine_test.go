package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/fractl/fractl/templates/pieces/settings"
)

// place is somewhere that a test may put a database.
type place struct {
	settings Settings
	options  Options
}

// onEach runs a test on both engines, on PostgreSQL in a schema of its own.
func onEach(t *testing.T, test func(t *testing.T, p place)) {
	t.Run("sqlite", func(t *testing.T) { test(t, sqlitePlace(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, postgresPlace(t)) })
}

func sqlitePlace(t *testing.T) place {
	p := place{settings: Defaults("sqlite:" + filepath.Join(t.TempDir(), "data", "store.db"))}
	p.options = Options{Owner: "auth", Schema: "auth", Migrations: migrations(), Log: slog.New(slog.DiscardHandler)}
	return p
}

func postgresPlace(t *testing.T) place {
	t.Helper()
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
	p := place{settings: Defaults(u.String())}
	p.settings.Password = settings.NewSecret(password)
	schema := "test_" + strings.ToLower(rand.Text())
	p.options = Options{Owner: "auth", Schema: schema, Migrations: migrations(), Log: slog.New(slog.DiscardHandler)}
	target, err := p.settings.target()
	if err != nil {
		t.Fatal(err)
	}
	_, admin, err := newPostgres(target.pg, p.settings, p.options).open(p.settings, p.options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.ExecContext(context.Background(), "DROP SCHEMA IF EXISTS "+schema+" CASCADE"); err != nil {
			t.Errorf("clean up: %v", err)
		}
		admin.Close()
	})
	return p
}

// migrations makes a table of items, then one of notes about items.
func migrations() fstest.MapFS {
	fsys := fstest.MapFS{}
	for engine, timestamp := range map[string]string{"sqlite": "TIMESTAMP", "postgres": "TIMESTAMPTZ"} {
		fsys[engine+"/00001_items.sql"] = sqlFile(
			"CREATE TABLE items (id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL UNIQUE, n BIGINT NOT NULL DEFAULT 0, created_at " + timestamp + ")")
		fsys[engine+"/00002_notes.sql"] = sqlFile(
			"CREATE TABLE notes (item TEXT NOT NULL REFERENCES items (id), note TEXT NOT NULL)")
	}
	return fsys
}

func sqlFile(up string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte("-- +goose Up\n" + up + ";\n")}
}

func open(t *testing.T, p place) *DB {
	t.Helper()
	db, err := Open(t.Context(), p.settings, p.options)
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

func openMigrated(t *testing.T, p place) *DB {
	t.Helper()
	db := open(t, p)
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

func mustExec(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

func insert(t *testing.T, db *DB, id string) {
	t.Helper()
	mustExec(t, db.Writer(), `INSERT INTO items (id, name, created_at) VALUES ($1, $2, $3)`, id, "name of "+id, time.Now())
}

func count(t *testing.T, db *DB, query string, args ...any) (n int) {
	t.Helper()
	if err := db.Reader().QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(fmt.Errorf("%s: %w", query, err))
	}
	return n
}

// withSecond is migrations with another second file for both engines.
func withSecond(statements string) fstest.MapFS {
	fsys := migrations()
	for _, engine := range []Engine{SQLite, Postgres} {
		delete(fsys, string(engine)+"/00002_notes.sql")
		fsys[string(engine)+"/00002_second.sql"] = sqlFile(statements)
	}
	return fsys
}

// migrationsFor has files for an engine that does not exist.
func migrationsFor(engine string) fstest.MapFS {
	return fstest.MapFS{engine + "/00001_items.sql": sqlFile("SELECT 1"), "sqlite/README": {}, "postgres/README": {}}
}
