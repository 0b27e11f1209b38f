// Package store opens the private database of one fraction: embedded SQLite or
// PostgreSQL, chosen by the URL alone. Both engines give the same promises:
// serializable transactions, $1 placeholders, time.Time values with the
// precision of a microsecond, and a schema that belongs to one owner.
package store

import (
	"context"
	"database/sql"
	"io/fs"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
)

// Options say whose database it is.
type Options struct {
	// Owner is the fraction that the data belongs to. A database that belongs
	// to another is not opened.
	Owner string
	// Schema is the PostgreSQL schema of the owner: lower-case letters, digits
	// and underscores.
	Schema string
	// Migrations holds the folders sqlite and postgres with the migrations for
	// each engine, as 00001_name.sql in the format of goose.
	Migrations fs.FS
	// Log tells of migrations and retries; nil means slog.Default.
	Log *slog.Logger
	// Tracer makes a span for each statement; nil means none.
	Tracer trace.TracerProvider
}

// DB is an open store. It is safe for concurrent use.
type DB struct{}

// Open connects to the database of s, makes it if it does not exist, and takes
// possession of it in the name of o.Owner. It fails with an *OwnerError where
// it belongs to another. Close follows.
func Open(ctx context.Context, s Settings, o Options) (*DB, error) { panic("follows") }

// Engine tells which database it is.
func (db *DB) Engine() Engine { panic("follows") }

// Reader is for statements that only read. On SQLite it cannot write.
func (db *DB) Reader() *sql.DB { panic("follows") }

// Writer is for single statements that write. On SQLite it has one connection,
// so that writers queue up instead of failing.
func (db *DB) Writer() *sql.DB { panic("follows") }

// InTx runs fn in a serializable transaction and commits it if fn returns nil.
// A transaction that lost against another (serialization failure, deadlock,
// busy) was undone as a whole and is tried again, so fn must touch nothing but
// tx and what it can set anew. Use tx for all statements in fn: another one on
// the Writer would wait for this transaction for ever.
func (db *DB) InTx(ctx context.Context, fn func(ctx context.Context, tx *sql.Tx) error) error {
	panic("follows")
}

// Ping checks that the database answers; it fits a health check.
func (db *DB) Ping(ctx context.Context) error { panic("follows") }

// Close waits for the statements in progress and closes the database.
func (db *DB) Close() error { panic("follows") }

// IsDuplicate tells whether err says that a row with the same unique key exists.
func IsDuplicate(err error) bool { panic("follows") }

// OwnerError tells that a database belongs to somebody else.
type OwnerError struct {
	// Database names it, without credentials.
	Database string
	// Owner is whose it is, or "" where there are tables and no owner is
	// recorded.
	Owner string
	// Want is who tried to open it.
	Want string
}

// Error names the database and its owner.
func (e *OwnerError) Error() string { panic("follows") }
