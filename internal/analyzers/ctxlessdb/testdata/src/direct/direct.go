// Package direct calls database/sql and libraries of its shape.
package direct

import (
	"context"
	"database/sql"
	"log/slog"
	"net"
	"os/exec"

	"github.com/acme/sqlkit"
	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
)

func all(ctx context.Context, db *sql.DB, tx *sql.Tx, stmt *sql.Stmt) {
	db.Exec("x")            // want `\(\*sql.DB\).Exec is called without a context: use ExecContext; ctx is in reach`
	db.Query("x", 1, 2)     // want `\(\*sql.DB\).Query is called without a context: use QueryContext`
	db.QueryRow("x").Scan() // want `\(\*sql.DB\).QueryRow is called without a context: use QueryRowContext`
	db.Prepare("x")         // want `\(\*sql.DB\).Prepare is called without a context: use PrepareContext`
	db.Ping()               // want `\(\*sql.DB\).Ping is called without a context: use PingContext`
	db.Begin()              // want `\(\*sql.DB\).Begin is called without a context: use BeginTx`
	tx.Exec("x")            // want `\(\*sql.Tx\).Exec is called without a context: use ExecContext`
	tx.Prepare("x")         // want `\(\*sql.Tx\).Prepare is called without a context: use PrepareContext`
	stmt.Exec(1)            // want `\(\*sql.Stmt\).Exec is called without a context: use ExecContext`
	stmt.Query()            // want `\(\*sql.Stmt\).Query is called without a context: use QueryContext`
	stmt.QueryRow(1).Scan() // want `\(\*sql.Stmt\).QueryRow is called without a context: use QueryRowContext`
	(db).Exec(              // want `\(\*sql.DB\).Exec is called without a context`
		"x",
		1,
	)
}

func allWith(ctx context.Context, db *sql.DB, tx *sql.Tx, stmt *sql.Stmt, conn *sql.Conn) {
	db.ExecContext(ctx, "x")
	db.QueryContext(ctx, "x", 1, 2)
	db.QueryRowContext(ctx, "x").Scan()
	db.PrepareContext(ctx, "x")
	db.PingContext(ctx)
	db.BeginTx(ctx, nil)
	tx.ExecContext(ctx, "x")
	stmt.ExecContext(ctx, 1)
	conn.ExecContext(ctx, "x")
	db.Close()
	tx.Rollback()
	tx.Commit()
	stmt.Close()
	db.Stats()
	db.SetMaxOpenConns(1)
}

func others(ctx context.Context, l *sqlkit.Logger, r *sqlkit.Runner, d net.Dialer) {
	slog.Info("x")
	l.Info("x")
	r.Exec("x")
	d.Dial("tcp", "x")
	exec.Command("x").Run()
	sql.Open("x", "y")
}

func sqlxAll(ctx context.Context, db *sqlx.DB, tx *sqlx.Tx, n *sqlx.NamedStmt) {
	var v int
	db.Get(&v, "x")        // want `\(\*sqlx.DB\).Get is called without a context: use GetContext`
	db.Select(&v, "x")     // want `\(\*sqlx.DB\).Select is called without a context: use SelectContext`
	db.MustExec("x")       // want `\(\*sqlx.DB\).MustExec is called without a context: use MustExecContext`
	db.NamedExec("x", v)   // want `\(\*sqlx.DB\).NamedExec is called without a context: use NamedExecContext`
	db.Queryx("x")         // want `\(\*sqlx.DB\).Queryx is called without a context: use QueryxContext`
	db.Preparex("x")       // want `\(\*sqlx.DB\).Preparex is called without a context: use PreparexContext`
	db.Beginx()            // want `\(\*sqlx.DB\).Beginx is called without a context: use BeginTxx`
	db.Exec("x")           // want `\(\*sql.DB\).Exec is called without a context: use ExecContext`
	tx.Exec("x")           // want `\(\*sql.Tx\).Exec is called without a context: use ExecContext`
	n.Exec(v)              // want `\(\*sqlx.NamedStmt\).Exec is called without a context: use ExecContext`
	n.Get(&v, v)           // want `\(\*sqlx.NamedStmt\).Get is called without a context: use GetContext`
	sqlx.Get(db, &v, "x")  // want `sqlx.Get is called without a context: use GetContext`
	sqlx.Connect("x", "y") // want `sqlx.Connect is called without a context: use ConnectContext`
	goose.Up(db.DB, "x")   // want `goose.Up is called without a context: use UpContext`
	db.Rebind("x")
	sqlx.Rebind("x")
	db.GetContext(ctx, &v, "x")
	db.BeginTxx(ctx, nil)
	goose.UpContext(ctx, db.DB, "x")
}

