package goose

import (
	"context"
	"database/sql"
)

type GoFunc struct {
	RunTx func(ctx context.Context, tx *sql.Tx) error
}

func AddMigrationContext(up, down func(ctx context.Context, tx *sql.Tx) error) {}

func Up(db *sql.DB, dir string) error                             { return nil }
func UpContext(ctx context.Context, db *sql.DB, dir string) error { return nil }
