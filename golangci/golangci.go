// Package golangci is fractl as a module plugin of golangci-lint v2: the rules
// of `fractl vet` as one custom linter. docs/ci.md says how it is built in and
// configured.
//
// `//fractl:ignore RULE reason` and fractl.yaml count as under fractl. What
// golangci-lint cannot do stays with fractl: telling of ignore comments that
// suppress nothing, findings in files that the build leaves out, baselines.
package golangci

import (
	"github.com/golangci/plugin-module-register/register"
	"golang.org/x/tools/go/analysis"

	"github.com/fractl/fractl/internal/standalone"
)

// golangci-lint finds the plugins that are linked into it in this registry, and
// an init function is the only way there.
func init() { register.Plugin("fractl", New) }

// settings are those of .golangci.yml.
type settings struct {
	// Enable, where not empty, are the only rules to run.
	Enable []string `json:"enable"`
	// Disable are rules not to run.
	Disable []string `json:"disable"`
}

// New makes the linter from its settings: two lists of rules, enable and
// disable.
func New(raw any) (register.LinterPlugin, error) {
	s, err := register.DecodeSettings[settings](raw)
	if err != nil {
		return nil, err
	}
	list, err := standalone.Analyzers(s.Enable, s.Disable)
	if err != nil {
		return nil, err
	}
	return plugin{list}, nil
}

type plugin struct{ analyzers []*analysis.Analyzer }

// BuildAnalyzers implements register.LinterPlugin.
func (p plugin) BuildAnalyzers() ([]*analysis.Analyzer, error) { return p.analyzers, nil }

// GetLoadMode implements register.LinterPlugin.
func (plugin) GetLoadMode() string { return register.LoadModeTypesInfo }
