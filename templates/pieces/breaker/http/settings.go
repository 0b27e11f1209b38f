package http

import (
	"errors"
	"net/url"
	"time"
)

// Settings is the section of the configuration that this package reads.
type Settings struct {
	Upstream     string        `yaml:"upstream" doc:"URL at which a service that this one needs says that it is ready; empty: it needs none"`
	Timeout      time.Duration `yaml:"timeout" doc:"longest time for a call, its answer included"`
	ServerErrors bool          `yaml:"server_errors" doc:"whether the status 500 counts as a failure, as 502, 503 and 504 do"`
	Attempts     int           `yaml:"attempts" doc:"how often a request that can be repeated is sent at most, within the budget for retries; 1: once"`
}

// Defaults are the settings that a program begins with.
func Defaults() Settings { return Settings{Timeout: 5 * time.Second, Attempts: 2} }

// Validate checks every setting.
func (s Settings) Validate() error {
	var errs []error
	if s.Upstream != "" {
		if u, err := url.Parse(s.Upstream); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil || u.Fragment != "" {
			errs = append(errs, errors.New("upstream: must be http://host/path or https://host/path, without a user"))
		}
	}
	if s.Timeout < time.Millisecond {
		errs = append(errs, errors.New("timeout: must be at least 1ms"))
	}
	if s.Attempts < 1 || s.Attempts > 10 {
		errs = append(errs, errors.New("attempts: must be from 1 to 10"))
	}
	return errors.Join(errs...)
}
