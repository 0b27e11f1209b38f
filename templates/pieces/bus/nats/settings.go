package nats

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/fractl/fractl/templates/pieces/settings"
)

// Settings is the section of the configuration that this package reads.
type Settings struct {
	URLs        []string        `yaml:"urls" doc:"servers, as in nats://host:4222 or tls://host:4222"`
	User        string          `yaml:"user" doc:"user, if the server asks for one"`
	Password    settings.Secret `yaml:"password" doc:"password of the user"`
	Token       settings.Secret `yaml:"token" doc:"token, instead of a user"`
	Credentials string          `yaml:"credentials" doc:"file with the credentials of a user of an operator, instead of a user"`
	Stream      string          `yaml:"stream" doc:"name of the stream of this bus; that of its dead letters is the same with -dead"`
	Replicas    int             `yaml:"replicas" doc:"servers that keep each event, 1 to 5; 3 in a cluster"`
	MaxAge      time.Duration   `yaml:"max_age" doc:"how long an event waits for its groups at most, before the server drops it"`
	MaxEvents   int64           `yaml:"max_events" doc:"events that wait at most; further ones are refused"`
	Duplicates  time.Duration   `yaml:"duplicates" doc:"how long the server recognises an event that is published again"`
	AckWait     time.Duration   `yaml:"ack_wait" doc:"how long the events of a process that died wait for another one"`
	Timeout     time.Duration   `yaml:"timeout" doc:"longest time for an answer of the server"`
}

// Defaults are the settings that a program begins with.
func Defaults() Settings {
	return Settings{
		URLs:       []string{nats.DefaultURL},
		Stream:     "bus",
		Replicas:   1,
		MaxAge:     72 * time.Hour,
		MaxEvents:  1_000_000,
		Duplicates: 2 * time.Minute,
		AckWait:    30 * time.Second,
		Timeout:    5 * time.Second,
	}
}

var streamName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// Validate checks every setting.
func (s Settings) Validate() error {
	var errs []error
	if len(s.URLs) == 0 {
		errs = append(errs, errors.New("urls: must name a server"))
	}
	for _, server := range s.URLs {
		u, err := url.Parse(server)
		switch {
		case err != nil || u.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme):
			errs = append(errs, errors.New("urls: must be of the form nats://host:4222"))
		case u.User != nil:
			errs = append(errs, errors.New("urls: must not hold a user; set user and password"))
		}
	}
	if !streamName.MatchString(s.Stream) {
		errs = append(errs, fmt.Errorf("stream: %q is not made of 1 to 64 letters, digits, - and _", s.Stream))
	}
	if s.Replicas < 1 || s.Replicas > 5 {
		errs = append(errs, errors.New("replicas: must be from 1 to 5"))
	}
	if s.MaxEvents < 1 {
		errs = append(errs, errors.New("max_events: must be at least 1"))
	}
	for _, d := range []struct {
		key          string
		value, least time.Duration
	}{
		{"max_age", s.MaxAge, time.Second}, {"duplicates", s.Duplicates, 100 * time.Millisecond},
		{"ack_wait", s.AckWait, time.Second}, {"timeout", s.Timeout, time.Millisecond},
	} {
		if d.value < d.least {
			errs = append(errs, fmt.Errorf("%s: must be at least %s", d.key, d.least))
		}
	}
	if s.Duplicates > s.MaxAge {
		errs = append(errs, errors.New("duplicates: must not be longer than max_age"))
	}
	return errors.Join(errs...)
}

// connection are the options of the connection: it is tried for ever, from the
// first time on.
func (s Settings) connection(log *slog.Logger) []nats.Option {
	options := []nats.Option{
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.Timeout(s.Timeout),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("nats: connection lost", "error", err)
			}
		}),
		nats.ReconnectHandler(func(c *nats.Conn) { log.Info("nats: connected", "server", c.ConnectedUrlRedacted()) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { log.Warn("nats", "error", err) }),
	}
	switch {
	case s.Credentials != "":
		options = append(options, nats.UserCredentials(s.Credentials))
	case s.Token.Reveal() != "":
		options = append(options, nats.Token(s.Token.Reveal()))
	case s.User != "":
		options = append(options, nats.UserInfo(s.User, s.Password.Reveal()))
	}
	return options
}

// events is the stream of the events. One that every group has acknowledged goes;
// where there is no room, the server refuses instead of dropping.
func (s Settings) events() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:       s.Stream,
		Subjects:   []string{s.Stream + ".all", s.Stream + ".to.*"},
		Retention:  jetstream.InterestPolicy,
		Discard:    jetstream.DiscardNew,
		MaxMsgs:    s.MaxEvents,
		MaxAge:     s.MaxAge,
		Duplicates: s.Duplicates,
		Replicas:   s.Replicas,
	}
}

// letters is the stream of the dead letters: the last one of each event.
func (s Settings) letters() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:              s.Stream + "-dead",
		Subjects:          []string{s.Stream + "-dead.*.*"},
		MaxMsgsPerSubject: 1,
		Replicas:          s.Replicas,
	}
}

// consumer is that of a group. The bus counts the attempts, so that the server
// sets no limit.
func (s Settings) consumer(group string) jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable:        group,
		FilterSubjects: []string{s.Stream + ".all", s.Stream + ".to." + group},
		DeliverPolicy:  jetstream.DeliverNewPolicy,
		AckPolicy:      jetstream.AckExplicitPolicy,
		AckWait:        s.AckWait,
		MaxDeliver:     -1,
		MaxAckPending:  -1,
	}
}
