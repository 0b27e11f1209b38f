package health

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/fractl/fractl/templates/pieces/settings"
)

// Settings is the section of the configuration that this package reads.
type Settings struct {
	Addr          string          `yaml:"addr" doc:"address of the admin listener, host:port; port 0 takes a free one"`
	Token         settings.Secret `yaml:"token" doc:"bearer token for /debug from other machines; empty: this machine only"`
	CheckInterval time.Duration   `yaml:"check_interval" doc:"time between two runs of a check"`
	CheckTimeout  time.Duration   `yaml:"check_timeout" doc:"longest time that one run of a check may take"`
}

// minToken is the length from which a token cannot be guessed over a network.
const minToken = 16

// Defaults are the settings that a program begins with.
func Defaults() Settings {
	return Settings{
		Addr:          "127.0.0.1:8081",
		CheckInterval: 5 * time.Second,
		CheckTimeout:  2 * time.Second,
	}
}

// Validate checks the address, the token and the intervals.
func (s Settings) Validate() error {
	var errs []error
	if _, port, err := net.SplitHostPort(s.Addr); err != nil {
		errs = append(errs, fmt.Errorf("addr: %q is not host:port", s.Addr))
	} else if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		errs = append(errs, fmt.Errorf("addr: %q is not a port from 0 to 65535", port))
	}
	if token := s.Token.Reveal(); token != "" && len(token) < minToken {
		errs = append(errs, fmt.Errorf("token: must have at least %d characters", minToken))
	}
	for _, d := range []struct {
		key   string
		value time.Duration
	}{{"check_interval", s.CheckInterval}, {"check_timeout", s.CheckTimeout}} {
		if d.value < time.Millisecond {
			errs = append(errs, fmt.Errorf("%s: must be at least 1ms", d.key))
		}
	}
	return errors.Join(errs...)
}
