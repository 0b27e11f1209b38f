package vet

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/workspace"
)

// configuration is one way to build the workspace.
type configuration struct {
	goos, goarch string // "" for those of the environment
	tags         string
}

// configurations are those that fractl.yaml asks for: each platform with each
// list of tags. Tags that the request has stand in for the manifest's.
func configurations(ws *workspace.Workspace, o Options) []configuration {
	platforms, tags := []string{"/"}, []string{o.Tags}
	if m := ws.Manifest; m != nil {
		if len(m.Vet.Platforms) > 0 {
			platforms = values(m.Vet.Platforms)
		}
		if o.Tags == "" && len(m.Vet.Tags) > 0 {
			tags = values(m.Vet.Tags)
		}
	}
	var list []configuration
	for _, p := range platforms {
		for _, t := range tags {
			goos, goarch, _ := strings.Cut(p, "/")
			list = append(list, configuration{goos, goarch, t})
		}
	}
	return list
}

// values are the values of settings, each once.
func values(settings []workspace.Setting) []string {
	var list []string
	for _, s := range settings {
		if !slices.Contains(list, s.Value) {
			list = append(list, s.Value)
		}
	}
	return list
}

// apply gives the options for one configuration.
func (c configuration) apply(o Options) Options {
	o.Tags = c.tags
	if c.goos != "" {
		o.Env = append(slices.Clone(o.Env), "GOOS="+c.goos, "GOARCH="+c.goarch)
	}
	return o
}

// String names the configuration as one would give it to the go command.
func (c configuration) String() string {
	var parts []string
	if c.goos != "" {
		parts = append(parts, "GOOS="+c.goos+" GOARCH="+c.goarch)
	}
	if c.tags != "" {
		parts = append(parts, "-tags="+c.tags)
	}
	return strings.Join(parts, " ")
}

// merge takes the results of a further configuration over. What it finds again
// is one finding; an ignore comment is of use if it is in any.
func (r *run) merge(other *run, c configuration) {
	r.reported = append(r.reported, other.reported...)
	maps.Copy(r.analysed, other.analysed)
	for pkg, rules := range other.left {
		r.left[pkg] = append(r.left[pkg], rules...)
	}
	known := make(map[string]bool)
	for _, p := range r.problems.sorted() {
		known[p.Error()] = true
	}
	for _, p := range other.problems.sorted() {
		if known[p.Error()] {
			continue
		}
		if f := (*fault.Error)(nil); errors.As(p, &f) {
			p = &fault.Error{Subject: f.Subject, Fact: f.Fact + " (with " + c.String() + ")", Hint: f.Hint, Err: f.Err}
		}
		r.problems.add(p)
	}
	s, o := &r.stats, other.stats
	s.Packages += o.Packages
	s.Analysed += o.Analysed
	s.Dependencies += o.Dependencies
	s.Replayed = s.Replayed && o.Replayed
	s.Survey += o.Survey
	s.List += o.List
	s.Check += o.Check
	for _, cost := range o.Rules {
		at := slices.IndexFunc(s.Rules, func(c Cost) bool { return c.Name == cost.Name })
		if at < 0 {
			s.Rules = append(s.Rules, cost)
			continue
		}
		s.Rules[at].Packages += cost.Packages
		s.Rules[at].CPU += cost.CPU
		s.Rules[at].Allocated += cost.Allocated
	}
}
