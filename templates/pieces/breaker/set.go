package breaker

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Key says what a breaker protects. Both parts become labels of metrics, so that
// they take few values.
type Key struct {
	// Target is who is called, for example auth.example:443.
	Target string `json:"target"`
	// Class is a kind of method, for example read.
	Class string `json:"class"`
}

// String is both in one text.
func (k Key) String() string {
	if k.Class == "" {
		return k.Target
	}
	return k.Target + " (" + k.Class + ")"
}

// Options are what a Set needs beside its settings. The zero value will do.
type Options struct {
	// Log is told of every transition; nil means slog.Default.
	Log *slog.Logger
	// Metrics is where the metrics are registered; nil where nobody collects.
	Metrics prometheus.Registerer
	// OnTransition is told of every transition, in the order of each breaker and
	// without its lock. It delays the call that caused the transition, so it
	// only takes note.
	OnTransition func(Transition)
	// Tune returns the settings of one breaker, given those of the set; nil
	// means that all have the same. Where they are not valid, those of the set
	// are taken. It must not use the set.
	Tune func(Key, Settings) Settings
	// Random returns a number from 0 up to and without 1; nil means a good one.
	Random func() float64
}

// Set holds a breaker for each key, made when it is first asked for. It is
// bounded, forgets those that nobody uses, and is safe for concurrent use. It
// runs no goroutine and needs no end.
type Set struct {
	options Options
	begin   time.Time

	// breakers is never changed, only replaced, so that reading takes no lock.
	breakers atomic.Pointer[map[Key]*Breaker]

	mu       sync.Mutex // of those who replace
	settings Settings
	evicted  atomic.Uint64
}

// NewSet returns a set without breakers.
func NewSet(s Settings, o Options) (*Set, error) {
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("breaker: %w", err)
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	set := &Set{options: o, begin: time.Now(), settings: s}
	set.breakers.Store(&map[Key]*Breaker{})
	if o.Metrics != nil {
		if err := o.Metrics.Register(newCollector(set)); err != nil {
			return nil, fmt.Errorf("breaker: metrics: %w", err)
		}
	}
	return set, nil
}

// Get returns the breaker of a key, and makes it where there is none.
func (s *Set) Get(k Key) *Breaker {
	if b, ok := (*s.breakers.Load())[k]; ok {
		return b
	}
	return s.add(k)
}

func (s *Set) add(k Key) *Breaker {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b, ok := (*s.breakers.Load())[k]; ok {
		return b
	}
	now := s.now()
	changed := s.without(now, s.settings.MaxBreakers-1)
	b := newBreaker(s, k, s.tuned(k), now)
	changed[k] = b
	s.breakers.Store(&changed)
	return b
}

// Update gives all breakers other settings. A window whose length changes begins
// anew; an open breaker stays open for as long as it was to.
func (s *Set) Update(settings Settings) error {
	if err := settings.Validate(); err != nil {
		return fmt.Errorf("breaker: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settings = settings
	changed := s.without(s.now(), settings.MaxBreakers)
	s.breakers.Store(&changed)
	for k, b := range changed {
		terms := s.tuned(k)
		b.mu.Lock()
		b.adopt(terms)
		b.mu.Unlock()
	}
	return nil
}

// Statuses returns what all breakers look like, sorted by key.
func (s *Set) Statuses() []Status {
	s.forget()
	breakers := *s.breakers.Load()
	statuses := make([]Status, 0, len(breakers))
	for _, b := range breakers {
		statuses = append(statuses, b.Status())
	}
	slices.SortFunc(statuses, func(a, b Status) int {
		return cmp.Or(cmp.Compare(a.Key.Target, b.Key.Target), cmp.Compare(a.Key.Class, b.Key.Class))
	})
	return statuses
}

// forget drops the breakers that nobody uses.
func (s *Set) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(*s.breakers.Load())
	if changed := s.without(s.now(), s.settings.MaxBreakers); len(changed) != before {
		s.breakers.Store(&changed)
	}
}

// without returns a copy of the breakers without the idle ones, and of at most
// limit. Those that would be missed least go first: the closed ones before the
// others, and the longest unused first. What is forced is not idle.
func (s *Set) without(now int64, limit int) map[Key]*Breaker {
	kept := maps.Clone(*s.breakers.Load())
	type candidate struct {
		key    Key
		worth  int
		unused int64
	}
	candidates := make([]candidate, 0, len(kept))
	for k, b := range kept {
		b.mu.Lock()
		c := candidate{key: k, unused: now - b.used}
		switch {
		case b.forced != Auto:
			c.worth = 2
		case b.state != Closed:
			c.worth = 1
		}
		b.mu.Unlock()
		if c.worth < 2 && c.unused >= int64(s.settings.Idle) {
			delete(kept, k)
			s.evicted.Add(1)
			continue
		}
		candidates = append(candidates, c)
	}
	if excess := len(kept) - limit; excess > 0 {
		slices.SortFunc(candidates, func(a, b candidate) int {
			return cmp.Or(cmp.Compare(a.worth, b.worth), cmp.Compare(b.unused, a.unused))
		})
		for _, c := range candidates[:excess] {
			delete(kept, c.key)
			s.evicted.Add(1)
		}
	}
	return kept
}

// tuned returns the settings of one breaker.
func (s *Set) tuned(k Key) Settings {
	if s.options.Tune == nil {
		return s.settings
	}
	tuned := s.options.Tune(k, s.settings)
	if err := tuned.Validate(); err != nil {
		s.options.Log.Error("breaker: its settings are not valid, those of all are used", "target", k.Target, "class", k.Class, "error", err)
		return s.settings
	}
	return tuned
}

// tell tells of a transition.
func (s *Set) tell(t Transition) {
	level := slog.LevelInfo
	if t.To == Open {
		level = slog.LevelWarn
	}
	s.options.Log.LogAttrs(context.Background(), level, "breaker is "+t.To.String(),
		slog.String("target", t.Key.Target), slog.String("class", t.Key.Class),
		slog.String("from", t.From.String()), slog.String("to", t.To.String()), slog.String("reason", t.Reason),
		slog.Int("calls", t.Calls), slog.Int("failures", t.Failures), slog.Duration("wait", t.Wait))
	if s.options.OnTransition != nil {
		s.options.OnTransition(t)
	}
}

// now is the time since the beginning in nanoseconds, by a clock that does not
// jump.
func (s *Set) now() int64 { return int64(time.Since(s.begin)) }

func (s *Set) time(now int64) time.Time { return s.begin.Add(time.Duration(now)) }

func (s *Set) random() float64 { return s.options.Random() }
