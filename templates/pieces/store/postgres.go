package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgres is the engine for more than one instance. All tables are in the
// schema of the fraction, which is the only one on the search path.
type postgres struct {
	config *pgx.ConnConfig
	schema string
}

func newPostgres(config *pgx.ConnConfig, s Settings, o Options) *postgres {
	c := config.Copy()
	if !s.Password.IsZero() {
		c.Password = s.Password.Reveal()
	}
	c.ConnectTimeout = s.ConnectTimeout
	set := func(name, value string) {
		if _, given := c.RuntimeParams[name]; !given {
			c.RuntimeParams[name] = value
		}
	}
	set("search_path", pgx.Identifier{o.Schema}.Sanitize())
	set("application_name", o.Owner)
	set("timezone", "UTC")
	set("lock_timeout", milliseconds(s.BusyTimeout))
	// A transaction that was left open holds its locks for everybody else.
	set("idle_in_transaction_session_timeout", milliseconds(time.Minute))
	return &postgres{config: c, schema: o.Schema}
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

func (e *postgres) name() Engine { return Postgres }

func (e *postgres) place() string {
	addr := net.JoinHostPort(e.config.Host, strconv.Itoa(int(e.config.Port)))
	return fmt.Sprintf("postgres://%s@%s/%s schema %s", e.config.User, addr, e.config.Database, e.schema)
}

func (e *postgres) open(s Settings, o Options) (reader, writer *sql.DB, err error) {
	c := stdlib.GetConnector(*e.config, stdlib.OptionAfterConnect(utc))
	db := pool(c, Postgres, o.Tracer)
	db.SetMaxOpenConns(s.MaxConns)
	db.SetMaxIdleConns(s.MaxConns)
	return db, db, nil
}

// utc makes a connection return times in UTC, not in the zone of this machine.
func utc(_ context.Context, conn *pgx.Conn) error {
	conn.TypeMap().RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
	return nil
}

func (e *postgres) claim(ctx context.Context, writer *sql.DB, owner string) error {
	tx, err := writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, e.key("owner")); err != nil {
		return err
	}
	if err := e.makeSchema(ctx, tx); err != nil {
		return err
	}
	const tables = `SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace`
	if err := claimTx(ctx, tx, e.tableExists(), tables, owner); err != nil {
		return err
	}
	return tx.Commit()
}

// makeSchema makes the schema where there is none, and explains what the
// server would later refuse.
func (e *postgres) makeSchema(ctx context.Context, tx *sql.Tx) error {
	var role string
	var usage, create bool
	err := tx.QueryRowContext(ctx, `
		SELECT pg_get_userbyid(nspowner), has_schema_privilege(oid, 'USAGE'), has_schema_privilege(oid, 'CREATE')
		FROM pg_namespace WHERE nspname = $1`, e.schema).Scan(&role, &usage, &create)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		_, err := tx.ExecContext(ctx, `CREATE SCHEMA `+pgx.Identifier{e.schema}.Sanitize())
		if pgCode(err) == "42501" { // insufficient_privilege
			return fmt.Errorf("the schema does not exist and role %[1]s may not make it; let an administrator run CREATE SCHEMA %[2]s AUTHORIZATION %[1]s: %[3]w",
				e.config.User, e.schema, err)
		}
		return err
	case err != nil:
		return err
	case !usage || !create:
		return fmt.Errorf("the schema belongs to role %s and is closed to role %s", role, e.config.User)
	}
	return nil
}

// lock takes an advisory lock of a session, which the server gives up when the
// connection is gone. It is asked for again and again because waiting in the
// server would end with lock_timeout.
func (e *postgres) lock(ctx context.Context, writer *sql.DB) (unlock func() error, err error) {
	conn, err := writer.Conn(ctx)
	if err != nil {
		return nil, err
	}
	err = poll(ctx, func() (held bool, err error) {
		err = conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1)`, e.key("migrate")).Scan(&held)
		return held, err
	})
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return func() error {
		// The lock belongs to the session, so that the connection must not go
		// back to the pool with it, whatever has become of ctx.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		_, err := conn.ExecContext(ctx, `SELECT pg_advisory_unlock($1)`, e.key("migrate"))
		return errors.Join(err, conn.Close())
	}, nil
}

// key is the number of a lock. It is the same for all instances, and another
// for every schema of the database.
func (e *postgres) key(purpose string) int64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "store %s %s", purpose, e.schema)
	return int64(h.Sum64())
}

func (e *postgres) tableExists() string {
	return `SELECT count(*) > 0 FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1`
}

func (e *postgres) txOptions() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelSerializable}
}

// pgCode is the SQLSTATE of err, or "" if it is none of PostgreSQL's.
func pgCode(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
