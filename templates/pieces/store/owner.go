package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// OwnerError tells that a database belongs to somebody else.
type OwnerError struct {
	// Owner is whose it is, or "" where there are tables and no owner is
	// recorded.
	Owner string
	// Want is who tried to open it.
	Want string
}

// Error names both.
func (e *OwnerError) Error() string {
	if e.Owner == "" {
		return fmt.Sprintf("holds tables that %s has not made; give it a database or schema of its own", e.Want)
	}
	return fmt.Sprintf("belongs to %s and is closed to %s, which needs a database or schema of its own", e.Owner, e.Want)
}

// claimTx records the owner in a database that is empty and compares it in any
// other. tables counts the tables that are there.
func claimTx(ctx context.Context, tx *sql.Tx, tableExists, tables, owner string) error {
	var exists bool
	if err := tx.QueryRowContext(ctx, tableExists, "schema_owner").Scan(&exists); err != nil {
		return err
	}
	if !exists {
		var n int
		if err := tx.QueryRowContext(ctx, tables).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return &OwnerError{Want: owner}
		}
		if _, err := tx.ExecContext(ctx, `CREATE TABLE schema_owner (owner TEXT NOT NULL PRIMARY KEY)`); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO schema_owner (owner) VALUES ($1)`, owner)
		return err
	}
	var recorded string
	switch err := tx.QueryRowContext(ctx, `SELECT owner FROM schema_owner`).Scan(&recorded); {
	case errors.Is(err, sql.ErrNoRows):
		return &OwnerError{Want: owner}
	case err != nil:
		return err
	case recorded != owner:
		return &OwnerError{Owner: recorded, Want: owner}
	}
	return nil
}
