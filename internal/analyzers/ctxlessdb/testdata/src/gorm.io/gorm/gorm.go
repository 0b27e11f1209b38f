// Package gorm has the shape of the library of that name.
package gorm

import (
	"context"
	"database/sql"
)

type DB struct{ Error error }

type Session struct {
	Context context.Context
	DryRun  bool
}

func Open() (*DB, error) { return &DB{}, nil }

func (db *DB) WithContext(ctx context.Context) *DB                            { return db }
func (db *DB) Session(s *Session) *DB                                         { return db }
func (db *DB) Debug() *DB                                                     { return db }
func (db *DB) Where(q any, args ...any) *DB                                   { return db }
func (db *DB) Model(v any) *DB                                                { return db }
func (db *DB) Scopes(f ...func(*DB) *DB) *DB                                  { return db }
func (db *DB) Begin(opts ...*sql.TxOptions) *DB                               { return db }
func (db *DB) Commit() *DB                                                    { return db }
func (db *DB) Rollback() *DB                                                  { return db }
func (db *DB) Exec(q string, args ...any) *DB                                 { return db }
func (db *DB) Raw(q string, args ...any) *DB                                  { return db }
func (db *DB) Find(dest any, conds ...any) *DB                                { return db }
func (db *DB) First(dest any, conds ...any) *DB                               { return db }
func (db *DB) Create(v any) *DB                                               { return db }
func (db *DB) Count(n *int64) *DB                                             { return db }
func (db *DB) Transaction(f func(tx *DB) error, opts ...*sql.TxOptions) error { return f(db) }

type generic[T any] struct{}

func G[T any](db *DB) *generic[T]                                    { return nil }
func (g *generic[T]) Find(ctx context.Context) (list []T, err error) { return nil, nil }
