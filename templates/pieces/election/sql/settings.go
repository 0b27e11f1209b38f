package sql

import (
	"errors"
	"time"
)

// Settings is the section of the configuration that this package reads.
type Settings struct {
	Poll time.Duration `yaml:"poll" doc:"time between two looks of an instance that waits; so long, on average half of it, nobody leads after a leader has resigned"`
}

// Defaults are the settings that a program begins with.
func Defaults() Settings { return Settings{Poll: 50 * time.Millisecond} }

// Validate checks the interval.
func (s Settings) Validate() error {
	if s.Poll < time.Millisecond || s.Poll > time.Minute {
		return errors.New("poll: must be from 1ms to 1m")
	}
	return nil
}
