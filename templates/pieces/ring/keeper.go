package ring

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

// Keeper keeps a ring in step with a source. Where the source fails, the nodes
// last known stay, and it is tried again, ever more slowly. It is safe for
// concurrent use.
type Keeper struct {
	ring   *Ring
	source Source
	opts   KeeperOptions

	known sync.Once
	first chan struct{} // closed once a list has taken effect

	mu       sync.Mutex
	failure  error     // of the source, since when it has told nothing
	failedAt time.Time // when that began
	failures uint64
}

// KeeperOptions are the terms of a keeper.
type KeeperOptions struct {
	// Log tells of changes and failures; nil means slog.Default.
	Log *slog.Logger
	// RetryMin and RetryMax are the least and the longest time until a source
	// that failed is tried again; 0 means 200 ms and 30 s.
	RetryMin, RetryMax time.Duration
	// OnChange is told of every change after it has taken effect, one at a time;
	// nil means that nobody listens.
	OnChange func(Change)
}

// NewKeeper returns a keeper, which does nothing until Run.
func NewKeeper(r *Ring, s Source, o KeeperOptions) *Keeper {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.OnChange == nil {
		o.OnChange = func(Change) {}
	}
	o.RetryMin = cmp.Or(o.RetryMin, 200*time.Millisecond)
	o.RetryMax = max(cmp.Or(o.RetryMax, 30*time.Second), o.RetryMin)
	return &Keeper{ring: r, source: s, opts: o, first: make(chan struct{})}
}

// Run follows the source until ctx ends, then returns nil.
func (k *Keeper) Run(ctx context.Context) error {
	delay := k.opts.RetryMin
	for {
		heard := false
		err := k.source.Watch(ctx, func(nodes []Node) {
			heard = true
			k.apply(nodes)
		})
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			err = errors.New("source ended")
		}
		if heard {
			delay = k.opts.RetryMin
		}
		k.fail(err)
		wait := delay/2 + rand.N(delay/2+1)
		k.opts.Log.WarnContext(ctx, "ring membership failed, the nodes last known stay",
			"error", err, "nodes", k.ring.Snapshot().Len(), "retry_in", wait)
		if !sleep(ctx, wait) {
			return nil
		}
		delay = min(2*delay, k.opts.RetryMax)
	}
}

// Check returns nil if the ring has nodes; it fits a critical health check. At
// the start, when the source has not told anything yet, it waits for that until
// ctx ends.
func (k *Keeper) Check(ctx context.Context) error {
	if k.ring.Snapshot().Len() > 0 {
		return nil
	}
	if _, err := k.Failure(); err != nil {
		return fmt.Errorf("%w: %w", ErrEmpty, err)
	}
	select {
	case <-k.first:
		if k.ring.Snapshot().Len() > 0 {
			return nil
		}
	case <-ctx.Done():
	}
	return ErrEmpty
}

// Fresh returns nil if the ring follows its source, and an error where it lives
// on the nodes last known; it fits a health check that is not critical.
func (k *Keeper) Fresh(context.Context) error {
	if since, err := k.Failure(); err != nil {
		return fmt.Errorf("membership unknown since %s: %w", since.UTC().Format(time.RFC3339), err)
	}
	return nil
}

// Failure returns since when the source has told nothing, and why; nil where it
// works.
func (k *Keeper) Failure() (since time.Time, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.failedAt, k.failure
}

// Failures counts the failures of the source.
func (k *Keeper) Failures() uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.failures
}

// apply puts what the source told into effect.
func (k *Keeper) apply(nodes []Node) {
	// A directory that knows nobody is more often broken than right, and to
	// follow it is to stop.
	if len(nodes) == 0 {
		k.refuse(errors.New("source lists no nodes"))
		return
	}
	change, err := k.ring.Set(nodes)
	if err != nil {
		k.refuse(err)
		return
	}
	k.mu.Lock()
	k.failure = nil
	k.mu.Unlock()
	k.known.Do(func() { close(k.first) })
	if !change.Changed() {
		return
	}
	k.opts.Log.Info("ring changed", "nodes", change.New.Len(), "generation", change.Generation,
		"version", change.New.Version().String(), "moved", short(movedShare(change)), "skew", short(change.New.Skew()))
	k.opts.OnChange(change)
}

func (k *Keeper) refuse(err error) {
	k.fail(err)
	k.opts.Log.Warn("ring membership refused, the nodes last known stay", "error", err)
}

func (k *Keeper) fail(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.failures++
	if k.failure == nil {
		k.failedAt = time.Now()
	}
	k.failure = err
}

// movedShare is the part of the ring that has another owner.
func movedShare(c Change) float64 {
	var share float64
	for _, m := range c.Moves() {
		share += m.Share()
	}
	return share
}

// short is a number for people to read.
func short(x float64) float64 { return math.Round(x*1000) / 1000 }

// sleep waits, and returns false where ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
