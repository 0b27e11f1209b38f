package bus

import (
	"context"
	"errors"
	"time"
)

// DeadLetters returns up to limit dead letters of a group that come after the one
// of the event after, or the first ones where that is empty, in the order in which
// they were buried.
func (b *Bus) DeadLetters(ctx context.Context, group, after string, limit int) ([]Letter, error) {
	if _, err := b.group(group); err != nil {
		return nil, err
	}
	return b.graveyard.List(ctx, group, after, limit)
}

// Replay gives a dead letter to its group again, and to no other, with all its
// attempts ahead of it. The letter is gone afterwards, unless the event becomes
// one again.
func (b *Bus) Replay(ctx context.Context, group, id string) error {
	if _, err := b.group(group); err != nil {
		return err
	}
	// A graveyard beside an outbox moves the event there, which no crash undoes.
	if mover, ok := b.graveyard.(interface {
		Replay(ctx context.Context, group, id string) error
	}); ok {
		return mover.Replay(ctx, group, id)
	}
	letter, err := b.graveyard.Dig(ctx, group, id)
	if err != nil {
		return err
	}
	if err := b.SendTracked(ctx, group, letter.Event, nil); err != nil {
		return err
	}
	// In this order: what is in both places is handled once. It may have been
	// buried again by now, in a letter of its own.
	if err := b.graveyard.Discard(ctx, letter); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return nil
}

// Discard removes a dead letter for good.
func (b *Bus) Discard(ctx context.Context, group, id string) error {
	if _, err := b.group(group); err != nil {
		return err
	}
	letter, err := b.graveyard.Dig(ctx, group, id)
	if err != nil {
		return err
	}
	return b.graveyard.Discard(ctx, letter)
}

// SendTracked is PublishTracked for one group alone, whatever types it subscribes
// to; settled may be nil.
func (b *Bus) SendTracked(ctx context.Context, group string, e Event, settled func()) error {
	g, err := b.group(group)
	if err != nil {
		return err
	}
	if b.closed.Load() {
		return ErrClosed
	}
	if b.engine != nil {
		err := b.engine.Send(ctx, group, e)
		if err == nil && settled != nil {
			settled()
		}
		return err
	}
	if err := g.lanes.reserve(ctx); err != nil {
		return named(err, group)
	}
	var s *settlement
	if settled != nil {
		s = &settlement{settled: settled}
		s.missing.Store(1)
	}
	g.lanes.put(&e, g.arrival(&e, time.Now(), s))
	return nil
}
