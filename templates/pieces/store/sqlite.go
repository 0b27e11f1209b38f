package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	moderncsqlite "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// sqlite is the embedded engine: one file, one writer at a time, readers that
// never wait for it.
type sqlite struct{ path string }

func (e *sqlite) name() Engine  { return SQLite }
func (e *sqlite) place() string { return "sqlite:" + e.path }

func (e *sqlite) open(s Settings, o Options) (reader, writer *sql.DB, err error) {
	if err := makeFile(e.path); err != nil {
		return nil, nil, err
	}
	// BEGIN IMMEDIATE: a transaction that reads first and writes later would
	// otherwise fail, at once and for good, when another one wrote in between.
	w, err := connector(e.path, s.BusyTimeout, "_txlock", "immediate")
	if err != nil {
		return nil, nil, err
	}
	r, err := connector(e.path, s.BusyTimeout, "_query_only", "1")
	if err != nil {
		return nil, nil, err
	}
	reader, writer = pool(r, SQLite, o.Tracer), pool(w, SQLite, o.Tracer)
	// SQLite lets one connection write. A second one would only poll for the
	// lock, while a waiter of the pool is woken in turn.
	writer.SetMaxOpenConns(1)
	reader.SetMaxOpenConns(s.MaxConns)
	reader.SetMaxIdleConns(s.MaxConns)
	return reader, writer, nil
}

// makeFile makes an empty file, which SQLite takes for an empty database,
// because one that SQLite makes can be read by everybody.
//
// It must never open a file that exists: POSIX ends all locks that a process
// holds on a file when the process closes any descriptor of it, and thereby
// those of SQLite's connections. So the file is made under another name, and
// has no descriptor any more when it gets its own.
func makeFile(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	dir, name := filepath.Split(filepath.FromSlash(path))
	if dir == "" {
		dir = "."
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, name+".new*") // with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := f.Close(); err != nil {
		return err
	}
	// It may exist by now, or the file system may know no links: then the file
	// is made by SQLite after all.
	_ = os.Link(f.Name(), path)
	return nil
}

// connector makes connections to a file with what every connection needs.
func connector(path string, busy time.Duration, params ...string) (driver.Connector, error) {
	q := url.Values{
		"_pragma": {
			"busy_timeout(" + milliseconds(busy) + ")",
			"journal_mode(WAL)",   // readers do not wait for the writer
			"synchronous(FULL)",   // an acknowledged write outlives a power cut
			"foreign_keys(ON)",    // off by default, for history's sake
			"trusted_schema(OFF)", // a database file is data, not code
		},
		// Times as integers: text would sort by its varying number of digits.
		"_time_integer_format": {"unix_micro"},
		"_inttotime":           {"1"},
	}
	for i := 0; i < len(params); i += 2 {
		q.Set(params[i], params[i+1])
	}
	return moderncsqlite.NewConnector(dsn(path, q))
}

// dsn is the name of a file in the form that the driver takes, whatever
// characters are in its path.
func dsn(path string, q url.Values) string {
	q.Set("mode", "rwc")
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: q.Encode()}
	return u.String()
}

func (e *sqlite) claim(ctx context.Context, writer *sql.DB, owner string) error {
	// The first connections of several processes turn a new file to WAL, or
	// recover one after a crash, and there SQLite gives up without waiting.
	return poll(ctx, func() (done bool, err error) {
		err = e.claimOnce(ctx, writer, owner)
		if isBusy(err) {
			return false, nil
		}
		return err == nil, err
	})
}

func (e *sqlite) claimOnce(ctx context.Context, writer *sql.DB, owner string) error {
	tx, err := writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	const tables = `SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'sqlite\_%' ESCAPE '\'`
	if err := claimTx(ctx, tx, e.tableExists(), tables, owner); err != nil {
		return err
	}
	return tx.Commit()
}

// lock holds a transaction on a second file beside the database. The operating
// system ends the lock with the process, so there is no stale one to clean up,
// and while it is held migrations are free to begin transactions of their own.
func (e *sqlite) lock(ctx context.Context, _ *sql.DB) (unlock func() error, err error) {
	path := e.path + "-migrate"
	if err := makeFile(path); err != nil {
		return nil, err
	}
	c, err := moderncsqlite.NewConnector(dsn(path, url.Values{"_pragma": {"busy_timeout(0)"}, "_txlock": {"exclusive"}}))
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(c)
	var tx *sql.Tx
	err = poll(ctx, func() (held bool, err error) {
		// The transaction outlives ctx: it ends with unlock.
		tx, err = db.BeginTx(context.WithoutCancel(ctx), nil)
		if isBusy(err) {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return func() error { return errors.Join(tx.Rollback(), db.Close()) }, nil
}

// poll calls try until it is done, fails, or ctx ends.
func poll(ctx context.Context, try func() (done bool, err error)) error {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		done, err := try()
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for another instance: %w", ctx.Err())
		case <-ticker.C:
		}
	}
}

func (e *sqlite) tableExists() string {
	return `SELECT count(*) > 0 FROM sqlite_schema WHERE type = 'table' AND name = $1`
}

// txOptions: every transaction of SQLite is serializable.
func (e *sqlite) txOptions() *sql.TxOptions { return nil }

// isBusy tells whether another connection holds a lock that err was about.
func isBusy(err error) bool {
	code := sqliteCode(err) & 0xff // without the extended part
	return code == lib.SQLITE_BUSY || code == lib.SQLITE_LOCKED
}

// sqliteCode is the extended result code of err, or 0 if it is none of SQLite's.
func sqliteCode(err error) int {
	var e *moderncsqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}
