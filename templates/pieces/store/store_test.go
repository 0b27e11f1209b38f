package store

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/fractl/fractl/templates/pieces/settings"
)

func TestOwner(t *testing.T) {
	onEach(t, func(t *testing.T, p place) {
		insert(t, openMigrated(t, p), "1")
		if n := count(t, open(t, p), `SELECT count(*) FROM items`); n != 1 {
			t.Errorf("the owner finds %d items when it comes again", n)
		}
		stranger := p
		stranger.options.Owner = "order"
		db, err := Open(t.Context(), stranger.settings, stranger.options)
		var owner *OwnerError
		if !errors.As(err, &owner) || owner.Owner != "auth" || owner.Want != "order" || db != nil {
			t.Fatalf("another fraction opens it: %v", err)
		}
		if !strings.Contains(err.Error(), "belongs to auth and is closed to order") {
			t.Errorf("error = %v", err)
		}
	})
}

// Tables of unknown origin are nobody's to take.
func TestOwnerUnknown(t *testing.T) {
	onEach(t, func(t *testing.T, p place) {
		mustExec(t, openMigrated(t, p).Writer(), `DROP TABLE schema_owner`)
		var owner *OwnerError
		if _, err := Open(t.Context(), p.settings, p.options); !errors.As(err, &owner) || owner.Owner != "" {
			t.Errorf("Open = %v", err)
		}
	})
}

func TestOwnerRace(t *testing.T) {
	onEach(t, func(t *testing.T, p place) {
		var opened sync.WaitGroup
		owners := []string{"auth", "order", "billing", "auth"}
		errs := make([]error, len(owners))
		for i, owner := range owners {
			opened.Go(func() {
				o := p.options
				o.Owner = owner
				db, err := Open(t.Context(), p.settings, o)
				if errs[i] = err; err == nil {
					db.Close()
				}
			})
		}
		opened.Wait()
		winners := map[string]bool{}
		for i, err := range errs {
			var foreign *OwnerError
			switch {
			case err == nil:
				winners[owners[i]] = true
			case !errors.As(err, &foreign):
				t.Errorf("%s: %v", owners[i], err)
			}
		}
		if len(winners) != 1 {
			t.Errorf("owners = %v, want one", winners)
		}
	})
}

