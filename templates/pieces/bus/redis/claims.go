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

// Claims are bus.Claims that processes share. An event takes one key; its value is
// the token of its owner, with a mark where it is committed. What Redis forgets, for
// example in a failover, is as if it had never been: only an inbox makes an effect
// happen exactly once.
type Claims struct {
	client redis.UniversalClient
	prefix string
}

// NewClaims returns claims whose keys begin with prefix.
func NewClaims(client redis.UniversalClient, prefix string) *Claims {
	return &Claims{client: client, prefix: prefix}
}

// doneMark is what the value of a committed event begins with.
const doneMark = "done:"

// Claim is part of bus.Claims.
func (c *Claims) Claim(ctx context.Context, key bus.ClaimKey, owner bus.Token, lease time.Duration) (bus.Claim, error) {
	name := claimName(c.prefix, key)
	mine, err := c.client.SetNX(ctx, name, owner.String(), lease).Result()
	if err != nil {
		return bus.Claim{}, fmt.Errorf("redis: claim: %w", err)
	}
	if mine {
		return bus.Claim{State: bus.Claimed}, nil
	}
	value, err := c.client.Get(ctx, name).Result()
	if errors.Is(err, redis.Nil) {
		return bus.Claim{State: bus.InProgress, Wait: time.Millisecond}, nil // it has ended just now
	}
	if err != nil {
		return bus.Claim{}, fmt.Errorf("redis: claim: %w", err)
	}
	switch {
	case strings.HasPrefix(value, doneMark):
		return bus.Claim{State: bus.Done}, nil
	case value == owner.String():
		return bus.Claim{State: bus.Claimed}, nil // the answer to the first time was lost
	}
	left, err := c.client.PTTL(ctx, name).Result()
	if err != nil {
		return bus.Claim{}, fmt.Errorf("redis: claim: %w", err)
	}
	return bus.Claim{State: bus.InProgress, Wait: max(left, time.Millisecond)}, nil
}

// set changes the value and the time of a key whose value is the one or the other.
var set = redis.NewScript(`
local value = redis.call('GET', KEYS[1])
if value ~= ARGV[1] and value ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`)

// Extend is part of bus.Claims.
func (c *Claims) Extend(ctx context.Context, key bus.ClaimKey, owner bus.Token, lease time.Duration) error {
	return c.set(ctx, key, owner.String(), owner.String(), lease)
}

// Commit is part of bus.Claims.
func (c *Claims) Commit(ctx context.Context, key bus.ClaimKey, owner bus.Token, retention time.Duration) error {
	return c.set(ctx, key, owner.String(), doneMark+owner.String(), retention)
}

func (c *Claims) set(ctx context.Context, key bus.ClaimKey, old, new string, until time.Duration) error {
	done, err := set.Run(ctx, c.client, []string{claimName(c.prefix, key)}, old, new, max(until.Milliseconds(), 1)).Int()
	switch {
	case err != nil:
		return fmt.Errorf("redis: claim: %w", err)
	case done == 0:
		return bus.ErrLost
	}
	return nil
}

var del = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`)

// Abandon is part of bus.Claims.
func (c *Claims) Abandon(ctx context.Context, key bus.ClaimKey, owner bus.Token) error {
	if err := del.Run(ctx, c.client, []string{claimName(c.prefix, key)}, owner.String()).Err(); err != nil {
		return fmt.Errorf("redis: claim: %w", err)
	}
	return nil
}

// claimName is the key of a claim. The length of the group stands before it, so
// that no two of them have one name, whatever characters they are made of.
func claimName(prefix string, key bus.ClaimKey) string {
	return "{" + prefix + "}:claim:" + strconv.Itoa(len(key.Group)) + ":" + key.Group + ":" + key.ID
}

// parseClaimName is the opposite of claimName.
func parseClaimName(prefix, name string) (bus.ClaimKey, bool) {
	rest, ok := strings.CutPrefix(name, "{"+prefix+"}:claim:")
	if !ok {
		return bus.ClaimKey{}, false
	}
	length, rest, ok := strings.Cut(rest, ":")
	n, err := strconv.Atoi(length)
	if !ok || err != nil || n < 0 || n >= len(rest) || rest[n] != ':' {
		return bus.ClaimKey{}, false
	}
	return bus.ClaimKey{Group: rest[:n], ID: rest[n+1:]}, true
}
