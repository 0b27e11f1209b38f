package outbox

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fractl/fractl/templates/pieces/bus"
)

// Publisher is what the relay needs of a bus.
type Publisher interface {
	PublishTracked(ctx context.Context, e bus.Event, settled func()) error
	SendTracked(ctx context.Context, group string, e bus.Event, settled func()) error
}

// relayKey is what relays claim. No group has this name.
var relayKey = bus.ClaimKey{Group: "", ID: "outbox-relay"}

// Relay publishes what is in the outbox until ctx ends, while no other process
// does, and deletes what is settled. It returns nil then, and is called once. Close
// follows, after the bus was closed.
func (o *Outbox) Relay(ctx context.Context, p Publisher) error {
	var sweeper sync.WaitGroup
	sweeping, stop := context.WithCancel(context.WithoutCancel(ctx))
	sweeper.Go(func() { o.sweep(sweeping) })
	for ctx.Err() == nil {
		if err := o.reign(ctx, p); err != nil && ctx.Err() == nil {
			o.options.Log.ErrorContext(ctx, "outbox: the relay was interrupted", "error", err)
			o.pause(ctx, o.options.Poll)
		}
	}
	stop()
	sweeper.Wait()
	return nil
}

// Close deletes what was settled since the relay ended, and lets another process
// relay. It comes after the bus was closed: what the bus had not settled by then is
// published again.
func (o *Outbox) Close(ctx context.Context) error {
	return errors.Join(o.flush(ctx), o.lease.Abandon(ctx, relayKey, o.owner))
}

// reign waits for its turn and then publishes until ctx ends, the turn is lost, or
// something fails.
func (o *Outbox) reign(ctx context.Context, p Publisher) error {
	for {
		claim, err := o.lease.Claim(ctx, relayKey, o.owner, o.options.Lease)
		if err != nil {
			return err
		}
		if claim.State == bus.Claimed {
			break
		}
		o.pause(ctx, min(claim.Wait, o.options.Lease/4))
		if ctx.Err() != nil {
			return nil
		}
	}
	turn, end := context.WithCancelCause(ctx)
	var keeper sync.WaitGroup
	keeper.Go(func() { o.keep(turn, end) })
	err := o.publishAll(turn, p)
	end(nil)
	keeper.Wait()
	return err
}

// keep extends the lease, and ends the turn where that is lost.
func (o *Outbox) keep(turn context.Context, end context.CancelCauseFunc) {
	ticker := time.NewTicker(o.options.Lease / 4)
	defer ticker.Stop()
	sure := time.Now()
	for {
		select {
		case <-turn.Done():
			return
		case <-ticker.C:
		}
		now := time.Now()
		switch err := o.lease.Extend(turn, relayKey, o.owner, o.options.Lease); {
		case err == nil:
			sure = now
		case errors.Is(err, bus.ErrLost) || now.Sub(sure) >= o.options.Lease:
			end(errors.Join(errors.New("another process may relay by now"), err))
			return
		}
	}
}

// row is one event of the outbox.
type row struct {
	seq   int64
	group string
	event []byte
}

func (o *Outbox) publishAll(ctx context.Context, p Publisher) error {
	soon := o.options.Poll
	for ctx.Err() == nil {
		rows, err := o.take(ctx)
		if err != nil {
			return errors.Join(context.Cause(ctx), err)
		}
		for _, r := range rows {
			if err := o.publish(ctx, p, r); err != nil {
				return errors.Join(context.Cause(ctx), err)
			}
		}
		switch {
		case len(rows) == batch:
		case len(rows) == 0 && soon < o.options.Poll:
			// What woke the relay is not committed yet.
			o.pause(ctx, soon)
			soon *= 2
		case o.idle(ctx):
			soon = time.Millisecond
		default:
			soon = o.options.Poll
		}
	}
	return context.Cause(ctx)
}

// batch is how many events are taken at a time.
const batch = 256

