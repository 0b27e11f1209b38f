package flock

import (
	"errors"
	"strings"
	"time"
)

// Settings is the section of the configuration that this package reads.
type Settings struct {
	Path string        `yaml:"path" doc:"file that is locked; all instances on this machine use the same; on a local disk"`
	Poll time.Duration `yaml:"poll" doc:"time between two attempts of an instance that waits"`
}

// Defaults are the settings that a program begins with.
func Defaults() Settings {
	return Settings{Path: "leader.lock", Poll: 50 * time.Millisecond}
}

// Validate checks both settings.
func (s Settings) Validate() error {
	var errs []error
	if s.Path == "" || strings.HasSuffix(s.Path, "/") || strings.ContainsRune(s.Path, 0) {
		errs = append(errs, errors.New("path: must be that of a file"))
	}
	if s.Poll < time.Millisecond || s.Poll > time.Minute {
		errs = append(errs, errors.New("poll: must be from 1ms to 1m"))
	}
	return errors.Join(errs...)
}
