package bus

import (
	"errors"
	"fmt"
	"time"
)

// Settings is the section of the configuration that this package reads: the terms
// that groups have where they need no others.
type Settings struct {
	Concurrency int           `yaml:"concurrency" doc:"how many events a group handles at a time"`
	Queue       int           `yaml:"queue" doc:"how many events wait for a group in this process at most; 0: 1024, or 64 with an engine"`
	Overflow    string        `yaml:"overflow" enum:"block,reject,drop-oldest" doc:"what is done with an event for a queue that is full: its publisher waits, it is refused, or the oldest is dropped; with an engine the rest always waits there"`
	Attempts    int           `yaml:"attempts" doc:"how often an event is tried in all before it becomes a dead letter"`
	BackOff     time.Duration `yaml:"back_off" doc:"pause after the first failure; it doubles with each further one"`
	BackOffMax  time.Duration `yaml:"back_off_max" doc:"longest pause between two attempts"`
	Jitter      float64       `yaml:"jitter" doc:"random part by which a pause is longer, from 0 to 1"`
	Lease       time.Duration `yaml:"lease" doc:"how long an event is held by a process from which nothing is heard"`
	Retention   time.Duration `yaml:"retention" doc:"how long a handled event is remembered, so that it is not handled again"`
}

// Defaults are the settings that a program begins with.
func Defaults() Settings {
	o := GroupOptions{}.withDefaults(true)
	return Settings{
		Concurrency: o.Concurrency, Overflow: o.Overflow.String(),
		Attempts: o.Retry.Attempts, BackOff: o.Retry.Base, BackOffMax: o.Retry.Max, Jitter: o.Retry.Jitter,
		Lease: o.Lease, Retention: 7 * 24 * time.Hour,
	}
}

// Validate checks every setting.
func (s Settings) Validate() error {
	var errs []error
	if s.Concurrency < 1 {
		errs = append(errs, errors.New("concurrency: must be at least 1"))
	}
	if s.Queue < 0 {
		errs = append(errs, errors.New("queue: must not be negative"))
	}
	if _, err := parseOverflow(s.Overflow); err != nil {
		errs = append(errs, fmt.Errorf("overflow: %w", err))
	}
	if s.Attempts < 1 {
		errs = append(errs, errors.New("attempts: must be at least 1"))
	}
	if s.BackOff < time.Millisecond {
		errs = append(errs, errors.New("back_off: must be at least 1ms"))
	}
	if s.BackOffMax < s.BackOff {
		errs = append(errs, errors.New("back_off_max: must be at least back_off"))
	}
	if !(s.Jitter >= 0 && s.Jitter <= 1) {
		errs = append(errs, errors.New("jitter: must be from 0 to 1"))
	}
	if s.Lease < minLease {
		errs = append(errs, fmt.Errorf("lease: must be at least %s", minLease))
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	return s.Group().Validate() // how they fit together
}

// Group returns the terms of a group with these settings.
func (s Settings) Group() GroupOptions {
	overflow, err := parseOverflow(s.Overflow)
	if err != nil {
		overflow = -1 // which Subscribe refuses
	}
	return GroupOptions{
		Concurrency: s.Concurrency, Queue: s.Queue, Overflow: overflow,
		Retry: Retry{Attempts: s.Attempts, Base: s.BackOff, Max: s.BackOffMax, Jitter: s.Jitter},
		Lease: s.Lease, Retention: s.Retention,
	}
}

func parseOverflow(text string) (Overflow, error) {
	for _, o := range []Overflow{Block, Reject, DropOldest} {
		if o.String() == text {
			return o, nil
		}
	}
	return 0, errors.New("must be block, reject or drop-oldest")
}
