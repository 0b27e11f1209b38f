package bus

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"
)

// Options are the terms of a bus.
type Options struct {
	// Engine keeps the events; nil means this process's memory.
	Engine Engine
	// Claims is where groups note what they have handled; nil means memory,
	// which is enough where each event has one process that handles it, or where
	// the handlers have an inbox.
	Claims Claims
	// Graveyard keeps dead letters; nil means the engine's, and where there is no
	// engine 10,000 letters in memory.
	Graveyard Graveyard
	// Log tells of panics, dead letters and stores that fail; nil means
	// slog.Default.
	Log *slog.Logger
}

// Overflow says what is done with an event for a queue that is full.
type Overflow int

const (
	// Block makes the publisher wait for room until its context ends.
	Block Overflow = iota
	// Reject refuses the event with an *OverloadedError, for all groups.
	Reject
	// DropOldest drops, and counts, what has waited longest in this queue.
	DropOldest
)

// String is the policy in one word, as in the configuration.
func (o Overflow) String() string {
	switch o {
	case Block:
		return "block"
	case Reject:
		return "reject"
	case DropOldest:
		return "drop-oldest"
	}
	return fmt.Sprintf("overflow %d", int(o))
}

// GroupOptions are the terms of a group. A zero field means its default.
type GroupOptions struct {
	// Types are those of the events that the group gets; none means all.
	Types []string
	// Concurrency is how many events the group handles at a time; by default 4.
	Concurrency int
	// OrderBy gives the key that an event is ordered by, instead of its own; "" is
	// no key.
	OrderBy func(e Event) string
	// Queue is how many events wait in this process at most; by default 1024, and
	// 64 with an engine, from which other processes want some, too.
	Queue int
	// Overflow is what happens beyond. With an engine it is always Block: the
	// rest waits there.
	Overflow Overflow
	// Retry says how often and how fast an event is tried again; by default
	// DefaultRetry.
	Retry Retry
	// Lease is how long a claim lasts without a sign of life; by default 30 s. A
	// handler may take longer: its claim is extended while it runs. What was in
	// hand at a crash is claimed again after it.
	Lease time.Duration
	// Retention is how long a handled event is remembered, so that it is not
	// handled again: not shorter than Retry.Window and Lease together; by default
	// a day.
	Retention time.Duration
}

func (o GroupOptions) withDefaults(memory bool) GroupOptions {
	if o.Concurrency == 0 {
		o.Concurrency = 4
	}
	if o.Queue == 0 && memory {
		o.Queue = 1024
	}
	if o.Queue == 0 {
		o.Queue = 64
	}
	if o.Retry == (Retry{}) {
		o.Retry = DefaultRetry()
	}
	if o.Lease == 0 {
		o.Lease = 30 * time.Second
	}
	if o.Retention == 0 {
		o.Retention = 24 * time.Hour
	}
	return o
}

// Validate checks every field, with the defaults in place of those that are zero.
func (o GroupOptions) Validate() error {
	o = o.withDefaults(true)
	var errs []error
	if o.Concurrency < 1 {
		errs = append(errs, errors.New("concurrency: must be at least 1"))
	}
	if o.Queue < 1 {
		errs = append(errs, errors.New("queue: must be at least 1"))
	}
	if o.Overflow < Block || o.Overflow > DropOldest {
		errs = append(errs, fmt.Errorf("overflow: there is none with the number %d", int(o.Overflow)))
	}
	if err := o.Retry.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("retry: %w", err))
	}
	if o.Lease < minLease {
		errs = append(errs, fmt.Errorf("lease: must be at least %s", minLease))
	}
	if least := sum(o.Retry.Window(), o.Lease); o.Retention < least {
		errs = append(errs, fmt.Errorf("retention: %s is too short: an event may come again for %s (attempts x longest pause + lease), and would then be handled twice", o.Retention, least))
	}
	return errors.Join(errs...)
}

// minLease leaves time to extend a lease before it ends.
const minLease = 100 * time.Millisecond

// sum adds durations that are not negative, up to the longest there is.
func sum(a, b time.Duration) time.Duration {
	if total := a + b; total >= a {
		return total
	}
	return 1<<63 - 1
}

// groupName is what every engine can have in its own names.
var groupName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

func checkGroup(name string) error {
	if !groupName.MatchString(name) {
		return fmt.Errorf("bus: group %q is not made of 1 to 64 lower-case letters, digits, - and _, with a letter or digit first", name)
	}
	return nil
}
