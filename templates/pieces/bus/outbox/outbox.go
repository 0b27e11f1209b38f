// Package outbox publishes events of a transaction: an event is written beside the
// changes that it tells of, and published once these are committed. Neither is
// there without the other, whatever dies when.
//
//	err := db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
//		if _, err := tx.ExecContext(ctx, `INSERT INTO …`); err != nil {
//			return err
//		}
//		return box.Append(ctx, tx, bus.Event{ID: …})
//	})
//
// An event stays in the outbox until the bus will not lose it: until an engine
// keeps it, or, in memory, until every group has handled it. What was under way
// when a process died is published again, so that groups see it at least once; an
// inbox makes of that an effect exactly once. Of all processes on one database one
// relays at a time, so that the order is kept. The tables are those of the
// migration that comes with the bus.
package outbox

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/fractl/fractl/templates/pieces/bus"
	"github.com/fractl/fractl/templates/pieces/bus/inbox"
	"github.com/fractl/fractl/templates/pieces/store"
)

// Options are the terms of an outbox.
type Options struct {
	// Poll is how often the relay looks for events of other processes, and for
	// those that were committed late; by default every 500 ms. Those of this
	// process are looked for at once.
	Poll time.Duration
	// Lease is how long a relay that died keeps the others from relaying; by
	// default 15 s.
	Lease time.Duration
	// Log tells of failures; nil means slog.Default.
	Log *slog.Logger
}

// Outbox keeps events that are to be published. It is safe for concurrent use.
type Outbox struct {
	db      *store.DB
	options Options
	lease   *inbox.Inbox
	owner   bus.Token // of this relay
	wake    chan struct{}

	mu      sync.Mutex
	settled []int64 // what can be deleted
	some    chan struct{}
}

// New returns the outbox of a database that is, or will be, migrated.
func New(db *store.DB, o Options) *Outbox {
	if o.Poll <= 0 {
		o.Poll = 500 * time.Millisecond
	}
	if o.Lease <= 0 {
		o.Lease = 15 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Outbox{db: db, options: o, lease: inbox.New(db), owner: bus.Token{Hi: rand.Uint64(), Lo: rand.Uint64()},
		wake: make(chan struct{}, 1), some: make(chan struct{}, 1)}
}

// Append writes an event into a transaction. A zero time of the event becomes that
// of now.
func (o *Outbox) Append(ctx context.Context, tx *sql.Tx, e bus.Event) error {
	return o.append(ctx, tx, "", e)
}

func (o *Outbox) append(ctx context.Context, tx *sql.Tx, group string, e bus.Event) error {
	if err := e.Validate(); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	if e.Time.IsZero() {
		e.Time = time.Now().UTC()
	}
	data, err := bus.Encode(e)
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO bus_outbox (grp, id, relay, event) VALUES ($1, $2, '', $3)`, group, e.ID, data)
	if err != nil {
		return err
	}
	// The relay comes too early where the commit takes long, and then again.
	notify(o.wake)
	return nil
}

// Len is the number of events in the outbox, with those under way.
func (o *Outbox) Len(ctx context.Context) (n int, err error) {
	err = o.db.Reader().QueryRowContext(ctx, `SELECT count(*) FROM bus_outbox`).Scan(&n)
	return n, err
}

func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
