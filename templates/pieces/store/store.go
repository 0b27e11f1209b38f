// Package store opens the private database of one fraction: embedded SQLite or
// PostgreSQL, chosen by the URL alone. Both engines give the same promises:
// serializable transactions, $1 placeholders, time.Time values in UTC with the
// precision of a microsecond (in columns of type TIMESTAMP on SQLite and
// TIMESTAMPTZ on PostgreSQL), and a schema that belongs to one owner.
package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"regexp"
	"strings"

	"github.com/XSAM/otelsql"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
)

// Options say whose database it is.
type Options struct {
	// Owner is the fraction that the data belongs to. A database that belongs
	// to another is not opened.
	Owner string
	// Schema is the PostgreSQL schema of the owner: lower-case letters, digits
	// and underscores, at most 63.
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
type DB struct {
	settings Settings
	options  Options
	engine   engine
	reader   *sql.DB
	writer   *sql.DB // the same as reader on PostgreSQL
}

// engine is what the two databases do differently.
type engine interface {
	name() Engine
	// place names the database in errors, without credentials.
	place() string
	// open makes the pools.
	open(s Settings, o Options) (reader, writer *sql.DB, err error)
	// claim records the owner in an empty database and compares it in any
	// other.
	claim(ctx context.Context, writer *sql.DB, owner string) error
	// lock keeps all other processes from migrating until unlock. A process
	// that dies gives it up.
	lock(ctx context.Context, writer *sql.DB) (unlock func() error, err error)
	// tableExists is a query for one boolean about the table $1.
	tableExists() string
	// txOptions are those of a serializable transaction.
	txOptions() *sql.TxOptions
}

// Open connects to the database of s, makes it if it does not exist, and takes
// possession of it in the name of o.Owner. It fails with an *OwnerError where
// it belongs to another. Close follows.
func Open(ctx context.Context, s Settings, o Options) (*DB, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if err := o.validate(); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	ctx, cancel := context.WithTimeout(ctx, s.ConnectTimeout)
	defer cancel()

	t, err := s.target()
	if err != nil {
		return nil, err
	}
	db := &DB{settings: s, options: o, engine: &sqlite{path: t.path}}
	if t.pg != nil {
		db.engine = newPostgres(t.pg, s, o)
	}
	if db.reader, db.writer, err = db.engine.open(s, o); err != nil {
		return nil, fmt.Errorf("%s: %w", db.engine.place(), err)
	}
	for _, pool := range []*sql.DB{db.reader, db.writer} {
		pool.SetConnMaxIdleTime(s.MaxIdleTime)
		pool.SetConnMaxLifetime(s.MaxLifetime)
	}
	if err := db.engine.claim(ctx, db.writer, o.Owner); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", db.engine.place(), err), db.Close())
	}
	return db, nil
}

var schemaName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

func (o Options) validate() error {
	switch {
	case o.Owner == "":
		return errors.New("store: no owner given")
	case !schemaName.MatchString(o.Schema):
		return fmt.Errorf("store: schema %q is not made of lower-case letters, digits and underscores", o.Schema)
	case o.Schema == "public", o.Schema == "information_schema", strings.HasPrefix(o.Schema, "pg_"):
		return fmt.Errorf("store: schema %q is shared by everybody", o.Schema)
	case o.Migrations == nil:
		return errors.New("store: no migrations given")
	}
	return nil
}

// Engine tells which database it is.
func (db *DB) Engine() Engine { return db.engine.name() }

// Reader is for statements that only read. On SQLite it cannot write.
func (db *DB) Reader() *sql.DB { return db.reader }

// Writer is for single statements that write. On SQLite it has one connection,
// so that writers queue up instead of failing.
func (db *DB) Writer() *sql.DB { return db.writer }

// Ping checks that the database answers; it fits a health check.
func (db *DB) Ping(ctx context.Context) error {
	// Not the writer: on SQLite it may be busy for long, and yet be well.
	if err := db.reader.PingContext(ctx); err != nil {
		return fmt.Errorf("%s: %w", db.engine.place(), err)
	}
	return nil
}

// Close waits for the statements in progress and closes the database.
func (db *DB) Close() error {
	if db.reader == db.writer {
		return db.writer.Close()
	}
	return errors.Join(db.reader.Close(), db.writer.Close())
}

// pool opens a pool of connections, which make a span for each statement if
// there is a tracer.
func pool(c driver.Connector, engine Engine, tracer trace.TracerProvider) *sql.DB {
	if tracer == nil {
		return sql.OpenDB(c)
	}
	return otelsql.OpenDB(c,
		otelsql.WithTracerProvider(tracer),
		otelsql.WithMeterProvider(noop.NewMeterProvider()),
		otelsql.WithAttributes(attribute.String("db.system.name", string(engine))),
		otelsql.WithSpanOptions(otelsql.SpanOptions{
			// One span a statement; the rest is noise.
			OmitConnResetSession: true,
			OmitConnPrepare:      true,
			OmitConnectorConnect: true,
			OmitRows:             true,
			DisableErrSkip:       true,
		}))
}
