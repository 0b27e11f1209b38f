// Package sql keeps the lease of an election in the database of the program:
// one row, taken and renewed by conditional statements. Only the clock of the
// database counts, that of PostgreSQL's server or, for SQLite, of this machine.
//
// Instances that wait look at the row every now and then, which costs the
// database one read by primary key. A leader that keeps SQLite's only writer
// busy for longer than its lease loses it, so it writes in short transactions.
package sql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/fractl/fractl/templates/pieces/election"
	"github.com/fractl/fractl/templates/pieces/store"
)

// Lease is a lease in a database. It is safe for concurrent use.
type Lease struct {
	db    *store.DB
	name  string
	poll  time.Duration
	clock string // SQL expression: microseconds by the clock of the database
	made  atomic.Bool
}

// The clocks, in microseconds since 1970. That of PostgreSQL is not now(),
// which stands still in a transaction; that of SQLite has milliseconds.
const (
	postgresClock = `(extract(epoch FROM clock_timestamp()) * 1000000)::bigint`
	sqliteClock   = `CAST(unixepoch('subsec') * 1000000 AS INTEGER)`
)

// New returns the lease of the given name in the database. Its table,
// election_leases, is made when it is first used.
func New(db *store.DB, name string, s Settings) (*Lease, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if db == nil || name == "" {
		return nil, errors.New("sql lease: needs a database and a name")
	}
	l := &Lease{db: db, name: name, poll: s.Poll, clock: sqliteClock}
	if db.Engine() == store.Postgres {
		l.clock = postgresClock
	}
	return l, nil
}

// Acquire implements election.Lease.
func (l *Lease) Acquire(ctx context.Context, candidate string, ttl time.Duration) (election.Holder, bool, error) {
	if err := l.prepare(ctx); err != nil {
		return election.Holder{}, false, l.explain("take", err)
	}
	// One that looks first does not write in vain, which would make it wait for
	// all writers.
	held, free, err := l.look(ctx)
	if err != nil {
		return election.Holder{}, false, l.explain("read", err)
	}
	if !free && held.ID != candidate {
		return held, false, nil
	}
	var token election.Token
	err = l.db.Writer().QueryRowContext(ctx, `
		INSERT INTO election_leases (name, holder, epoch, expires_at) VALUES ($1, $2, 1, `+l.clock+` + $3)
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, epoch = election_leases.epoch + 1, expires_at = excluded.expires_at
		WHERE election_leases.expires_at <= `+l.clock+` OR election_leases.holder = excluded.holder
		RETURNING epoch`, l.name, candidate, ttl.Microseconds()).Scan(&token)
	switch {
	case err == nil:
		return election.Holder{ID: candidate, Token: token}, true, nil
	case !errors.Is(err, sql.ErrNoRows):
		return election.Holder{}, false, l.explain("take", err)
	}
	// Another one was faster.
	if held, _, err = l.look(ctx); err != nil {
		return election.Holder{}, false, l.explain("read", err)
	}
	return held, false, nil
}

// Renew implements election.Lease.
func (l *Lease) Renew(ctx context.Context, candidate string, token election.Token, ttl time.Duration) error {
	result, err := l.db.Writer().ExecContext(ctx, `
		UPDATE election_leases SET expires_at = `+l.clock+` + $4
		WHERE name = $1 AND holder = $2 AND epoch = $3 AND expires_at > `+l.clock,
		l.name, candidate, int64(token), ttl.Microseconds())
	if err != nil {
		return l.explain("renew", err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return l.explain("renew", err)
	}
	if n == 0 {
		return l.explain("renew", election.ErrLost)
	}
	return nil
}

// Release implements election.Lease. The row stays, for the sake of the epoch.
func (l *Lease) Release(ctx context.Context, candidate string, token election.Token) error {
	_, err := l.db.Writer().ExecContext(ctx, `
		UPDATE election_leases SET holder = '', expires_at = 0 WHERE name = $1 AND holder = $2 AND epoch = $3`,
		l.name, candidate, int64(token))
	if err != nil {
		return l.explain("give up", err)
	}
	return nil
}

// Wait implements election.Lease.
func (l *Lease) Wait(ctx context.Context, held election.Holder) error {
	timer := time.NewTimer(l.pause())
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timer.C:
		}
		now, free, err := l.look(ctx)
		if err != nil {
			return l.explain("read", err)
		}
		if free || now != held {
			return nil
		}
		timer.Reset(l.pause())
	}
}

// pause is the time between two looks, with jitter.
func (l *Lease) pause() time.Duration { return l.poll/2 + rand.N(l.poll) }

// look returns who holds the lease, and whether it is free.
func (l *Lease) look(ctx context.Context) (held election.Holder, free bool, err error) {
	err = l.db.Reader().QueryRowContext(ctx,
		`SELECT holder, epoch, expires_at <= `+l.clock+` FROM election_leases WHERE name = $1`, l.name).
		Scan(&held.ID, &held.Token, &free)
	if errors.Is(err, sql.ErrNoRows) {
		return election.Holder{}, true, nil
	}
	if free {
		held = election.Holder{}
	}
	return held, free, err
}

// prepare makes the table where there is none. Whether there is one is asked
// first, for a role may have the right to use it and none to make it; and
// afterwards, for another instance may have made it in the same moment, of which
// PostgreSQL makes an error.
func (l *Lease) prepare(ctx context.Context) error {
	if l.made.Load() {
		return nil
	}
	_, _, missing := l.look(ctx)
	if missing != nil {
		_, err := l.db.Writer().ExecContext(ctx, `CREATE TABLE IF NOT EXISTS election_leases (
			name TEXT NOT NULL PRIMARY KEY, holder TEXT NOT NULL, epoch BIGINT NOT NULL, expires_at BIGINT NOT NULL)`)
		if err != nil {
			if _, _, missing = l.look(ctx); missing != nil {
				return err
			}
		}
	}
	l.made.Store(true)
	return nil
}

func (l *Lease) explain(what string, err error) error {
	return fmt.Errorf("%s lease %s in the database: %w", what, l.name, err)
}
