package health

import (
	"context"
	"time"
)

// Level says what a failing check means.
type Level int

const (
	// Critical: without it the program cannot serve, /readyz answers 503.
	Critical Level = iota
	// Degraded: the program serves less well; /readyz says so and stays 200.
	Degraded
)

// Check asks one dependency whether it works. It is run in the background, one
// run at a time, and probes only read its last result: however often they come,
// the dependency is asked no more often.
type Check struct {
	// Name is unique, for example "store".
	Name string
	// Level is what a failure means.
	Level Level
	// Interval is the time between runs, and Timeout the longest that one may
	// take before it counts as failed; 0 means that of the settings.
	Interval, Timeout time.Duration
	// Run returns nil if the dependency works. Its context ends at the timeout.
	Run func(ctx context.Context) error
}
