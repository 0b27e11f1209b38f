// Package migrate has migrations, and a function that looks like one.
package migrate

import (
	"context"
	"database/sql"

	"github.com/pressly/goose/v3"
)

func init() {
	goose.AddMigrationContext(up, nil)
}

var byHand = goose.GoFunc{RunTx: byHandUp}

func up(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.Exec("x") // want `use ExecContext; ctx is in reach`
	return err
}

func byHandUp(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.Exec("x") // want `use ExecContext; ctx is in reach`
	return err
}

func save(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.Exec("x") // want `use ExecContext; ctx is in reach`
	return err
}
