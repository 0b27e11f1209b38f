package web

import (
	"time"

	"github.com/fractl/fractl/templates/pieces/settings"
)

// Settings is the section of the configuration that this package reads.
type Settings struct {
	Addr              string        `yaml:"addr" doc:"address to listen on, host:port; port 0 takes a free one"`
	ReadHeaderTimeout time.Duration `yaml:"read_header_timeout" doc:"longest time to read the header of a request"`
	ReadTimeout       time.Duration `yaml:"read_timeout" doc:"longest time to read a whole request"`
	RequestTimeout    time.Duration `yaml:"request_timeout" doc:"deadline of the work on a request, passed on to the database"`
	WriteTimeout      time.Duration `yaml:"write_timeout" doc:"longest time from the end of the header to the end of the response; over request_timeout, so that a time-out can still be answered"`
	IdleTimeout       time.Duration `yaml:"idle_timeout" doc:"how long an idle connection is kept; over proxy_idle_timeout"`
	ProxyIdleTimeout  time.Duration `yaml:"proxy_idle_timeout" doc:"how long the proxy in front keeps an idle connection to this server; 0: there is none"`
	MaxHeader         settings.Size `yaml:"max_header" doc:"largest header of a request"`
	MaxBody           settings.Size `yaml:"max_body" doc:"largest body of a request"`
}

// Defaults are the settings that a program begins with.
func Defaults() Settings { panic("follows") }

// Validate checks that every limit is set and that they fit each other.
func (s Settings) Validate() error { panic("follows") }
