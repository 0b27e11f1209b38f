package bustest

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fractl/fractl/templates/pieces/settings"
	"github.com/fractl/fractl/templates/pieces/store"
)

// OnDatabases runs a test on SQLite, and on PostgreSQL where TEST_POSTGRES_URL is
// the URL of a server that the test may make schemas in. Each call of open opens
// the same database once more, as another process does; migrations is the folder
// with the tables.
func OnDatabases(t *testing.T, migrations string, test func(t *testing.T, open func() *store.DB)) {
	t.Run("sqlite", func(t *testing.T) {
		s := store.Defaults("sqlite:" + filepath.ToSlash(filepath.Join(t.TempDir(), "bus.db")))
		test(t, func() *store.DB { return openStore(t, s, "bus", migrations) })
	})
	t.Run("postgres", func(t *testing.T) {
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
		schema := "test_" + strings.ToLower(rand.Text())
		admin := openStore(t, s, schema, migrations)
		t.Cleanup(func() {
			if _, err := admin.Writer().ExecContext(context.Background(), "DROP SCHEMA "+schema+" CASCADE"); err != nil {
				t.Errorf("clean up: %v", err)
			}
		})
		test(t, func() *store.DB { return openStore(t, s, schema, migrations) })
	})
}

func openStore(t *testing.T, s store.Settings, schema, migrations string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), s, store.Options{Owner: "bus", Schema: schema,
		Migrations: os.DirFS(migrations), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}