func unknownLibrary(ctx context.Context, c *sqlkit.Client) {
	c.Exec("x") // want `\(\*sqlkit.Client\).Exec is called without a context: use ExecContext`
	c.Ping()    // want `\(\*sqlkit.Client\).Ping is called without a context: use PingContext`
	c.ExecContext(ctx, "x")
}

// Types of our own.

type named sql.DB // has no methods

type embedding struct{ *sql.DB }

type deep struct{ embedding }

type store struct {
	db    *sql.DB
	inner struct{ tx *sql.Tx }
}

// shadowing has an Exec of its own before the embedded one.
type shadowing struct{ *sql.DB }

func (s shadowing) Exec(query string, args ...any) (sql.Result, error) {
	return s.DB.Exec(query, args...) // want `\(\*sql.DB\).Exec is called without a context; there is ExecContext`
}

// Start is not a database's verb, though a service holds one.
func (s *store) Start() error                           { return nil }
func (s *store) StartContext(ctx context.Context) error { return nil }

func (s *store) Get(v any) error                             { return nil }
func (s *store) GetContext(ctx context.Context, v any) error { return nil }

type row struct{ name sql.NullString }

func (r *row) Load() error                           { return nil }
func (r *row) LoadContext(ctx context.Context) error { return nil }

func (s *store) own(ctx context.Context, e embedding, d *deep, n *named, sh shadowing, r *row) {
	s.db.Exec("x")         // want `\(\*sql.DB\).Exec is called without a context`
	s.inner.tx.Exec("x")   // want `\(\*sql.Tx\).Exec is called without a context`
	e.Exec("x")            // want `\(\*sql.DB\).Exec is called without a context`
	d.Query("x")           // want `\(\*sql.DB\).Query is called without a context`
	(*sql.DB)(n).Exec("x") // want `\(\*sql.DB\).Exec is called without a context`
	sh.Exec("x")           // want `\(direct.shadowing\).Exec is called without a context: use ExecContext`
	r.Load()
	s.Start()
	s.Get(1) // want `\(\*direct.store\).Get is called without a context: use GetContext`
	s.db.ExecContext(ctx, "x")
	e.ExecContext(ctx, "x")
	d.QueryContext(ctx, "x")
}

// Interfaces that mirror them.

type both interface {
	Exec(query string, args ...any) (sql.Result, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

type mirror interface {
	Exec(query string, args ...any) (sql.Result, error)
	Query(query string, args ...any) (*sql.Rows, error)
}

type executor interface {
	Exec(name string) error
}

func interfaces(ctx context.Context, b both, m mirror, e executor) {
	b.Exec("x") // want `\(direct.both\).Exec is called without a context: use ExecContext`
	m.Exec("x") // want `\(direct.mirror\).Exec is called without a context, and its interface has no ExecContext`
	b.ExecContext(ctx, "x")
	e.Exec("x")
}

func generic[T both](ctx context.Context, db T) {
	db.Exec("x") // want `Exec is called without a context: use ExecContext`
	db.ExecContext(ctx, "x")
}

func genericOther[T executor](ctx context.Context, e T) { e.Exec("x") }

// Values.

func values(ctx context.Context, db *sql.DB) {
	f := db.Exec         // want `\(\*sql.DB\).Exec is taken as a function without a context`
	g := (*sql.DB).Query // want `\(\*sql.DB\).Query is taken as a function without a context`
	h := db.ExecContext
	i := (*sql.DB).QueryContext
	_, _, _, _ = f, g, h, i
}
