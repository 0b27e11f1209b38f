package vet

import (
	"slices"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/workspace"
)

// ruleset is what a run checks, and how severely.
type ruleset struct {
	list []analyzers.Rule
	// known are the names of all rules there are.
	known []string
	set   map[string]finding.Severity
}

// choose takes the rules that fractl.yaml and the flags leave. A name that is
// no rule is an error where it stands.
func choose(all []analyzers.Rule, m *workspace.Manifest, enable, disable []string) (ruleset, error) {
	var r ruleset
	for _, rule := range all {
		r.known = append(r.known, rule.Name())
	}
	for flag, names := range map[string][]string{"--enable": enable, "--disable": disable} {
		for _, name := range names {
			if !slices.Contains(r.known, name) {
				return r, fault.New(flag, "unknown rule "+name, nearestRule(name, r.known))
			}
		}
	}
	off := slices.Clone(disable)
	if m != nil {
		for _, s := range m.Vet.Disable {
			if !slices.Contains(r.known, s.Value) {
				return r, fault.At(workspace.ManifestName, s.Line, "vet.disable: unknown rule "+s.Value, nearestRule(s.Value, r.known))
			}
			if !slices.Contains(enable, s.Value) {
				off = append(off, s.Value)
			}
		}
		line := 0
		for name := range m.Vet.Severity {
			if !slices.Contains(r.known, name) && (line == 0 || m.Vet.SeverityLine[name] < line) {
				line = m.Vet.SeverityLine[name]
			}
		}
		for name := range m.Vet.Severity {
			if line > 0 && m.Vet.SeverityLine[name] == line && !slices.Contains(r.known, name) {
				return r, fault.At(workspace.ManifestName, line, "vet.severity: unknown rule "+name, nearestRule(name, r.known))
			}
		}
		r.set = m.Vet.Severity
	}
	for _, rule := range all {
		if len(enable) > 0 && !slices.Contains(enable, rule.Name()) || slices.Contains(off, rule.Name()) {
			continue
		}
		r.list = append(r.list, rule)
	}
	return r, nil
}

// named returns the rule of that name, if the run checks it.
func (r ruleset) named(name string) (analyzers.Rule, bool) {
	for _, rule := range r.list {
		if rule.Name() == name {
			return rule, true
		}
	}
	return analyzers.Rule{}, false
}

// severity is that of a finding of rule which the rule gives the severity own;
// 0 stands for the rule's. What fractl.yaml sets replaces the rule's, and
// lowers but never raises another.
func (r ruleset) severity(rule analyzers.Rule, own finding.Severity) finding.Severity {
	set, ok := r.set[rule.Name()]
	switch {
	case own == 0 || own == rule.Severity:
		if ok {
			return set
		}
		return rule.Severity
	case ok:
		return min(own, set)
	}
	return own
}

func nearestRule(name string, known []string) string {
	if near := workspace.Nearest(name, known); near != "" {
		return "did you mean " + near + "?"
	}
	return "run 'fractl rules' for the list"
}
