// Package sqlx has the shape of the library of that name.
package sqlx

import (
	"context"
	"database/sql"
)

type DB struct{ *sql.DB }

func (db *DB) Get(dest any, query string, args ...any) error { return nil }
func (db *DB) GetContext(ctx context.Context, dest any, query string, args ...any) error {
	return nil
}
func (db *DB) Select(dest any, query string, args ...any) error { return nil }
func (db *DB) SelectContext(ctx context.Context, dest any, query string, args ...any) error {
	return nil
}
func (db *DB) MustExec(query string, args ...any) sql.Result { return nil }
func (db *DB) MustExecContext(ctx context.Context, query string, args ...any) sql.Result {
	return nil
}
func (db *DB) NamedExec(query string, arg any) (sql.Result, error) { return nil, nil }
func (db *DB) NamedExecContext(ctx context.Context, query string, arg any) (sql.Result, error) {
	return nil, nil
}
func (db *DB) Queryx(query string, args ...any) (*Rows, error) { return nil, nil }
func (db *DB) QueryxContext(ctx context.Context, query string, args ...any) (*Rows, error) {
	return nil, nil
}
func (db *DB) Preparex(query string) (*Stmt, error)                             { return nil, nil }
func (db *DB) PreparexContext(ctx context.Context, query string) (*Stmt, error) { return nil, nil }
func (db *DB) Beginx() (*Tx, error)                                             { return nil, nil }
func (db *DB) BeginTxx(ctx context.Context, opts *sql.TxOptions) (*Tx, error)   { return nil, nil }
func (db *DB) Rebind(query string) string                                       { return query }

type Tx struct{ *sql.Tx }
type Stmt struct{ *sql.Stmt }
type Rows struct{ *sql.Rows }

// NamedStmt holds its database two types deep.
type NamedStmt struct{ Stmt *Stmt }

func (n *NamedStmt) Exec(arg any) (sql.Result, error)                             { return nil, nil }
func (n *NamedStmt) ExecContext(ctx context.Context, arg any) (sql.Result, error) { return nil, nil }
func (n *NamedStmt) Get(dest, arg any) error                                      { return nil }
func (n *NamedStmt) GetContext(ctx context.Context, dest, arg any) error          { return nil }

type Queryer interface {
	Query(query string, args ...any) (*sql.Rows, error)
}
type QueryerContext interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func Get(q Queryer, dest any, query string, args ...any) error { return nil }
func GetContext(ctx context.Context, q QueryerContext, dest any, query string, args ...any) error {
	return nil
}
func Connect(driver, dsn string) (*DB, error)                             { return nil, nil }
func ConnectContext(ctx context.Context, driver, dsn string) (*DB, error) { return nil, nil }
func Rebind(query string) string                                          { return query }
