package outbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/fractl/fractl/templates/pieces/bus"
)

// Graveyard keeps dead letters in the database of an outbox. It implements
// bus.Graveyard, and lets an event that is replayed go through the outbox, so that
// no crash loses it. It is safe for concurrent use.
type Graveyard struct{ outbox *Outbox }

// Graveyard returns the one beside the outbox.
func (o *Outbox) Graveyard() *Graveyard { return &Graveyard{o} }

// Bury is part of bus.Graveyard.
func (g *Graveyard) Bury(ctx context.Context, l bus.Letter) error {
	data, err := bus.Encode(l.Event)
	if err != nil {
		return err
	}
	return g.outbox.db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		// Not an update: the letter goes to the end of the list.
		if _, err := tx.ExecContext(ctx, `DELETE FROM bus_dead_letters WHERE grp = $1 AND id = $2`, l.Group, l.Event.ID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO bus_dead_letters (grp, id, cause, attempts, first_at, last_at, event) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			l.Group, l.Event.ID, l.Cause, l.Attempts, l.First.UnixMicro(), l.Last.UnixMicro(), data)
		return err
	})
}

const letterColumns = `SELECT grp, cause, attempts, first_at, last_at, event FROM bus_dead_letters `

// List is part of bus.Graveyard.
func (g *Graveyard) List(ctx context.Context, group, after string, limit int) ([]bus.Letter, error) {
	var from int64
	if after != "" {
		err := g.outbox.db.Reader().QueryRowContext(ctx, `SELECT seq FROM bus_dead_letters WHERE grp = $1 AND id = $2`, group, after).Scan(&from)
		if err != nil {
			return nil, notFound(err)
		}
	}
	rows, err := g.outbox.db.Reader().QueryContext(ctx, letterColumns+`WHERE grp = $1 AND seq > $2 ORDER BY seq LIMIT $3`, group, from, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []bus.Letter
	for rows.Next() {
		l, err := scanLetter(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, l)
	}
	return list, rows.Err()
}

// Dig is part of bus.Graveyard.
func (g *Graveyard) Dig(ctx context.Context, group, id string) (bus.Letter, error) {
	l, err := scanLetter(g.outbox.db.Reader().QueryRowContext(ctx, letterColumns+`WHERE grp = $1 AND id = $2`, group, id))
	return l, notFound(err)
}

// Discard is part of bus.Graveyard.
func (g *Graveyard) Discard(ctx context.Context, l bus.Letter) error {
	result, err := g.outbox.db.Writer().ExecContext(ctx, `DELETE FROM bus_dead_letters WHERE grp = $1 AND id = $2 AND last_at = $3`,
		l.Group, l.Event.ID, l.Last.UnixMicro())
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return bus.ErrNotFound
}

// Replay moves an event from its letter into the outbox, for its group alone.
func (g *Graveyard) Replay(ctx context.Context, group, id string) error {
	return g.outbox.db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		l, err := scanLetter(tx.QueryRowContext(ctx, letterColumns+`WHERE grp = $1 AND id = $2`, group, id))
		if err != nil {
			return notFound(err)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM bus_dead_letters WHERE grp = $1 AND id = $2`, group, id); err != nil {
			return err
		}
		return g.outbox.append(ctx, tx, group, l.Event)
	})
}

func scanLetter(row interface{ Scan(dest ...any) error }) (bus.Letter, error) {
	var l bus.Letter
	var first, last int64
	var data []byte
	if err := row.Scan(&l.Group, &l.Cause, &l.Attempts, &first, &last, &data); err != nil {
		return bus.Letter{}, err
	}
	l.First, l.Last = time.UnixMicro(first).UTC(), time.UnixMicro(last).UTC()
	// What could not be read when it came may be here too.
	return l, json.Unmarshal(data, &l.Event)
}

func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return bus.ErrNotFound
	}
	return err
}