// take marks the oldest events that this relay has not published, and returns
// them. A relay that was stopped for long and comes back finds that it has no turn.
func (o *Outbox) take(ctx context.Context) (rows []row, err error) {
	var waiting bool
	// Only who finds something writes.
	err = o.db.Reader().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM bus_outbox WHERE relay <> $1)`, o.owner.String()).Scan(&waiting)
	if err != nil || !waiting {
		return nil, err
	}
	err = o.db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		rows = rows[:0]
		found, err := tx.QueryContext(ctx, `UPDATE bus_outbox SET relay = $1
			WHERE seq IN (SELECT seq FROM bus_outbox WHERE relay <> $1 ORDER BY seq LIMIT $2)
			AND EXISTS (SELECT 1 FROM bus_inbox WHERE grp = $3 AND id = $4 AND owner = $1)
			RETURNING seq, grp, event`, o.owner.String(), batch, relayKey.Group, relayKey.ID)
		if err != nil {
			return err
		}
		defer found.Close()
		for found.Next() {
			var r row
			if err := found.Scan(&r.seq, &r.group, &r.event); err != nil {
				return err
			}
			rows = append(rows, r)
		}
		return found.Err()
	})
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.seq, b.seq) })
	return rows, err
}

// publish gives one event to the bus, however long that takes.
func (o *Outbox) publish(ctx context.Context, p Publisher, r row) error {
	e, err := bus.Decode(r.event)
	if err != nil {
		// Append does not write such a thing. Nobody can handle it, and it must
		// not hold up what comes after it.
		o.options.Log.ErrorContext(ctx, "outbox: an event cannot be read and stays where it is", "seq", r.seq, "error", err)
		return nil
	}
	for {
		settled := func() { o.settle(r.seq) }
		if r.group == "" {
			err = p.PublishTracked(ctx, e, settled)
		} else {
			err = p.SendTracked(ctx, r.group, e, settled)
		}
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil || errors.Is(err, bus.ErrClosed):
			return err
		case errors.Is(err, bus.ErrNotFound):
			o.options.Log.ErrorContext(ctx, "outbox: an event stays where it is: its group is not there", "event", e.ID, "group", r.group)
			return nil
		}
		o.options.Log.WarnContext(ctx, "outbox: cannot publish, trying again", "event", e.ID, "error", err)
		o.pause(ctx, o.options.Poll)
	}
}

// settle notes that an event can be deleted.
func (o *Outbox) settle(seq int64) {
	o.mu.Lock()
	o.settled = append(o.settled, seq)
	o.mu.Unlock()
	notify(o.some)
}

// sweep deletes what is settled, many at a time, until ctx ends.
func (o *Outbox) sweep(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.some:
		}
		o.pause(ctx, 5*time.Millisecond) // there are more to come
		if err := o.flush(ctx); err != nil && ctx.Err() == nil {
			o.options.Log.ErrorContext(ctx, "outbox: cannot delete what was published", "error", err)
			o.pause(ctx, o.options.Poll)
			notify(o.some)
		}
	}
}

// flush deletes what is settled.
func (o *Outbox) flush(ctx context.Context) error {
	for {
		o.mu.Lock()
		seqs := o.settled[:min(batch, len(o.settled))]
		o.settled = o.settled[len(seqs):]
		o.mu.Unlock()
		if len(seqs) == 0 {
			return nil
		}
		list := make([]string, len(seqs))
		for i, seq := range seqs {
			list[i] = strconv.FormatInt(seq, 10)
		}
		// Numbers, which need no quotes; databases differ in how they take lists.
		_, err := o.db.Writer().ExecContext(ctx, `DELETE FROM bus_outbox WHERE seq IN (`+strings.Join(list, ",")+`)`)
		if err != nil {
			o.mu.Lock()
			o.settled = append(o.settled, seqs...)
			o.mu.Unlock()
			return err
		}
	}
}

// idle waits until there may be something to publish. It returns true where that
// was appended by this process.
func (o *Outbox) idle(ctx context.Context) (woken bool) {
	timer := time.NewTimer(o.options.Poll)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-o.wake:
		return true
	case <-timer.C:
	}
	return false
}

func (o *Outbox) pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
