package nats

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/fractl/fractl/templates/pieces/bus"
)

// Consume is part of bus.Engine.
func (e *Engine) Consume(ctx context.Context, c bus.Consumption) error {
	consumer, err := e.consumer(ctx, c.Group)
	if err != nil {
		return err
	}
	c.Ready()
	out := bus.NewWindow(c.Window)
	for ctx.Err() == nil {
		free, ok := out.Free(ctx)
		if !ok {
			break
		}
		batch, err := consumer.Fetch(free, jetstream.FetchContext(ctx))
		if err != nil {
			return fmt.Errorf("nats: consumer %s: %w", c.Group, err)
		}
		for msg := range batch.Messages() {
			e.deliver(ctx, msg, out, c.Deliver)
		}
		if err := batch.Error(); err != nil && ctx.Err() == nil {
			return fmt.Errorf("nats: consumer %s: %w", c.Group, err)
		}
	}
	return context.Cause(ctx)
}

func (e *Engine) consumer(ctx context.Context, group string) (jetstream.Consumer, error) {
	if err := e.make(ctx); err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, e.settings.Timeout)
	defer cancel()
	consumer, err := e.js.CreateOrUpdateConsumer(limited, e.settings.Stream, e.settings.consumer(group))
	if err != nil {
		return nil, fmt.Errorf("nats: consumer %s: %w", group, err)
	}
	return consumer, nil
}

// deliver hands one message on, or gives it back.
func (e *Engine) deliver(ctx context.Context, msg jetstream.Msg, out *bus.Window, deliver func(context.Context, bus.Incoming) error) {
	in := bus.Incoming{}
	if meta, err := msg.Metadata(); err == nil {
		in.Attempts = int(meta.NumDelivered) - 1
		in.Event.ID = fmt.Sprintf("%s/%d", meta.Stream, meta.Sequence.Stream) // in case it cannot be read
	}
	if event, err := bus.Decode(msg.Data()); err != nil {
		in.Err = err
		in.Event.Type, in.Event.Payload = "unreadable", msg.Data()
	} else {
		in.Event = event
	}
	r := e.receipts.add(msg, out)
	in.Receipt = r
	if err := deliver(ctx, in); err != nil {
		_ = r.Release(ctx, 0) // or it comes after the wait for an acknowledgement
	}
}
