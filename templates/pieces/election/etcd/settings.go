package etcd

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// Settings is the section of the configuration that this package reads.
type Settings struct {
	Endpoints    []string      `yaml:"endpoints" doc:"addresses of the etcd members, as https://host:port or http://host:port"`
	Key          string        `yaml:"key" doc:"key of the lease; every instance has the same, and nothing else uses it"`
	Timeout      time.Duration `yaml:"timeout" doc:"longest time that a request to etcd may take"`
	Username     string        `yaml:"username" doc:"user of etcd; empty: none"`
	PasswordFile string        `yaml:"password_file" doc:"file with the user's password"`
	CAFile       string        `yaml:"ca_file" doc:"file with the certificates that vouch for etcd; empty: those of the system"`
	CertFile     string        `yaml:"cert_file" doc:"file with the certificate of this client; empty: none"`
	KeyFile      string        `yaml:"key_file" doc:"file with the key of that certificate"`
}

// Defaults are the settings that a program begins with: an etcd on this machine.
func Defaults() Settings {
	return Settings{
		Endpoints: []string{"http://127.0.0.1:2379"},
		Key:       "/election/leader",
		Timeout:   5 * time.Second,
	}
}

// Validate checks every setting.
func (s Settings) Validate() error {
	var errs []error
	fail := func(text string) { errs = append(errs, errors.New(text)) }
	if len(s.Endpoints) == 0 {
		fail("endpoints: must not be empty")
	}
	if s.Key == "" {
		fail("key: must not be empty")
	}
	if s.Timeout <= 0 {
		fail("timeout: must be over 0")
	}
	if (s.Username == "") != (s.PasswordFile == "") {
		fail("password_file: must be given with username, and only then")
	}
	if (s.CertFile == "") != (s.KeyFile == "") {
		fail("key_file: must be given with cert_file, and only then")
	}
	return errors.Join(errs...)
}

// Connect returns a client with these settings. It does not wait for etcd: that
// it cannot be reached is told by whoever uses it. Close follows.
func (s Settings) Connect() (*clientv3.Client, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	config := clientv3.Config{
		Endpoints:   s.Endpoints,
		DialTimeout: s.Timeout,
		// A connection that is dead without having been closed is noticed.
		DialKeepAliveTime:    10 * time.Second,
		DialKeepAliveTimeout: s.Timeout,
		Username:             s.Username,
		Logger:               zap.NewNop(), // its faults come back as errors, and are logged there
	}
	if s.PasswordFile != "" {
		password, err := os.ReadFile(s.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("password_file: %w", err)
		}
		config.Password = strings.TrimRight(string(password), "\r\n")
	}
	tlsConfig, err := s.tls()
	if err != nil {
		return nil, err
	}
	config.TLS = tlsConfig
	client, err := clientv3.New(config)
	if err != nil {
		return nil, fmt.Errorf("etcd: %w", err)
	}
	return client, nil
}

// tls returns the terms of encrypted connections, nil where the endpoints have
// none.
func (s Settings) tls() (*tls.Config, error) {
	encrypted := s.CAFile != "" || s.CertFile != ""
	for _, endpoint := range s.Endpoints {
		encrypted = encrypted || strings.HasPrefix(endpoint, "https://")
	}
	if !encrypted {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.CAFile != "" {
		text, err := os.ReadFile(s.CAFile)
		if err != nil {
			return nil, fmt.Errorf("ca_file: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("ca_file: no certificate in %s", s.CAFile)
		}
	}
	if s.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(s.CertFile, s.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("cert_file: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
