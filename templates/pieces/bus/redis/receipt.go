package redis

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/fractl/fractl/templates/pieces/bus"
)

// receipts are the deliveries that this process has. While one is open, the server
// is told that it is still worked on.
type receipts struct {
	engine *Engine

	mu   sync.Mutex
	open map[place]*receipt
}

// place is where an entry is.
type place struct{ stream, group, id string }

// receipt is one delivery.
type receipt struct {
	place
	set *receipts
	out *bus.Window
}

func newReceipts(e *Engine) *receipts { return &receipts{engine: e, open: map[place]*receipt{}} }

// add notes a delivery. It returns false for one that is open already.
func (s *receipts) add(stream, group, id string, out *bus.Window) (*receipt, bool) {
	r := &receipt{place: place{stream, group, id}, set: s, out: out}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, open := s.open[r.place]; open {
		return nil, false
	}
	s.open[r.place] = r
	out.Take()
	return r, true
}

func (s *receipts) close(r *receipt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, open := s.open[r.place]; open {
		delete(s.open, r.place)
		r.out.Give()
	}
}

// The scripts touch an entry only while it is this process's: by the name alone,
// one that another process has inherited would be taken from it.
var (
	// extend begins the wait for the acknowledgements anew.
	extend = redis.NewScript(`
for i = 3, #ARGV do
	if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2]) == 1 then
		redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'JUSTID')
	end
end
return 1`)
	acknowledge = redis.NewScript(`
if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1, ARGV[2]) == 0 then return 0 end
return redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])`)
	// release makes an entry look as if it had been forgotten, and its delivery as
	// if it had not been.
	release = redis.NewScript(`
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1, ARGV[2])
if #pending == 0 then return 0 end
redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[3], 'IDLE', ARGV[4], 'RETRYCOUNT', math.max(0, pending[1][4] - 1), 'JUSTID')
return 1`)
)

// Ack is part of bus.Receipt.
func (r *receipt) Ack(ctx context.Context) error {
	e := r.set.engine
	ours, err := acknowledge.Run(ctx, e.client, []string{r.stream}, r.group, e.consumer, r.id).Int()
	if err != nil {
		return err // it is still open
	}
	r.set.close(r)
	if ours == 0 {
		return bus.ErrLost
	}
	return nil
}

// Release is part of bus.Receipt. The pause is not longer than the wait for an
// acknowledgement.
func (r *receipt) Release(ctx context.Context, pause time.Duration) error {
	defer r.set.close(r)
	e := r.set.engine
	idle := max(0, e.settings.AckWait-pause)
	return release.Run(ctx, e.client, []string{r.stream}, r.group, e.consumer, r.id, idle.Milliseconds()).Err()
}

// extendAtOnce is how many entries one script extends: the server does nothing
// else meanwhile.
const extendAtOnce = 100

// keep extends the open deliveries until ctx ends.
func (s *receipts) keep(ctx context.Context) {
	ticker := time.NewTicker(s.engine.settings.AckWait / 4)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		byStream := map[place][]any{}
		s.mu.Lock()
		for p := range s.open {
			of := place{stream: p.stream, group: p.group}
			byStream[of] = append(byStream[of], p.id)
		}
		s.mu.Unlock()
		for of, ids := range byStream {
			for len(ids) > 0 {
				some := ids[:min(extendAtOnce, len(ids))]
				ids = ids[len(some):]
				err := extend.Run(ctx, s.engine.client, []string{of.stream}, append([]any{of.group, s.engine.consumer}, some...)...).Err()
				if err != nil && ctx.Err() == nil {
					s.engine.log.Warn("redis: cannot extend deliveries", "group", of.group, "error", err)
				}
			}
		}
	}
}
