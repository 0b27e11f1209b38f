// Package static takes the nodes of a ring from the configuration. That is
// enough while nodes come and go by deployment only: every instance has to be
// given the same list.
package static

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fractl/fractl/templates/pieces/ring"
)

// Settings is the section of the configuration that this package reads.
type Settings struct {
	Nodes []ring.Node `yaml:"nodes" doc:"the nodes, each as id=host:port, then zone=… and weight=… where they matter; every instance has the same list"`
}

// Defaults are the settings that a program begins with: one node, on this
// machine.
func Defaults() Settings {
	return Settings{Nodes: []ring.Node{{ID: "local", Addr: "127.0.0.1:8080"}}}
}

// Validate checks that there are nodes and that they make a ring.
func (s Settings) Validate() error {
	if len(s.Nodes) == 0 {
		return errors.New("nodes: must not be empty")
	}
	seen := make(map[string]bool, len(s.Nodes))
	for _, n := range s.Nodes {
		if err := n.Validate(); err != nil {
			return fmt.Errorf("nodes: %w", err)
		}
		if seen[n.ID] {
			return fmt.Errorf("nodes: node %q is listed twice", n.ID)
		}
		seen[n.ID] = true
	}
	return nil
}

// Source is a list of nodes that does not change. It is safe for concurrent use.
type Source struct{ nodes []ring.Node }

// New returns a source of the nodes in the settings.
func New(s Settings) (*Source, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return &Source{nodes: slices.Clone(s.Nodes)}, nil
}

// Watch implements ring.Source: it tells the nodes once and waits for the end
// of ctx.
func (s *Source) Watch(ctx context.Context, set func([]ring.Node)) error {
	set(slices.Clone(s.nodes))
	<-ctx.Done()
	return context.Cause(ctx)
}
