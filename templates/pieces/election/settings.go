package election

import (
	"errors"
	"log/slog"
	"time"
)

// Settings is the section of the configuration that this package reads. Where
// the lease is kept is a matter of the engine.
type Settings struct {
	ID     string        `yaml:"id" doc:"name of this instance among the candidates, different from all others; empty: made of the host, the process and chance"`
	TTL    time.Duration `yaml:"ttl" doc:"how long the lease lasts unless it is renewed; so long nobody leads after a crash"`
	Margin time.Duration `yaml:"margin" doc:"how long before its lease a leader stops; at most half of ttl"`
	Drain  time.Duration `yaml:"drain" doc:"longest time that the leader's work may take to end when the program does; within shutdown.budget"`
	Serve  string        `yaml:"serve" enum:"all,leader" doc:"who is ready for traffic: all instances, or only the leader"`
}

// The values of Settings.Serve.
const (
	ServeAll    = "all"
	ServeLeader = "leader"
)

// minTTL is the shortest lease: under it, leaders come and go with the moods of
// the scheduler.
const minTTL = time.Second

// Defaults are the settings that a program begins with.
func Defaults() Settings {
	return Settings{TTL: 10 * time.Second, Margin: 2 * time.Second, Drain: 10 * time.Second, Serve: ServeAll}
}

// Validate checks every setting.
func (s Settings) Validate() error {
	var errs []error
	if len(s.ID) > 200 {
		errs = append(errs, errors.New("id: must have at most 200 characters"))
	}
	if s.TTL < minTTL || s.TTL > time.Hour {
		errs = append(errs, errors.New("ttl: must be from 1s to 1h"))
	}
	if s.Margin <= 0 || s.Margin > s.TTL/2 {
		errs = append(errs, errors.New("margin: must be over 0s and at most half of ttl"))
	}
	if s.Drain <= 0 {
		errs = append(errs, errors.New("drain: must be over 0s"))
	}
	if s.Serve != ServeAll && s.Serve != ServeLeader {
		errs = append(errs, errors.New("serve: must be all or leader"))
	}
	return errors.Join(errs...)
}

// Options returns the terms of an elector with these settings.
func (s Settings) Options(log *slog.Logger) Options {
	return Options{ID: s.ID, TTL: s.TTL, Margin: s.Margin, Drain: s.Drain, Log: log}
}
