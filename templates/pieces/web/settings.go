package web

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/fractl/fractl/templates/pieces/settings"
)

// Settings is the section of the configuration that this package reads.
//
// IdleTimeout and ProxyIdleTimeout belong together. A proxy keeps idle
// connections to use them again. If the server gives one up first, the proxy
// may be sending a request on it at that very moment: the request meets a
// reset, and the caller a 502 or 503 that no log of the server explains. So the
// proxy must be the one that closes: its time-out for idle connections to the
// server (60 s in nginx and in many cloud load balancers) has to be shorter
// than that of the server, and Validate insists on it.
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
func Defaults() Settings {
	return Settings{
		Addr:              ":8080",
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		RequestTimeout:    10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       75 * time.Second,
		ProxyIdleTimeout:  60 * time.Second,
		MaxHeader:         32 * settings.KiB,
		MaxBody:           1 * settings.MiB,
	}
}

// Validate checks that every limit is set and that they fit each other.
func (s Settings) Validate() error {
	var errs []error
	fail := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf(key+": "+format, args...))
	}
	if err := checkAddr(s.Addr); err != nil {
		fail("addr", "%w", err)
	}
	for _, d := range []struct {
		key   string
		value time.Duration
	}{
		{"read_header_timeout", s.ReadHeaderTimeout},
		{"read_timeout", s.ReadTimeout},
		{"request_timeout", s.RequestTimeout},
		{"write_timeout", s.WriteTimeout},
		{"idle_timeout", s.IdleTimeout},
	} {
		if d.value <= 0 {
			fail(d.key, "must be over 0")
		}
	}
	if s.ReadTimeout < s.ReadHeaderTimeout {
		fail("read_timeout", "must not be under read_header_timeout (%v)", s.ReadHeaderTimeout)
	}
	if s.WriteTimeout <= s.RequestTimeout {
		fail("write_timeout", "must be over request_timeout (%v)", s.RequestTimeout)
	}
	switch {
	case s.ProxyIdleTimeout < 0:
		fail("proxy_idle_timeout", "must not be negative")
	case s.IdleTimeout <= s.ProxyIdleTimeout:
		fail("idle_timeout", "must be over proxy_idle_timeout (%v), or the proxy sends requests on connections that are being closed", s.ProxyIdleTimeout)
	}
	if s.MaxHeader < settings.KiB || s.MaxHeader > 16*settings.MiB {
		fail("max_header", "must be from 1KiB to 16MiB")
	}
	if s.MaxBody <= 0 {
		fail("max_body", "must be over 0")
	}
	return errors.Join(errs...)
}

func checkAddr(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%q is not host:port", addr)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q is not a port from 0 to 65535", port)
	}
	return nil
}
