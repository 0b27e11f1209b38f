package nats

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/fractl/fractl/templates/pieces/bus"
)

// receipts are the deliveries that this process has. While one is open, the server
// is told that it is still worked on.
type receipts struct {
	ackWait time.Duration
	log     *slog.Logger

	mu   sync.Mutex
	open map[*receipt]struct{}
}

func newReceipts(ackWait time.Duration, log *slog.Logger) *receipts {
	return &receipts{ackWait: ackWait, log: log, open: map[*receipt]struct{}{}}
}

// receipt is one of them.
type receipt struct {
	set   *receipts
	msg   jetstream.Msg
	out   *bus.Window
	alive time.Time // when the server was last told; with the mu of the set
}

func (s *receipts) add(msg jetstream.Msg, out *bus.Window) *receipt {
	r := &receipt{set: s, msg: msg, out: out, alive: time.Now()}
	out.Take()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[r] = struct{}{}
	return r
}

// close takes a receipt out of the set. It returns false where the delivery may be
// another process's by now: to acknowledge it then could end that other's.
func (s *receipts) close(r *receipt) (ours bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, open := s.open[r]; open {
		delete(s.open, r)
		r.out.Give()
	}
	return time.Since(r.alive) < s.ackWait
}

// keep tells the server of the open ones until ctx ends.
func (s *receipts) keep(ctx context.Context) {
	ticker := time.NewTicker(s.ackWait / 4)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		s.mu.Lock()
		open := make([]*receipt, 0, len(s.open))
		for r := range s.open {
			if time.Since(r.alive) < s.ackWait { // it is too late for the others
				open = append(open, r)
			}
		}
		s.mu.Unlock()
		for _, r := range open {
			now := time.Now()
			if err := r.msg.InProgress(); err != nil {
				s.log.Warn("nats: cannot extend a delivery", "error", err)
				continue
			}
			s.mu.Lock()
			r.alive = now
			s.mu.Unlock()
		}
	}
}

// Ack is part of bus.Receipt. It does not wait for the server: where it is lost,
// the event comes again and is known.
func (r *receipt) Ack(context.Context) error {
	if !r.set.close(r) {
		return bus.ErrLost
	}
	return r.msg.Ack()
}

// Release is part of bus.Receipt.
func (r *receipt) Release(_ context.Context, pause time.Duration) error {
	switch {
	case !r.set.close(r):
		return nil // it comes again by itself
	case pause > 0:
		return r.msg.NakWithDelay(pause)
	}
	return r.msg.Nak()
}
