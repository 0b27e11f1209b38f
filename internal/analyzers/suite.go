package analyzers

import (
	"context"

	"golang.org/x/tools/go/analysis"

	"github.com/fractl/fractl/internal/analyzers/chanleak"
	"github.com/fractl/fractl/internal/analyzers/crossimport"
	"github.com/fractl/fractl/internal/analyzers/crossschema"
	"github.com/fractl/fractl/internal/analyzers/ctxbreak"
	"github.com/fractl/fractl/internal/analyzers/ctxlessdb"
	"github.com/fractl/fractl/internal/analyzers/httplimits"
	"github.com/fractl/fractl/internal/analyzers/ignore"
	"github.com/fractl/fractl/internal/analyzers/mockdrift"
	"github.com/fractl/fractl/internal/analyzers/poolescape"
	"github.com/fractl/fractl/internal/analyzers/replacedrift"
	"github.com/fractl/fractl/internal/analyzers/timerleak"
	"github.com/fractl/fractl/internal/analyzers/unsafeshare"
	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/workspace"
)

// Suite is the one list of rules, by name.
func Suite() []Rule {
	return []Rule{
		{Analyzer: chanleak.Analyzer, Severity: finding.Error},
		{Analyzer: crossimport.Analyzer, Severity: finding.Error, Scan: crossimport.Scan, Shape: crossimport.Text},
		{Analyzer: crossschema.Analyzer, Severity: finding.Error, Scan: crossschema.Scan, Shape: crossschema.Text},
		{Analyzer: ctxbreak.Analyzer, Severity: finding.Error, Imports: []string{"context"}},
		{Analyzer: ctxlessdb.Analyzer, Severity: finding.Error},
		{Analyzer: httplimits.Analyzer, Severity: finding.Error, Imports: []string{"net/http"}},
		{Analyzer: ignore.Analyzer, Severity: finding.Warning, Comments: true},
		{Analyzer: mockdrift.Analyzer, Severity: finding.Note, Imports: []string{"go.uber.org/mock/gomock"}, Scopes: true},
		{Analyzer: poolescape.Analyzer, Severity: finding.Error, Imports: []string{"sync"}},
		{Analyzer: replacedrift.Analyzer, Severity: finding.Error, Scan: replacedrift.Scan},
		{Analyzer: timerleak.Analyzer, Severity: finding.Error},
		{Analyzer: unsafeshare.Analyzer, Severity: finding.Warning, Imports: []string{"unsafe", "reflect"}},
	}
}

// Rule is one rule of vet.
type Rule struct {
	// Analyzer gives its name, its documentation and, for rules about
	// packages, the check.
	Analyzer *analysis.Analyzer
	// Severity is that of its findings where nothing else is said.
	Severity finding.Severity
	// Scan, where set, is what the driver runs instead of the analyzer: a
	// check of the whole workspace that needs no package to build. What it
	// finds is complete and final but for fingerprints, and its error names
	// what it could not look at.
	Scan func(context.Context, *workspace.Workspace) ([]finding.Finding, error)
	// Shape, where set, is what Scan reads of a .go or .sql file, given by its
	// path relative to the root: while that, the module files, the manifest
	// and the names of all files are as they were, Scan finds the same.
	Shape func(ws *workspace.Workspace, rel string, src []byte) []byte
	// Imports, where set, are import paths one of which a package must reach,
	// directly or not, before the analyzer can find anything in it.
	Imports []string
	// Scopes: the analyzer looks for names in packages that the code imports,
	// beside those that the code uses.
	Scopes bool
	// Comments marks the rule about ignore comments, which drivers check.
	Comments bool
}

// Name is the name in flags, comments and findings.
func (r Rule) Name() string { return r.Analyzer.Name }
