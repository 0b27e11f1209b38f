package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Bus carries events from those who publish them to the groups that subscribe.
// It is safe for concurrent use.
type Bus struct {
	engine    Engine
	claims    Claims
	graveyard Graveyard
	log       *slog.Logger

	groups atomic.Pointer[[]*group] // sorted by name, replaced as a whole
	closed atomic.Bool

	mu      sync.Mutex // of changes to groups and closed
	ended   chan struct{}
	consume context.Context // of what fetches from the engine
	halt    context.CancelFunc
	running sync.WaitGroup // what fetches
}

// Handler handles one event of a group. A nil return says that it was handled; an
// error or a panic, that it is to be tried again, unless it is Permanent. ctx ends
// when the claim on the event is lost, and when the time to drain the bus is over.
// It is called by as many goroutines as the group's Concurrency says.
type Handler func(ctx context.Context, d Delivery) error

// New returns a bus without groups. Close follows.
func New(o Options) *Bus {
	b := &Bus{engine: o.Engine, claims: o.Claims, graveyard: o.Graveyard, log: o.Log, ended: make(chan struct{})}
	if b.claims == nil {
		b.claims = NewMemoryClaims()
	}
	if b.graveyard == nil && b.engine != nil {
		b.graveyard = b.engine.Graveyard()
	}
	if b.graveyard == nil {
		b.graveyard = NewMemoryGraveyard(10_000)
	}
	if b.log == nil {
		b.log = slog.Default()
	}
	b.groups.Store(&[]*group{})
	b.consume, b.halt = context.WithCancel(context.Background())
	return b
}

// Subscribe makes a group, which gets each event that is published from now on,
// and starts its workers. A group is made once; its name says what it does, for
// example mailer.
func (b *Bus) Subscribe(name string, h Handler, o GroupOptions) error {
	if err := checkGroup(name); err != nil {
		return err
	}
	if err := o.Validate(); err != nil {
		return fmt.Errorf("bus: group %s: %w", name, err)
	}
	o = o.withDefaults(b.engine == nil)
	if b.engine != nil {
		o.Overflow = Block
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed.Load() {
		return ErrClosed
	}
	at, exists := b.find(name)
	if exists {
		return fmt.Errorf("bus: there is a group %s already", name)
	}
	g := newGroup(name, h, o, b)
	changed := slices.Insert(slices.Clone(*b.groups.Load()), at, g)
	b.groups.Store(&changed)
	g.start()
	if b.engine != nil {
		b.running.Go(func() { b.fetch(g) })
	}
	return nil
}

// Publish hands an event to every group that subscribes to its type. It returns
// nil once each of them has it, and otherwise none has it: it reserves room in all
// of their queues before it puts the event into the first. Where a queue is full
// it waits for room, with the policy Block, until ctx ends. With an engine, nil
// means that the engine keeps the event, and an error of its server may mean that
// it does so all the same: publish the event again then, with the same ID. The
// other errors are ErrClosed, an *OverloadedError and what is wrong with the event.
//
// A handler that publishes to its own group may wait for itself: let it do so
// with a deadline, or through an outbox.
func (b *Bus) Publish(ctx context.Context, e Event) error {
	return b.publish(ctx, &e, nil)
}

// PublishTracked is Publish, and calls settled, if it has returned nil, once the
// bus will not lose the event even if the process ends: with an engine at once, and
// otherwise when each group has handled, buried or dropped it. settled must be
// quick and not use the bus; it may be called before PublishTracked returns.
func (b *Bus) PublishTracked(ctx context.Context, e Event, settled func()) error {
	return b.publish(ctx, &e, settled)
}

func (b *Bus) publish(ctx context.Context, e *Event, settled func()) error {
	if err := e.Validate(); err != nil {
		return fmt.Errorf("bus: %w", err)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if b.closed.Load() {
		return ErrClosed
	}
	now := time.Now()
	if e.Time.IsZero() {
		e.Time = now
	}
	if b.engine != nil {
		err := b.engine.Publish(ctx, *e)
		if err == nil && settled != nil {
			settled()
		}
		return err
	}
	return b.fanOut(ctx, e, now, settled)
}

// fanOut gives an event to all groups that want it, or to none.
func (b *Bus) fanOut(ctx context.Context, e *Event, now time.Time, settled func()) error {
	groups := *b.groups.Load()
	wanted := 0
	for _, g := range groups {
		if g.wants(e.Type) {
			wanted++
		}
	}
	var s *settlement
	if settled != nil {
		s = &settlement{settled: settled}
		s.missing.Store(int32(wanted))
	}
	for at, g := range groups {
		if !g.wants(e.Type) {
			continue
		}
		if wanted == 1 && g.lanes.offer(e, g.arrival(e, now, s)) {
			return nil
		}
		if err := g.lanes.reserve(ctx); err != nil {
			for _, other := range groups[:at] {
				if other.wants(e.Type) {
					other.lanes.release()
				}
			}
			return named(err, g.name)
		}
	}
	for _, g := range groups {
		if g.wants(e.Type) {
			g.lanes.put(e, g.arrival(e, now, s))
		}
	}
	if wanted == 0 && settled != nil {
		settled()
	}
	return nil
}

// named puts the name of a group into an error of its lanes.
func named(err error, group string) error {
	if overloaded, ok := errors.AsType[*OverloadedError](err); ok {
		overloaded.Group = group
	}
	return err
}

// fetch takes the events of a group from the engine until the bus is closed.
func (b *Bus) fetch(g *group) {
	failures := 0
	for {
		err := b.engine.Consume(b.consume, Consumption{
			Group:   g.name,
			Window:  g.options.Queue + g.options.Concurrency,
			Ready:   func() { g.ready.Store(true); failures = 0 },
			Deliver: g.deliver,
		})
		if b.consume.Err() != nil {
			return
		}
		failures++
		b.log.Error("bus: cannot consume", "group", g.name, "error", err)
		select {
		case <-time.After(patience.pause(failures)):
		case <-b.consume.Done():
			return
		}
	}
}

// Check asks whether the engine can be reached, and whether it keeps events for
// the groups; it fits a health check.
func (b *Bus) Check(ctx context.Context) error {
	if b.closed.Load() {
		return ErrClosed
	}
	if b.engine == nil {
		return nil
	}
	if err := b.engine.Check(ctx); err != nil {
		return err
	}
	for _, g := range *b.groups.Load() {
		if !g.ready.Load() {
			return fmt.Errorf("bus: the engine does not know of group %s yet", g.name)
		}
	}
	return nil
}

// Groups returns the names of the groups, sorted.
func (b *Bus) Groups() []string {
	var names []string
	for _, g := range *b.groups.Load() {
		names = append(names, g.name)
	}
	return names
}

// group returns the group of a name, or ErrNotFound.
func (b *Bus) group(name string) (*group, error) {
	if at, ok := b.find(name); ok {
		return (*b.groups.Load())[at], nil
	}
	return nil, fmt.Errorf("%w: group %q", ErrNotFound, name)
}

func (b *Bus) find(name string) (at int, ok bool) {
	return slices.BinarySearchFunc(*b.groups.Load(), name, func(g *group, name string) int {
		return strings.Compare(g.name, name)
	})
}

// settlement waits until every group is done with an event.
type settlement struct {
	missing atomic.Int32
	settled func()
}

// one is told that one group is done. It works on nil.
func (s *settlement) one() {
	if s != nil && s.missing.Add(-1) == 0 {
		s.settled()
	}
}