// Roles keep fractions apart in the server, whatever they say they are.
func TestPostgresRoles(t *testing.T) {
	p := postgresPlace(t)
	admin := openMigrated(t, p)
	if count(t, admin, `SELECT count(*) FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolcreaterole)`) == 0 {
		t.Skip("the user of TEST_POSTGRES_URL may not make roles")
	}
	role := p.options.Schema + "_role"
	mustExec(t, admin.Writer(), `CREATE ROLE `+role+` LOGIN PASSWORD 'x'`)
	defer func() {
		mustExec(t, admin.Writer(), `DROP OWNED BY `+role)
		mustExec(t, admin.Writer(), `DROP ROLE `+role)
	}()
	other := p
	u, err := url.Parse(p.settings.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(role)
	other.settings.URL = u.String()
	other.settings.Password = settings.NewSecret("x")
	_, err = Open(t.Context(), other.settings, other.options)
	if err == nil || !strings.Contains(err.Error(), "closed to role "+role) {
		t.Errorf("another role opens the schema: %v", err)
	}
	other.options.Schema += "_new"
	_, err = Open(t.Context(), other.settings, other.options)
	if err == nil || !strings.Contains(err.Error(), "CREATE SCHEMA "+other.options.Schema+" AUTHORIZATION "+role) {
		t.Errorf("the error gives no advice: %v", err)
	}
	mustExec(t, admin.Writer(), `CREATE SCHEMA `+other.options.Schema+` AUTHORIZATION `+role)
	insert(t, openMigrated(t, other), "1")
	if n := count(t, admin, `SELECT count(*) FROM items`); n != 0 {
		t.Errorf("the first schema holds %d items of the second", n)
	}
}

// The same statements and the same values work on both engines.
func TestPortable(t *testing.T) {
	onEach(t, func(t *testing.T, p place) {
		db := openMigrated(t, p)
		base := time.Date(2026, 1, 2, 3, 4, 5, 100_000_000, time.FixedZone("", 3600))
		for i, id := range []string{"b", "a", "c", "d"} {
			// Placeholders in any order, and one twice.
			mustExec(t, db.Writer(), `INSERT INTO items (created_at, name, id) VALUES ($3, $2, $2 || $1)`,
				"", id, base.Add(time.Duration(i/2)*time.Microsecond))
		}
		rows, err := db.Reader().QueryContext(t.Context(),
			`SELECT id, created_at FROM items WHERE (created_at, id) > ($1, $2) ORDER BY created_at, id LIMIT $3`, base, "a", 2)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var ids string
		for rows.Next() {
			var id string
			var at time.Time
			if err := rows.Scan(&id, &at); err != nil {
				t.Fatal(err)
			}
			ids += id
			want := map[string]time.Time{"b": base, "c": base.Add(time.Microsecond)}[id]
			if !at.Equal(want) || at.Location() != time.UTC {
				t.Errorf("time of %s = %v, want %v in UTC", id, at, want)
			}
		}
		if err := rows.Err(); err != nil || ids != "bc" {
			t.Errorf("the page after a = %q, %v, want bc", ids, err)
		}
	})
}

func TestErrors(t *testing.T) {
	onEach(t, func(t *testing.T, p place) {
		db := openMigrated(t, p)
		insert(t, db, "1")
		for name, query := range map[string]string{
			"key":    `INSERT INTO items (id, name) VALUES ('1', 'other')`,
			"unique": `INSERT INTO items (id, name) VALUES ('2', 'name of 1')`,
		} {
			if _, err := db.Writer().ExecContext(t.Context(), query); !IsDuplicate(err) {
				t.Errorf("%s: IsDuplicate(%v) = false", name, err)
			}
		}
		_, err := db.Writer().ExecContext(t.Context(), `INSERT INTO notes (item, note) VALUES ('none', '')`)
		if err == nil || IsDuplicate(err) {
			t.Errorf("foreign key: %v", err)
		}
	})
}

// The deadline of a request ends a statement that is being executed.
func TestContextReachesTheDatabase(t *testing.T) {
	forever := map[Engine]string{
		SQLite:   `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c`,
		Postgres: `SELECT count(*) FROM pg_sleep(3600)`,
	}
	onEach(t, func(t *testing.T, p place) {
		db := open(t, p)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		var n int
		err := db.Reader().QueryRowContext(ctx, forever[db.Engine()]).Scan(&n)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error = %v, want that of the context", err)
		}
		if err := db.Ping(t.Context()); err != nil {
			t.Errorf("the database is of no use afterwards: %v", err)
		}
	})
}

