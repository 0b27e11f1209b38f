package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/fractl/fractl/templates/pieces/bus"
)

// block is how long the server holds a request for events that are not there: as
// long as the end of a process may be held up.
const block = 250 * time.Millisecond

// Consume is part of bus.Engine.
func (e *Engine) Consume(ctx context.Context, c bus.Consumption) error {
	g := &consumption{Consumption: c, engine: e, out: bus.NewWindow(c.Window),
		streams: []string{e.settings.events(), e.settings.to(c.Group)}}
	if err := g.create(ctx); err != nil {
		return err
	}
	c.Ready()
	for ctx.Err() == nil {
		free, ok := g.out.Free(ctx)
		if !ok {
			break
		}
		if err := g.turn(ctx, free); err != nil && ctx.Err() == nil {
			return fmt.Errorf("redis: group %s: %w", c.Group, err)
		}
	}
	g.leave(context.WithoutCancel(ctx))
	return context.Cause(ctx)
}

// consumption is the part of this process in a group.
type consumption struct {
	bus.Consumption
	engine  *Engine
	out     *bus.Window
	streams []string // of all events, and of those for this group alone
	looked  time.Time
	trimmed time.Time
}

// create makes the group where there is none: for what is published from now on.
func (g *consumption) create(ctx context.Context) error {
	for _, stream := range g.streams {
		err := g.engine.client.XGroupCreateMkStream(ctx, stream, g.Group, "$").Err()
		if err != nil && !strings.HasPrefix(err.Error(), "BUSYGROUP") {
			return fmt.Errorf("redis: group %s: %w", g.Group, err)
		}
	}
	return nil
}

// turn hands out what is there, and does from time to time what keeps the streams
// in order.
func (g *consumption) turn(ctx context.Context, free int) error {
	if time.Since(g.looked) > g.engine.settings.AckWait/4 {
		g.looked = time.Now()
		for _, stream := range g.streams {
			if err := g.inherit(ctx, stream, free); err != nil {
				return err
			}
		}
	}
	if time.Since(g.trimmed) > time.Second {
		g.trimmed = time.Now()
		for _, stream := range g.streams {
			if err := g.trim(ctx, stream); err != nil {
				return err
			}
		}
	}
	read, err := g.engine.client.XReadGroup(ctx, &redis.XReadGroupArgs{
		Group: g.Group, Consumer: g.engine.consumer, Count: int64(free), Block: block,
		Streams: []string{g.streams[0], g.streams[1], ">", ">"},
	}).Result()
	if errors.Is(err, redis.Nil) {
		return nil
	}
	for _, stream := range read {
		for _, msg := range stream.Messages {
			g.hand(ctx, stream.Stream, msg, 0)
		}
	}
	return err
}

// inherit takes over the events of processes from which nothing was heard.
func (g *consumption) inherit(ctx context.Context, stream string, free int) error {
	found, _, err := g.engine.client.XAutoClaim(ctx, &redis.XAutoClaimArgs{Stream: stream, Group: g.Group,
		Consumer: g.engine.consumer, MinIdle: g.engine.settings.AckWait, Start: "0", Count: int64(free)}).Result()
	if err != nil {
		return err
	}
	for _, msg := range found {
		pending, err := g.engine.client.XPendingExt(ctx, &redis.XPendingExtArgs{Stream: stream, Group: g.Group,
			Start: msg.ID, End: msg.ID, Count: 1, Consumer: g.engine.consumer}).Result()
		if err != nil {
			return err
		}
		if len(pending) == 1 {
			g.hand(ctx, stream, msg, int(pending[0].RetryCount)-1)
		}
	}
	return nil
}

// hand hands one event on, or gives it back.
func (g *consumption) hand(ctx context.Context, stream string, msg redis.XMessage, attempts int) {
	r, fresh := g.engine.receipts.add(stream, g.Group, msg.ID, g.out)
	if !fresh {
		return // it was never away
	}
	in := bus.Incoming{Attempts: max(0, attempts), Receipt: r}
	data, _ := msg.Values["event"].(string)
	if event, err := bus.Decode([]byte(data)); err != nil {
		in.Err = err
		in.Event = bus.Event{ID: stream + "/" + msg.ID, Type: "unreadable", Payload: []byte(data)}
	} else {
		in.Event = event
	}
	if err := g.Deliver(ctx, in); err != nil {
		_ = r.Release(context.WithoutCancel(ctx), 0) // or it comes after the wait for an acknowledgement
	}
}

// trim removes what every group has acknowledged. What is read first is older than
// what is removed, so that nothing newer can go.
func (g *consumption) trim(ctx context.Context, stream string) error {
	groups, err := g.engine.client.XInfoGroups(ctx, stream).Result()
	if err != nil {
		return err
	}
	var least streamID
	for i, group := range groups {
		needs, err := parseID(group.LastDeliveredID)
		if err != nil {
			return err
		}
		needs.seq++ // the next one
		if group.Pending > 0 {
			pending, err := g.engine.client.XPending(ctx, stream, group.Name).Result()
			if err != nil {
				return err
			}
			if pending.Count > 0 {
				if needs, err = parseID(pending.Lower); err != nil {
					return err
				}
			}
		}
		if i == 0 || needs.before(least) {
			least = needs
		}
	}
	if len(groups) == 0 || least == (streamID{seq: 1}) {
		return nil
	}
	return g.engine.client.XTrimMinID(ctx, stream, least.String()).Err()
}

// leave removes this process from the group if it has nothing in hand; otherwise
// another one inherits that.
func (g *consumption) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, g.engine.settings.Timeout)
	defer cancel()
	for _, stream := range g.streams {
		_ = leave.Run(ctx, g.engine.client, []string{stream}, g.Group, g.engine.consumer).Err()
	}
}

var leave = redis.NewScript(`
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) == 0 then
	redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
end
return 1`)

// streamID is the id of an entry.
type streamID struct{ ms, seq uint64 }

func parseID(id string) (streamID, error) {
	ms, seq, _ := strings.Cut(id, "-")
	var parsed streamID
	var errs [2]error
	parsed.ms, errs[0] = strconv.ParseUint(ms, 10, 64)
	parsed.seq, errs[1] = strconv.ParseUint(seq, 10, 64)
	if err := errors.Join(errs[:]...); err != nil {
		return streamID{}, fmt.Errorf("id %q: %w", id, err)
	}
	return parsed, nil
}

func (id streamID) before(other streamID) bool {
	return id.ms < other.ms || id.ms == other.ms && id.seq < other.seq
}

func (id streamID) String() string {
	return strconv.FormatUint(id.ms, 10) + "-" + strconv.FormatUint(id.seq, 10)
}
