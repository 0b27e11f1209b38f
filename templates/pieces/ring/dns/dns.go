// Package dns takes the nodes of a ring from the SRV records of a name, as kept
// by Consul, by the headless services of Kubernetes, or by hand. Records do not
// tell when they change: they are looked up again and again, so that a change is
// noticed within the interval and the time that resolvers keep an answer.
package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/fractl/fractl/templates/pieces/ring"
)

// Settings is the section of the configuration that this package reads.
type Settings struct {
	Name     string        `yaml:"name" doc:"name whose SRV records are the nodes, such as _http._tcp.items.example.com"`
	Interval time.Duration `yaml:"interval" doc:"time between two lookups"`
	Timeout  time.Duration `yaml:"timeout" doc:"longest time that a lookup may take"`
	Weights  bool          `yaml:"weights" doc:"take the weights of the records for those of the nodes; false: all nodes have the same"`
}

// Defaults are the settings that a program begins with; the name is still to be
// given.
func Defaults() Settings {
	return Settings{Interval: 10 * time.Second, Timeout: 5 * time.Second}
}

// Validate checks every setting.
func (s Settings) Validate() error {
	var errs []error
	if s.Name == "" {
		errs = append(errs, errors.New("name: must not be empty"))
	}
	if s.Interval <= 0 {
		errs = append(errs, errors.New("interval: must be over 0"))
	}
	if s.Timeout <= 0 {
		errs = append(errs, errors.New("timeout: must be over 0"))
	}
	return errors.Join(errs...)
}

// Source looks SRV records up. It is safe for concurrent use.
type Source struct {
	settings Settings
	resolver *net.Resolver
}

// New returns a source that uses the resolver; nil means net.DefaultResolver.
func New(s Settings, resolver *net.Resolver) (*Source, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	return &Source{settings: s, resolver: resolver}, nil
}

// Watch implements ring.Source. A lookup that fails ends it.
func (s *Source) Watch(ctx context.Context, set func([]ring.Node)) error {
	ticker := time.NewTicker(s.settings.Interval)
	defer ticker.Stop()
	for {
		nodes, err := s.lookup(ctx)
		if err != nil {
			return err
		}
		set(nodes)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// lookup returns the nodes of the records with the best priority; the others are
// there in case that those are gone.
func (s *Source) lookup(ctx context.Context) ([]ring.Node, error) {
	ctx, cancel := context.WithTimeout(ctx, s.settings.Timeout)
	defer cancel()
	_, records, err := s.resolver.LookupSRV(ctx, "", "", s.settings.Name)
	if err != nil {
		return nil, fmt.Errorf("SRV records of %s: %w", s.settings.Name, err)
	}
	var nodes []ring.Node
	seen := make(map[string]bool)
	for _, r := range records { // sorted by priority
		if r.Priority != records[0].Priority {
			break
		}
		addr := net.JoinHostPort(strings.TrimSuffix(r.Target, "."), strconv.Itoa(int(r.Port)))
		if seen[addr] {
			continue
		}
		seen[addr] = true
		n := ring.Node{ID: addr, Addr: addr}
		if s.settings.Weights {
			n.Weight = int(r.Weight)
		}
		nodes = append(nodes, n)
	}
	return nodes, nil
}