func TestSpans(t *testing.T) {
	onEach(t, func(t *testing.T, p place) {
		spans := tracetest.NewSpanRecorder()
		provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
		p.options.Tracer = provider
		db := openMigrated(t, p)
		ctx, parent := provider.Tracer("test").Start(t.Context(), "request")
		if err := db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO items (id, name) VALUES ($1, $2)`, "secret-id", "n")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		parent.End()
		var names []string
		for _, span := range spans.Ended() {
			if span.Parent().SpanID() != parent.SpanContext().SpanID() {
				continue
			}
			names = append(names, span.Name())
			for _, attr := range span.Attributes() {
				if strings.Contains(attr.Value.String(), "secret-id") {
					t.Errorf("span %s shows an argument: %v", span.Name(), attr)
				}
			}
		}
		if got, want := strings.Join(names, " "), "sql.conn.begin_tx sql.conn.exec sql.tx.commit"; got != want {
			t.Errorf("spans = %s, want %s", got, want)
		}
	})
}

func TestReaderCannotWrite(t *testing.T) {
	db := openMigrated(t, sqlitePlace(t))
	if _, err := db.Reader().ExecContext(t.Context(), `DELETE FROM items`); err == nil {
		t.Error("the reader writes")
	}
}

func TestSQLiteFile(t *testing.T) {
	p := sqlitePlace(t)
	path := filepath.Join(t.TempDir(), "new folder", "100% a#b&c=d.db")
	p.settings.URL = "sqlite:" + path
	db := openMigrated(t, p)
	insert(t, db, "1")
	names, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(filepath.Base(name), filepath.Base(path)) {
			t.Errorf("the path was misread: %s", name)
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
	for pragma, want := range map[string]string{"journal_mode": "wal", "foreign_keys": "1", "synchronous": "2", "busy_timeout": "5000"} {
		for _, pool := range []*sql.DB{db.Reader(), db.Writer()} {
			var got string
			if err := pool.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s = %s, %v, want %s", pragma, got, err, want)
			}
		}
	}
}

func TestOpenSaysWhy(t *testing.T) {
	notADatabase := filepath.Join(t.TempDir(), "text.db")
	if err := os.WriteFile(notADatabase, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*place)
		want   string
	}{
		"not a database": {func(p *place) { p.settings.URL = "sqlite:" + notADatabase }, notADatabase + ": file is not a database"},
		"a folder":       {func(p *place) { p.settings.URL = "sqlite:" + filepath.Dir(notADatabase) }, filepath.Dir(notADatabase)},
		"nobody there":   {func(p *place) { p.settings.URL = "postgres://auth@127.0.0.1:1/shop" }, "postgres://auth@127.0.0.1:1/shop schema auth: "},
		"no owner":       {func(p *place) { p.options.Owner = "" }, "no owner"},
		"no migrations":  {func(p *place) { p.options.Migrations = nil }, "no migrations"},
		"schema":         {func(p *place) { p.options.Schema = "a b" }, `schema "a b"`},
		"public schema":  {func(p *place) { p.options.Schema = "public" }, `schema "public" is shared`},
	} {
		p := sqlitePlace(t)
		test.change(&p)
		db, err := Open(t.Context(), p.settings, p.options)
		if err == nil {
			db.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: Open = %v, want %s", name, err, test.want)
		}
	}
}

func TestSettings(t *testing.T) {
	for _, url := range []string{"sqlite:data/store.db", "sqlite:/var/lib/store.db", "postgres://auth@db.example.com/shop?sslmode=verify-full", "postgresql://db/shop"} {
		if err := Defaults(url).Validate(); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, url := range []string{"", "mysql://x/y", "data/store.db", "sqlite:", "sqlite:data/", "sqlite:///a.db", "sqlite::memory:", "sqlite:a.db?mode=ro",
		"postgres://auth:hunter2@db/shop", "postgres://db/shop?password=hunter2", "postgres://db/shop?search_path=public", "postgres://db/shop?options=-c", "postgres://hunter2@db:port/x"} {
		err := Defaults(url).Validate()
		if err == nil || !strings.HasPrefix(err.Error(), "url: ") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: Validate = %v", url, err)
		}
	}
	for key, change := range map[string]func(*Settings){
		"max_conns":       func(s *Settings) { s.MaxConns = 1 },
		"max_idle_time":   func(s *Settings) { s.MaxIdleTime = 0 },
		"max_lifetime":    func(s *Settings) { s.MaxLifetime = -1 },
		"connect_timeout": func(s *Settings) { s.ConnectTimeout = 0 },
		"busy_timeout":    func(s *Settings) { s.BusyTimeout = time.Microsecond },
		"migrate_timeout": func(s *Settings) { s.MigrateTimeout = 0 },
	} {
		s := Defaults("sqlite:a.db")
		change(&s)
		if err := s.Validate(); err == nil || !strings.HasPrefix(err.Error(), key+": ") {
			t.Errorf("%s: Validate = %v", key, err)
		}
	}
}

// Whatever is given as a URL, an error about it does not tell a password, and
// what is taken names exactly one database.
func FuzzURL(f *testing.F) {
	const password = "hunter2!"
	for _, text := range []string{"sqlite:a.db", "postgres://a@b:5432/c?sslmode=disable", "postgres://a:" + password + "@b/c", "postgresql://[::1]/c?password=" + password, "postgres://%zz", "sqlite:\x00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		target, err := Settings{URL: text}.target()
		if err == nil && (target.path != "") == (target.pg != nil) {
			t.Errorf("%q names %+v", text, target)
		}
		if u, parseErr := url.Parse(text); err != nil && parseErr == nil {
			given, _ := u.User.Password()
			if len(given) > 5 && strings.Contains(err.Error(), given) {
				t.Errorf("the error about %q tells the password: %v", text, err)
			}
		}
	})
}
