package nats

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// Settings is the section of the configuration that this package reads.
type Settings struct {
	Servers   []string      `yaml:"servers" doc:"addresses of NATS, as nats://host:port or tls://host:port; JetStream must be on"`
	Bucket    string        `yaml:"bucket" doc:"key-value bucket of the lease; it is made where there is none"`
	Key       string        `yaml:"key" doc:"key of the lease; every instance has the same, and nothing else uses it"`
	Replicas  int           `yaml:"replicas" doc:"on how many servers a bucket that is made is kept, 1, 3 or 5"`
	Timeout   time.Duration `yaml:"timeout" doc:"longest time that a request to NATS may take"`
	CredsFile string        `yaml:"creds_file" doc:"file with the credentials of this program; empty: none"`
	CAFile    string        `yaml:"ca_file" doc:"file with the certificates that vouch for NATS; empty: those of the system"`
	CertFile  string        `yaml:"cert_file" doc:"file with the certificate of this client; empty: none"`
	KeyFile   string        `yaml:"key_file" doc:"file with the key of that certificate"`
}

// Defaults are the settings that a program begins with: a NATS on this machine.
func Defaults() Settings {
	return Settings{
		Servers:  []string{nats.DefaultURL},
		Bucket:   "election",
		Key:      "leader",
		Replicas: 1,
		Timeout:  3 * time.Second,
	}
}

var (
	bucketName = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)
	keyName    = regexp.MustCompile(`^[a-zA-Z0-9_=/-]+(\.[a-zA-Z0-9_=/-]+)*$`)
)

// Validate checks every setting.
func (s Settings) Validate() error {
	var errs []error
	fail := func(text string) { errs = append(errs, errors.New(text)) }
	if len(s.Servers) == 0 {
		fail("servers: must not be empty")
	}
	if !bucketName.MatchString(s.Bucket) {
		fail("bucket: must be made of letters, digits, - and _")
	}
	if !keyName.MatchString(s.Key) {
		fail("key: must be made of letters, digits and - _ = / with dots between")
	}
	if s.Replicas != 1 && s.Replicas != 3 && s.Replicas != 5 {
		fail("replicas: must be 1, 3 or 5")
	}
	if s.Timeout <= 0 {
		fail("timeout: must be over 0")
	}
	if (s.CertFile == "") != (s.KeyFile == "") {
		fail("key_file: must be given with cert_file, and only then")
	}
	return errors.Join(errs...)
}

// Connect returns a connection with these settings, which is made again whenever
// it breaks. It does not wait for NATS: that it cannot be reached is told by
// whoever uses it. Close follows. A nil log means slog.Default.
func (s Settings) Connect(name string, log *slog.Logger) (*nats.Conn, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.Default()
	}
	options := []nats.Option{
		nats.Name(name),
		nats.Timeout(s.Timeout),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		// A renewal that waits for the connection is not one.
		nats.ReconnectBufSize(-1),
		nats.PingInterval(10 * time.Second),
		// The library would print it.
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			log.Debug("nats", "error", err)
		}),
	}
	if s.CredsFile != "" {
		options = append(options, nats.UserCredentials(s.CredsFile))
	}
	if s.CAFile != "" {
		options = append(options, nats.RootCAs(s.CAFile))
	}
	if s.CertFile != "" {
		options = append(options, nats.ClientCert(s.CertFile, s.KeyFile))
	}
	conn, err := nats.Connect(strings.Join(s.Servers, ","), options...)
	if err != nil {
		return nil, fmt.Errorf("nats: %w", err)
	}
	return conn, nil
}
