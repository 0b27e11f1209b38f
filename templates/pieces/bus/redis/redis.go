// Package redis is the engine of the bus on Redis Streams: events survive the
// process, as far as the server is told to keep what it has, and groups are shared
// by processes.
//
// All events of a bus are in one stream, from which an event goes once each group
// has acknowledged it; what is meant for one group alone is in a stream of that
// group. Within a process events with one key are handled in order. Where several
// processes share a group, events with one key may be handled by several of them at
// a time. It works with Redis from version 6.2 on, as one server or behind a proxy
// that looks like one.
package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/fractl/fractl/templates/pieces/bus"
)

// Engine is a bus.Engine. It reaches for its server in the background: until it is
// there publishing fails and Check tells why.
type Engine struct {
	settings Settings
	log      *slog.Logger
	client   *redis.Client
	consumer string // name of this process
	receipts *receipts
	keeper   sync.WaitGroup
	stop     context.CancelFunc
}

// New returns an engine. Close follows.
func New(s Settings, log *slog.Logger) (*Engine, error) {
	client, err := s.Connect()
	if err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.Default()
	}
	host, err := os.Hostname()
	if err != nil {
		host = "host"
	}
	e := &Engine{settings: s, log: log, client: client,
		consumer: fmt.Sprintf("%s-%d-%08x", host, os.Getpid(), rand.Uint32())}
	e.receipts = newReceipts(e)
	ctx, stop := context.WithCancel(context.Background())
	e.stop = stop
	e.keeper.Go(func() { e.receipts.keep(ctx) })
	return e, nil
}

// add appends an event unless the stream is full. Where there is no stream, no
// group was ever made.
var add = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 1 end
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('XADD', KEYS[1], '*', 'event', ARGV[2])
return 1`)

// Publish is part of bus.Engine.
func (e *Engine) Publish(ctx context.Context, event bus.Event) error {
	return e.add(ctx, e.settings.events(), event)
}

// Send is part of bus.Engine.
func (e *Engine) Send(ctx context.Context, group string, event bus.Event) error {
	return e.add(ctx, e.settings.to(group), event)
}

func (e *Engine) add(ctx context.Context, stream string, event bus.Event) error {
	data, err := bus.Encode(event)
	if err != nil {
		return err
	}
	added, err := add.Run(ctx, e.client, []string{stream}, e.settings.MaxEvents, data).Int()
	switch {
	case err != nil:
		return fmt.Errorf("redis: publish: %w", err)
	case added == 0:
		return &bus.OverloadedError{}
	}
	return nil
}

// Graveyard is part of bus.Engine.
func (e *Engine) Graveyard() bus.Graveyard { return &graveyard{e.client, e.settings} }

// Claims returns claims that all processes of the bus share.
func (e *Engine) Claims() *Claims { return NewClaims(e.client, e.settings.Prefix) }

// Check is part of bus.Engine.
func (e *Engine) Check(ctx context.Context) error {
	if err := e.client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("redis: %s: %w", e.client.Options().Addr, err)
	}
	return nil
}

// Close is part of bus.Engine. What is not acknowledged by now comes again.
func (e *Engine) Close() error {
	e.stop()
	e.keeper.Wait()
	if err := e.client.Close(); err != nil && !errors.Is(err, redis.ErrClosed) {
		return fmt.Errorf("redis: %w", err)
	}
	return nil
}
