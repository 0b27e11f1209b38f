package nats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/fractl/fractl/templates/pieces/bus"
)

// graveyard keeps dead letters in a stream: of each event the last one, under a
// subject of its own.
type graveyard struct{ engine *Engine }

// Bury is part of bus.Graveyard.
func (g *graveyard) Bury(ctx context.Context, l bus.Letter) error {
	data, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if err := g.engine.make(ctx); err != nil {
		return err
	}
	if _, err := g.engine.js.Publish(ctx, g.subject(l.Group, l.Event.ID), data); err != nil {
		return fmt.Errorf("nats: dead letter: %w", err)
	}
	return nil
}

// List is part of bus.Graveyard.
func (g *graveyard) List(ctx context.Context, group, after string, limit int) ([]bus.Letter, error) {
	stream, err := g.stream(ctx)
	if err != nil {
		return nil, err
	}
	next := uint64(1)
	if after != "" {
		seq, _, err := g.find(ctx, stream, group, after)
		if err != nil {
			return nil, err
		}
		next = seq + 1
	}
	var list []bus.Letter
	for len(list) < limit {
		msg, err := stream.GetMsg(ctx, next, jetstream.WithGetMsgSubject(g.engine.settings.Stream+"-dead."+group+".*"))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("nats: dead letters: %w", err)
		}
		var l bus.Letter
		if err := json.Unmarshal(msg.Data, &l); err != nil {
			return nil, fmt.Errorf("nats: dead letter %d: %w", msg.Sequence, err)
		}
		list = append(list, l)
		next = msg.Sequence + 1
	}
	return list, nil
}

// Dig is part of bus.Graveyard.
func (g *graveyard) Dig(ctx context.Context, group, id string) (bus.Letter, error) {
	stream, err := g.stream(ctx)
	if err != nil {
		return bus.Letter{}, err
	}
	_, l, err := g.find(ctx, stream, group, id)
	return l, err
}

// Discard is part of bus.Graveyard.
func (g *graveyard) Discard(ctx context.Context, l bus.Letter) error {
	stream, err := g.stream(ctx)
	if err != nil {
		return err
	}
	seq, there, err := g.find(ctx, stream, l.Group, l.Event.ID)
	switch {
	case err != nil:
		return err
	case !there.Last.Equal(l.Last):
		return bus.ErrNotFound
	}
	// By its number, so that a letter that comes in between stays.
	if err := stream.DeleteMsg(ctx, seq); errors.Is(err, jetstream.ErrMsgNotFound) {
		return bus.ErrNotFound
	} else if err != nil {
		return fmt.Errorf("nats: discard a dead letter: %w", err)
	}
	return nil
}

func (g *graveyard) find(ctx context.Context, stream jetstream.Stream, group, id string) (uint64, bus.Letter, error) {
	msg, err := stream.GetLastMsgForSubject(ctx, g.subject(group, id))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, bus.Letter{}, bus.ErrNotFound
	}
	if err != nil {
		return 0, bus.Letter{}, fmt.Errorf("nats: dead letter: %w", err)
	}
	var l bus.Letter
	err = json.Unmarshal(msg.Data, &l)
	return msg.Sequence, l, err
}

func (g *graveyard) stream(ctx context.Context) (jetstream.Stream, error) {
	if err := g.engine.make(ctx); err != nil {
		return nil, err
	}
	stream, err := g.engine.js.Stream(ctx, g.engine.settings.Stream+"-dead")
	if err != nil {
		return nil, fmt.Errorf("nats: dead letters: %w", err)
	}
	return stream, nil
}

func (g *graveyard) subject(group, id string) string {
	return g.engine.settings.Stream + "-dead." + group + "." + digest(id)
}
