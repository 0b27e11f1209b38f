// Package nats is the engine of the bus on NATS JetStream: events survive the
// process, and groups are shared by processes.
//
// All events of a bus are in one stream, from which an event goes once each group
// has acknowledged it; each group is a durable consumer of the stream, and dead
// letters are in a stream of their own. Within a process events with one key are
// handled in order. Where several processes share a group, events with one key may
// be handled by several of them at a time.
package nats

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/fractl/fractl/templates/pieces/bus"
)

// Engine is a bus.Engine. It reaches for its server, and makes the streams, in the
// background: until then publishing fails and Check tells why.
type Engine struct {
	settings Settings
	log      *slog.Logger
	conn     *nats.Conn
	js       jetstream.JetStream
	receipts *receipts
	keeper   sync.WaitGroup
	stop     context.CancelFunc

	mu   sync.Mutex
	made bool // the streams are there
}

// New returns an engine. Close follows. options are for the connection, beside
// those of the settings.
func New(s Settings, log *slog.Logger, options ...nats.Option) (*Engine, error) {
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("nats: %w", err)
	}
	if log == nil {
		log = slog.Default()
	}
	e := &Engine{settings: s, log: log}
	conn, err := nats.Connect(strings.Join(s.URLs, ","), append(s.connection(log), options...)...)
	if err != nil {
		return nil, fmt.Errorf("nats: %w", err)
	}
	e.conn = conn
	if e.js, err = jetstream.New(conn, jetstream.WithDefaultTimeout(s.Timeout)); err != nil {
		conn.Close()
		return nil, fmt.Errorf("nats: %w", err)
	}
	e.receipts = newReceipts(s.AckWait, log)
	ctx, stop := context.WithCancel(context.Background())
	e.stop = stop
	e.keeper.Go(func() { e.receipts.keep(ctx) })
	return e, nil
}

// Publish is part of bus.Engine. The server refuses a second event with one id
// within the settings' window for duplicates, which is no error.
func (e *Engine) Publish(ctx context.Context, event bus.Event) error {
	return e.publish(ctx, e.settings.Stream+".all", event, jetstream.WithMsgID(digest(event.ID)))
}

// Send is part of bus.Engine.
func (e *Engine) Send(ctx context.Context, group string, event bus.Event) error {
	return e.publish(ctx, e.settings.Stream+".to."+group, event)
}

func (e *Engine) publish(ctx context.Context, subject string, event bus.Event, options ...jetstream.PublishOpt) error {
	data, err := bus.Encode(event)
	if err != nil {
		return err
	}
	if err := e.make(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, e.settings.Timeout)
	defer cancel()
	_, err = e.js.Publish(ctx, subject, data, append(options, jetstream.WithExpectStream(e.settings.Stream))...)
	if refused, ok := errors.AsType[*jetstream.APIError](err); ok && strings.Contains(refused.Description, "maximum") {
		return &bus.OverloadedError{}
	}
	if err != nil {
		return fmt.Errorf("nats: publish: %w", err)
	}
	return nil
}

// make makes the streams, once.
func (e *Engine) make(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.made {
		return nil
	}
	if !e.conn.IsConnected() {
		return fmt.Errorf("nats: no connection to %s: %w", strings.Join(e.settings.URLs, ", "), lastError(e.conn))
	}
	ctx, cancel := context.WithTimeout(ctx, e.settings.Timeout)
	defer cancel()
	for _, config := range []jetstream.StreamConfig{e.settings.events(), e.settings.letters()} {
		if _, err := e.js.CreateOrUpdateStream(ctx, config); err != nil {
			return fmt.Errorf("nats: stream %s: %w", config.Name, err)
		}
	}
	e.made = true
	return nil
}

func lastError(c *nats.Conn) error {
	if err := c.LastError(); err != nil {
		return err
	}
	return nats.ErrDisconnected
}

// Graveyard is part of bus.Engine.
func (e *Engine) Graveyard() bus.Graveyard { return &graveyard{e} }

// Check is part of bus.Engine: it asks whether the server answers and has the
// streams.
func (e *Engine) Check(ctx context.Context) error {
	if err := e.make(ctx); err != nil {
		return err
	}
	if _, err := e.js.Stream(ctx, e.settings.Stream); err != nil {
		return fmt.Errorf("nats: stream %s: %w", e.settings.Stream, err)
	}
	return nil
}

// Close is part of bus.Engine. What is not acknowledged by now comes again.
func (e *Engine) Close() error {
	e.stop()
	e.keeper.Wait()
	defer e.conn.Close()
	if !e.conn.IsConnected() {
		return nil
	}
	// The last acknowledgements are on their way.
	if err := e.conn.FlushTimeout(e.settings.Timeout); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		return fmt.Errorf("nats: %w", err)
	}
	return nil
}

// digest makes of an id what may stand in a header and in a subject.
func digest(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}
