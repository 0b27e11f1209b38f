package redis

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/fractl/fractl/templates/pieces/settings"
)

// Settings is the section of the configuration that this package reads.
type Settings struct {
	URL       string          `yaml:"url" doc:"server, as in redis://user@host:6379/0 or rediss://host:6379/0"`
	Password  settings.Secret `yaml:"password" doc:"password of the user"`
	Prefix    string          `yaml:"prefix" doc:"what the keys of this bus begin with"`
	MaxEvents int64           `yaml:"max_events" doc:"events that wait at most; further ones are refused"`
	AckWait   time.Duration   `yaml:"ack_wait" doc:"how long the events of a process that died wait for another one"`
	Timeout   time.Duration   `yaml:"timeout" doc:"longest time for an answer of the server"`
}

// Defaults are the settings that a program begins with.
func Defaults() Settings {
	return Settings{
		URL:       "redis://127.0.0.1:6379/0",
		Prefix:    "bus",
		MaxEvents: 1_000_000,
		AckWait:   30 * time.Second,
		Timeout:   5 * time.Second,
	}
}

var prefixName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,64}$`)

// Validate checks every setting.
func (s Settings) Validate() error {
	var errs []error
	if u, err := url.Parse(s.URL); err != nil {
		errs = append(errs, errors.New("url: is not of the form redis://host:6379/0"))
	} else if _, set := u.User.Password(); set {
		errs = append(errs, errors.New("url: must not hold the password; set password"))
	} else if _, err := redis.ParseURL(s.URL); err != nil {
		errs = append(errs, fmt.Errorf("url: %w", err))
	}
	if !prefixName.MatchString(s.Prefix) {
		errs = append(errs, fmt.Errorf("prefix: %q is not made of 1 to 64 letters, digits, _, . and -", s.Prefix))
	}
	if s.MaxEvents < 1 {
		errs = append(errs, errors.New("max_events: must be at least 1"))
	}
	if s.AckWait < time.Second {
		errs = append(errs, errors.New("ack_wait: must be at least 1s"))
	}
	if s.Timeout < time.Millisecond {
		errs = append(errs, errors.New("timeout: must be at least 1ms"))
	}
	return errors.Join(errs...)
}

// Connect returns a client, which reaches for the server when it is used.
func (s Settings) Connect() (*redis.Client, error) {
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	options, err := redis.ParseURL(s.URL)
	if err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	if password := s.Password.Reveal(); password != "" {
		options.Password = password
	}
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = s.Timeout, s.Timeout, s.Timeout
	options.ContextTimeoutEnabled = true
	options.MaxRetries = -1 // an answer that was lost does not say that nothing was done
	return redis.NewClient(options), nil
}

// The keys of a bus are in one slot of a cluster.
func (s Settings) key(kind string) string      { return "{" + s.Prefix + "}:" + kind }
func (s Settings) events() string              { return s.key("events") }
func (s Settings) to(group string) string      { return s.key("to:" + group) }
func (s Settings) letters(group string) string { return s.key("dead:" + group) }
func (s Settings) order(group string) string   { return s.key("dead-order:" + group) }
