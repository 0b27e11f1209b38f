package election

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
)

// Fence refuses the writes of former leaders in a SQL database. It is one row,
// which holds the highest token that has written:
//
//	tx ...
//	fence.Guard(ctx, tx, token)   // first, in the same transaction
//	tx.ExecContext(ctx, "UPDATE ...")
//
// The row is locked until the transaction ends, so that the transactions of two
// leaders never overlap: the later leader waits for an earlier one that is about
// to commit, or the earlier one is refused. The statements are those that SQLite
// and PostgreSQL both understand. A Fence is safe for concurrent use.
type Fence struct{ name string }

// Execer runs a statement: a *sql.DB, a *sql.Conn or a *sql.Tx.
type Execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

var fenceName = regexp.MustCompile(`^[a-zA-Z0-9._/-]{1,200}$`)

// NewFence returns the fence of the given name, of letters, digits and . _ / -
func NewFence(name string) (*Fence, error) {
	if !fenceName.MatchString(name) {
		return nil, fmt.Errorf("election: fence name %q is not made of up to 200 letters, digits and . _ / -", name)
	}
	return &Fence{name: name}, nil
}

// Prepare makes the table of all fences, election_fences, where there is none.
// It is called before the fence is used.
func (f *Fence) Prepare(ctx context.Context, db *sql.DB) error {
	return makeTable(ctx, db, "election_fences",
		`CREATE TABLE IF NOT EXISTS election_fences (name TEXT NOT NULL PRIMARY KEY, epoch BIGINT NOT NULL)`)
}

// Guard goes first into each transaction of a leader. It fails with a
// *FencedError where a leader with a higher token has been here; then the
// transaction must not be committed.
func (f *Fence) Guard(ctx context.Context, tx *sql.Tx, token Token) error {
	return f.raise(ctx, tx, token)
}

// Raise is Guard without a write: from then on the writes of former leaders are
// refused. A leader does so when its term begins. A refusal then tells that the
// tokens have begun anew, because the record of the lease was deleted.
func (f *Fence) Raise(ctx context.Context, db Execer, token Token) error {
	return f.raise(ctx, db, token)
}

func (f *Fence) raise(ctx context.Context, db Execer, token Token) error {
	if token <= 0 {
		return &FencedError{Name: f.name, Token: token}
	}
	result, err := db.ExecContext(ctx, `
		INSERT INTO election_fences (name, epoch) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch WHERE election_fences.epoch <= excluded.epoch`,
		f.name, int64(token))
	if err != nil {
		return fmt.Errorf("fence %s: %w", f.name, err)
	}
	return f.Written(result, token)
}

// Written is for a row that carries its token itself, and is written by
//
//	UPDATE ... SET ..., epoch = $1 WHERE id = $2 AND epoch <= $1
//
// It fails with a *FencedError where that changed no row.
func (f *Fence) Written(result sql.Result, token Token) error {
	n, err := result.RowsAffected()
	if err != nil {
		return fmt.Errorf("fence %s: %w", f.name, err)
	}
	if n == 0 {
		return &FencedError{Name: f.name, Token: token}
	}
	return nil
}

// makeTable makes a table where there is none. Whether there is one is tried
// first, since a role may have the right to use it and none to make it; and
// afterwards, since another instance may have made it in the same moment, of
// which PostgreSQL makes an error.
func makeTable(ctx context.Context, db *sql.DB, name, statement string) error {
	exists := func() error {
		rows, err := db.QueryContext(ctx, `SELECT 1 FROM `+name+` LIMIT 1`)
		if err != nil {
			return err
		}
		return errors.Join(rows.Err(), rows.Close())
	}
	if exists() == nil {
		return nil
	}
	if _, err := db.ExecContext(ctx, statement); err != nil && exists() != nil {
		return fmt.Errorf("make table %s: %w", name, err)
	}
	return nil
}
