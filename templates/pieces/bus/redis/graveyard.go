package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/fractl/fractl/templates/pieces/bus"
)

// graveyard keeps the dead letters of a group in a hash, and their order in a
// sorted set.
type graveyard struct {
	client   redis.UniversalClient
	settings Settings
}

// A letter is kept with the time of its burial in front, which Discard compares.
func stamp(last time.Time) string { return strconv.FormatInt(last.UnixNano(), 10) + ":" }

var bury = redis.NewScript(`
local last = redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], (last[2] or 0) + 1, ARGV[1])
return 1`)

// Bury is part of bus.Graveyard.
func (g *graveyard) Bury(ctx context.Context, l bus.Letter) error {
	data, err := json.Marshal(l)
	if err != nil {
		return err
	}
	keys := []string{g.settings.letters(l.Group), g.settings.order(l.Group)}
	if err := bury.Run(ctx, g.client, keys, l.Event.ID, stamp(l.Last)+string(data)).Err(); err != nil {
		return fmt.Errorf("redis: dead letter: %w", err)
	}
	return nil
}

// List is part of bus.Graveyard.
func (g *graveyard) List(ctx context.Context, group, after string, limit int) ([]bus.Letter, error) {
	first := int64(0)
	if after != "" {
		rank, err := g.client.ZRank(ctx, g.settings.order(group), after).Result()
		if errors.Is(err, redis.Nil) {
			return nil, bus.ErrNotFound
		}
		if err != nil {
			return nil, fmt.Errorf("redis: dead letters: %w", err)
		}
		first = rank + 1
	}
	if limit < 1 {
		return nil, nil
	}
	ids, err := g.client.ZRange(ctx, g.settings.order(group), first, first+int64(limit)-1).Result()
	if err != nil {
		return nil, fmt.Errorf("redis: dead letters: %w", err)
	}
	var list []bus.Letter
	for _, id := range ids {
		l, err := g.Dig(ctx, group, id)
		if errors.Is(err, bus.ErrNotFound) {
			continue // it was discarded just now
		}
		if err != nil {
			return nil, err
		}
		list = append(list, l)
	}
	return list, nil
}

// Dig is part of bus.Graveyard.
func (g *graveyard) Dig(ctx context.Context, group, id string) (bus.Letter, error) {
	value, err := g.client.HGet(ctx, g.settings.letters(group), id).Bytes()
	if errors.Is(err, redis.Nil) {
		return bus.Letter{}, bus.ErrNotFound
	}
	if err != nil {
		return bus.Letter{}, fmt.Errorf("redis: dead letter: %w", err)
	}
	for i, c := range value {
		if c == ':' {
			value = value[i+1:]
			break
		}
	}
	var l bus.Letter
	if err := json.Unmarshal(value, &l); err != nil {
		return bus.Letter{}, fmt.Errorf("redis: dead letter %s: %w", id, err)
	}
	return l, nil
}

var discard = redis.NewScript(`
local value = redis.call('HGET', KEYS[1], ARGV[1])
if not value or string.sub(value, 1, #ARGV[2]) ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1`)

// Discard is part of bus.Graveyard.
func (g *graveyard) Discard(ctx context.Context, l bus.Letter) error {
	keys := []string{g.settings.letters(l.Group), g.settings.order(l.Group)}
	gone, err := discard.Run(ctx, g.client, keys, l.Event.ID, stamp(l.Last)).Int()
	switch {
	case err != nil:
		return fmt.Errorf("redis: discard a dead letter: %w", err)
	case gone == 0:
		return bus.ErrNotFound
	}
	return nil
}
