package health

import (
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

// Defaults are the settings that a program begins with.
func Defaults() Settings { panic("follows") }

// Validate checks the address, the token and the intervals.
func (s Settings) Validate() error { panic("follows") }
