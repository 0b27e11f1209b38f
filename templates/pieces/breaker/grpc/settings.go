package grpc

import (
	"errors"
	"time"
)

// Settings is the section of the configuration that this package reads.
type Settings struct {
	Upstream  string        `yaml:"upstream" doc:"gRPC target of a service that this one needs, such as dns:///auth:9090; empty: it needs none"`
	Service   string        `yaml:"service" doc:"full name of the gRPC service whose health is asked for; empty: that of the whole server"`
	Plaintext bool          `yaml:"plaintext" doc:"whether the connection goes without TLS"`
	Timeout   time.Duration `yaml:"timeout" doc:"longest time for a call whose caller gives none"`
	Exhausted bool          `yaml:"exhausted" doc:"whether the code ResourceExhausted counts as a failure"`
	Attempts  int           `yaml:"attempts" doc:"how often a call that changes nothing is made at most, within the budget for retries; 1: once"`
}

// Defaults are the settings that a program begins with.
func Defaults() Settings { return Settings{Timeout: 5 * time.Second, Attempts: 2} }

// Validate checks every setting but the target, which only gRPC can judge.
func (s Settings) Validate() error {
	var errs []error
	if s.Timeout < time.Millisecond {
		errs = append(errs, errors.New("timeout: must be at least 1ms"))
	}
	if s.Attempts < 1 || s.Attempts > 10 {
		errs = append(errs, errors.New("attempts: must be from 1 to 10"))
	}
	return errors.Join(errs...)
}
