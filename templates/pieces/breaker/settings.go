package breaker

import (
	"errors"
	"fmt"
	"time"
)

// The two ways to open.
const (
	TripRatio       = "ratio"
	TripConsecutive = "consecutive"
)

// Settings is the section of the configuration that this package reads. It can
// change while the program runs: see Set.Update.
type Settings struct {
	Trip         string        `yaml:"trip" enum:"ratio,consecutive" doc:"what opens a breaker: the ratio of failures, or a number of them in a row"`
	FailureRatio float64       `yaml:"failure_ratio" doc:"part of the calls in the window from which on failures open it, over 0, up to 1"`
	MinCalls     int           `yaml:"min_calls" doc:"calls that the window must hold before their ratio counts"`
	Window       time.Duration `yaml:"window" doc:"how far back calls are counted"`
	Consecutive  int           `yaml:"consecutive" doc:"failures in a row that open it, where trip is consecutive"`
	OpenFor      time.Duration `yaml:"open_for" doc:"how long it is open before it tries again"`
	OpenJitter   float64       `yaml:"open_jitter" doc:"part of open_for, 0 to 1, up to which more is added by chance"`
	Probes       int           `yaml:"probes" doc:"calls that pass while it tries; all of them must succeed to close it"`
	ProbeTimeout time.Duration `yaml:"probe_timeout" doc:"longest time for each of these calls, whatever deadline it has"`
	MinBudget    time.Duration `yaml:"min_budget" doc:"a caller who leaves less time than this is not taken for a witness of a timeout; 0: everyone is"`
	RetryRatio   float64       `yaml:"retry_ratio" doc:"retries in the window, as a part of its calls, 0 to 1"`
	RetryReserve int           `yaml:"retry_reserve" doc:"retries in the window beside that part"`
	MaxBreakers  int           `yaml:"max_breakers" doc:"most breakers at a time, one for each target and class of methods"`
	Idle         time.Duration `yaml:"idle" doc:"a breaker that is not used for so long is forgotten"`
}

// Defaults are the settings that a program begins with.
func Defaults() Settings {
	return Settings{
		Trip:         TripRatio,
		FailureRatio: 0.5,
		MinCalls:     20,
		Window:       10 * time.Second,
		Consecutive:  6,
		OpenFor:      10 * time.Second,
		OpenJitter:   0.2,
		Probes:       1,
		ProbeTimeout: 5 * time.Second,
		RetryRatio:   0.1,
		RetryReserve: 3,
		MaxBreakers:  1000,
		Idle:         10 * time.Minute,
	}
}

// Validate checks every setting.
func (s Settings) Validate() error {
	var errs []error
	wrong := func(is bool, format string, args ...any) {
		if is {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	wrong(s.Trip != TripRatio && s.Trip != TripConsecutive, "trip: %q is neither %s nor %s", s.Trip, TripRatio, TripConsecutive)
	wrong(!(s.FailureRatio > 0 && s.FailureRatio <= 1), "failure_ratio: must be over 0 and up to 1")
	wrong(s.MinCalls < 1, "min_calls: must be at least 1")
	wrong(s.Window < 10*time.Millisecond, "window: must be at least 10ms")
	wrong(s.Consecutive < 1, "consecutive: must be at least 1")
	wrong(s.OpenFor < time.Millisecond, "open_for: must be at least 1ms")
	wrong(!(s.OpenJitter >= 0 && s.OpenJitter <= 1), "open_jitter: must be from 0 to 1")
	wrong(s.Probes < 1, "probes: must be at least 1")
	wrong(s.ProbeTimeout < time.Millisecond, "probe_timeout: must be at least 1ms")
	wrong(s.MinBudget < 0, "min_budget: must not be negative")
	wrong(!(s.RetryRatio >= 0 && s.RetryRatio <= 1), "retry_ratio: must be from 0 to 1")
	wrong(s.RetryReserve < 0, "retry_reserve: must not be negative")
	wrong(s.MaxBreakers < 1, "max_breakers: must be at least 1")
	wrong(s.Idle < 2*s.OpenFor || s.Idle < s.Window, "idle: must be at least window, and twice open_for")
	return errors.Join(errs...)
}
