package store

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"time"

	lib "modernc.org/sqlite/lib"
)

// Attempts of a transaction and the pause after the first, which doubles each
// time: about two seconds in all. Whoever loses so often is better told.
const (
	txAttempts = 8
	txPause    = 10 * time.Millisecond
)

// InTx runs fn in a serializable transaction and commits it if fn returns nil.
// A transaction that lost against another (serialization failure, deadlock,
// busy) was undone as a whole and is tried again, so fn must touch nothing but
// tx and what it can set anew. Use tx for all statements in fn: another one on
// the Writer would wait for this transaction for ever. fn returns the errors of
// tx as they are or wrapped.
func (db *DB) InTx(ctx context.Context, fn func(ctx context.Context, tx *sql.Tx) error) error {
	pause := txPause
	for attempt := 1; ; attempt++ {
		err := db.inTx(ctx, fn)
		if err == nil || !isLost(err) || attempt == txAttempts {
			return err
		}
		db.options.Log.DebugContext(ctx, "transaction lost, trying again", "attempt", attempt, "error", err.Error())
		// With jitter, or the losers of one round meet again in the next.
		timer := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%w, after: %w", context.Cause(ctx), err)
		case <-timer.C:
		}
		pause *= 2
	}
}

func (db *DB) inTx(ctx context.Context, fn func(ctx context.Context, tx *sql.Tx) error) error {
	tx, err := db.writer.BeginTx(ctx, db.engine.txOptions())
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit; on a panic it frees the connection
	if err := fn(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

// isLost tells whether the database undid a transaction in favour of another.
// An error of the connection is none of these: the commit may have been done.
func isLost(err error) bool {
	switch pgCode(err) {
	case "40001", "40P01", "55P03": // serialization_failure, deadlock_detected, lock_not_available
		return true
	}
	return isBusy(err)
}

// IsDuplicate tells whether err says that a row with the same unique key exists.
func IsDuplicate(err error) bool {
	switch sqliteCode(err) {
	case lib.SQLITE_CONSTRAINT_UNIQUE, lib.SQLITE_CONSTRAINT_PRIMARYKEY:
		return true
	}
	return pgCode(err) == "23505" // unique_violation
}
