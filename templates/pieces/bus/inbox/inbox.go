// Package inbox makes the effect of an event happen exactly once: the note that a
// group has handled it is written in the transaction of the handler's own changes,
// so that both are there or neither.
//
//	box := inbox.New(db)
//	err := b.Subscribe("mailer", box.Handler(func(ctx context.Context, tx *sql.Tx, d bus.Delivery) error {
//		_, err := tx.ExecContext(ctx, `INSERT INTO …`)
//		return err
//	}), bus.GroupOptions{})
//
// That holds for what the handler does through tx. What it does elsewhere, a mail
// for example, may happen more than once. The tables are those of the migration
// that comes with the bus.
package inbox

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/fractl/fractl/templates/pieces/bus"
	"github.com/fractl/fractl/templates/pieces/store"
)

// Inbox keeps the notes of all groups in one database. It implements bus.Claims
// as well: with it, processes that share a group do not work on one event at the
// same time. All times are those of the database. It is safe for concurrent use.
type Inbox struct {
	db  *store.DB
	sql statements
}

// New returns the inbox of a database that is, or will be, migrated.
func New(db *store.DB) *Inbox {
	return &Inbox{db: db, sql: newStatements(db.Engine())}
}

// Handler returns a handler that runs h in a transaction of its own and notes in
// it that the group has handled the event. For an event that it has handled before
// h is not called. h follows the rules of store.DB.InTx: it may be called several
// times until one transaction is committed.
func (i *Inbox) Handler(h func(ctx context.Context, tx *sql.Tx, d bus.Delivery) error) bus.Handler {
	return func(ctx context.Context, d bus.Delivery) error {
		return i.db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
			switch first, err := i.note(ctx, tx, d); {
			case err != nil:
				return err
			case !first:
				return nil
			}
			return h(ctx, tx, d)
		})
	}
}

// note writes that the event is handled. It returns false where that is known.
func (i *Inbox) note(ctx context.Context, tx *sql.Tx, d bus.Delivery) (first bool, err error) {
	result, err := tx.ExecContext(ctx, i.sql.claim, d.Group, d.ID, d.Token.String(), true, d.Retention.Microseconds())
	if err != nil {
		return false, err
	}
	if first, err := changed(result); first || err != nil {
		return first, err
	}
	known, err := i.state(ctx, tx, bus.ClaimKey{Group: d.Group, ID: d.ID})
	if err == nil && known.State != bus.Done {
		err = bus.ErrLost // it is claimed by another
	}
	return false, err
}

// Claim is part of bus.Claims.
func (i *Inbox) Claim(ctx context.Context, key bus.ClaimKey, owner bus.Token, lease time.Duration) (bus.Claim, error) {
	result, err := i.db.Writer().ExecContext(ctx, i.sql.claim, key.Group, key.ID, owner.String(), false, lease.Microseconds())
	if err != nil {
		return bus.Claim{}, err
	}
	if mine, err := changed(result); err != nil {
		return bus.Claim{}, err
	} else if mine {
		return bus.Claim{State: bus.Claimed}, nil
	}
	return i.state(ctx, i.db.Writer(), key)
}

// state tells why an event could not be claimed.
func (i *Inbox) state(ctx context.Context, db querier, key bus.ClaimKey) (bus.Claim, error) {
	var done bool
	var left int64
	err := db.QueryRowContext(ctx, i.sql.state, key.Group, key.ID).Scan(&done, &left)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		// It was given up in the meantime, and can be claimed now.
		return bus.Claim{State: bus.InProgress, Wait: time.Millisecond}, nil
	case err != nil:
		return bus.Claim{}, err
	case done:
		return bus.Claim{State: bus.Done}, nil
	}
	return bus.Claim{State: bus.InProgress, Wait: max(time.Duration(left)*time.Microsecond, time.Millisecond)}, nil
}

type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Extend is part of bus.Claims.
func (i *Inbox) Extend(ctx context.Context, key bus.ClaimKey, owner bus.Token, lease time.Duration) error {
	return i.update(ctx, i.sql.extend, key.Group, key.ID, owner.String(), lease.Microseconds())
}

// Commit is part of bus.Claims. After a Handler there is nothing left to do for
// it.
func (i *Inbox) Commit(ctx context.Context, key bus.ClaimKey, owner bus.Token, retention time.Duration) error {
	return i.update(ctx, i.sql.commit, key.Group, key.ID, owner.String(), retention.Microseconds())
}

// update changes a claim, or returns bus.ErrLost.
func (i *Inbox) update(ctx context.Context, query string, args ...any) error {
	result, err := i.db.Writer().ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	if ours, err := changed(result); err != nil || ours {
		return err
	}
	return bus.ErrLost
}

// Abandon is part of bus.Claims.
func (i *Inbox) Abandon(ctx context.Context, key bus.ClaimKey, owner bus.Token) error {
	_, err := i.db.Writer().ExecContext(ctx, i.sql.abandon, key.Group, key.ID, owner.String())
	return err
}

// Prune forgets, in steps, the events whose retention is over and which are not in
// the outbox any more: those may come again. It returns how many there were.
func (i *Inbox) Prune(ctx context.Context) (forgotten int64, err error) {
	for {
		result, err := i.db.Writer().ExecContext(ctx, i.sql.prune, pruneStep)
		if err != nil {
			return forgotten, err
		}
		n, err := result.RowsAffected()
		if forgotten += n; err != nil || n < pruneStep {
			return forgotten, err
		}
	}
}

// pruneStep is how many notes one statement deletes, so that others can write in
// between.
const pruneStep = 1000

// Run prunes the inbox from time to time until ctx ends. Failures are for the next
// time; report may be nil.
func (i *Inbox) Run(ctx context.Context, interval time.Duration, report func(error)) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if _, err := i.Prune(ctx); err != nil && ctx.Err() == nil && report != nil {
			report(err)
		}
	}
}

func changed(result sql.Result) (bool, error) {
	n, err := result.RowsAffected()
	return n > 0, err
}
