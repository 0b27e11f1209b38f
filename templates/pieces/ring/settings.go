package ring

import (
	"errors"
	"fmt"
	"time"
)

// Settings is the section of the configuration that this package reads. Who the
// nodes are is a matter of the Source.
type Settings struct {
	Self       string        `yaml:"self" doc:"id of this instance among the nodes; empty: it is none of them and only routes"`
	Hash       string        `yaml:"hash" enum:"xxhash64,murmur3" doc:"hash function; everyone who shares the ring uses the same"`
	VNodes     int           `yaml:"vnodes" doc:"virtual nodes of a node of weight 1; the same for everyone; more are more even: the fullest of 100 nodes has about 1.15 times the mean with 100, 1.07 with 512"`
	Transition time.Duration `yaml:"transition" doc:"how long after a change of the nodes a key is also looked for at its owner before the change; 0: not at all"`
}

// Defaults are the settings that a program begins with.
func Defaults() Settings {
	return Settings{Self: "local", Hash: string(XXHash64), VNodes: DefaultVNodes}
}

// Validate checks every setting.
func (s Settings) Validate() error {
	var errs []error
	if s.Self != "" {
		if err := (Node{ID: s.Self}).Validate(); err != nil {
			errs = append(errs, fmt.Errorf("self: %w", err))
		}
	}
	if err := Hash(s.Hash).Validate(); err != nil {
		errs = append(errs, fmt.Errorf("hash: %w", err))
	}
	if s.VNodes < 1 || s.VNodes > maxVNodes {
		errs = append(errs, fmt.Errorf("vnodes: must be from 1 to %d", maxVNodes))
	}
	if s.Transition < 0 {
		errs = append(errs, errors.New("transition: must not be negative"))
	}
	return errors.Join(errs...)
}

// Options returns the terms of a ring with these settings.
func (s Settings) Options() Options {
	return Options{
		Placement:  Placement{Hash: Hash(s.Hash), VNodes: s.VNodes},
		Transition: s.Transition,
	}
}
