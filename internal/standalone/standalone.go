// Package standalone makes the rules of vet fit for drivers of others, which
// know analyzers and nothing of ignore comments, severities or fractl.yaml:
// golangci-lint and nogo.
package standalone

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/workspace"
)

// hintPrefix begins the message of a related position that is the next step.
const hintPrefix = "hint: "

// Analyzers are the rules with these names, or all where none is given, but for
// those that are disabled, by name. A name that is no rule is an error.
func Analyzers(enable, disable []string) ([]*analysis.Analyzer, error) {
	suite := analyzers.Suite()
	var names []string
	for _, r := range suite {
		names = append(names, r.Name())
	}
	for _, name := range slices.Concat(enable, disable) {
		if !slices.Contains(names, name) {
			if near := workspace.Nearest(name, names); near != "" {
				return nil, fmt.Errorf("unknown rule %s: did you mean %s?", name, near)
			}
			return nil, fmt.Errorf("unknown rule %s: known are %s", name, strings.Join(names, ", "))
		}
	}
	var list []*analysis.Analyzer
	for _, r := range suite {
		if (len(enable) == 0 || slices.Contains(enable, r.Name())) && !slices.Contains(disable, r.Name()) {
			list = append(list, analyzer(r))
		}
	}
	return list, nil
}

// Analyzer is the rule of that name. There must be one.
func Analyzer(name string) *analysis.Analyzer {
	list, err := Analyzers([]string{name}, nil)
	if err != nil {
		panic(err)
	}
	return list[0]
}

// analyzer is a copy of a rule's analyzer that reports what `go vet -vettool`
// with fractl would: warnings and errors that no comment suppresses, of a rule
// that fractl.yaml does not disable.
func analyzer(rule analyzers.Rule) *analysis.Analyzer {
	a := *rule.Analyzer
	run := a.Run
	a.Run = func(pass *analysis.Pass) (any, error) {
		f, err := newFilter(rule, pass)
		if err != nil {
			return nil, err
		}
		p := *pass
		p.Report = f.report
		return run(&p)
	}
	return &a
}

// filter stands between a rule and the report of its pass.
type filter struct {
	rule    analyzers.Rule
	pass    *analysis.Pass
	off     bool
	set     finding.Severity // by fractl.yaml; 0 where it says nothing
	ignores map[string][]finding.Ignore
}

func newFilter(rule analyzers.Rule, pass *analysis.Pass) (*filter, error) {
	f := &filter{rule: rule, pass: pass, ignores: make(map[string][]finding.Ignore)}
	if len(pass.Files) == 0 {
		return f, nil
	}
	ws, err := workspace.Find(filepath.Dir(pass.Fset.PositionFor(pass.Files[0].Package, false).Filename))
	switch {
	case errors.Is(err, workspace.ErrNone):
		return f, nil
	case err != nil:
		return nil, err
	}
	if ws.Manifest != nil {
		f.off = slices.ContainsFunc(ws.Manifest.Vet.Disable, func(s workspace.Setting) bool { return s.Value == rule.Name() })
		f.set = ws.Manifest.Vet.Severity[rule.Name()]
	}
	return f, nil
}

func (f *filter) report(d analysis.Diagnostic) {
	if f.off || f.severity(d.Category) < finding.Warning || f.suppressed(d) {
		return
	}
	for _, rel := range d.Related {
		if hint, ok := strings.CutPrefix(rel.Message, hintPrefix); ok {
			d.Message += "; " + hint
			break
		}
	}
	d.Related = nil // golangci-lint makes an issue of each
	f.pass.Report(d)
}

// severity is that of a report of the category; see package analyzers.
func (f *filter) severity(category string) finding.Severity {
	own := f.rule.Severity
	if s, err := finding.ParseSeverity(path.Base(category)); err == nil && strings.Contains(category, "/") {
		own = s
	}
	switch {
	case f.set == 0:
		return own
	case own == f.rule.Severity:
		return f.set
	}
	return min(own, f.set)
}

// suppressed reports whether a comment suppresses the report.
func (f *filter) suppressed(d analysis.Diagnostic) bool {
	at := f.pass.Fset.PositionFor(d.Pos, false)
	list, ok := f.ignores[at.Filename]
	if !ok {
		list = f.read(at.Filename)
		f.ignores[at.Filename] = list
	}
	found := finding.Finding{Rule: f.rule.Name(), File: at.Filename, Line: at.Line}
	return slices.ContainsFunc(list, func(ig finding.Ignore) bool { return ig.Suppresses(found) })
}

// read reads the ignore comments of a file.
func (f *filter) read(name string) []finding.Ignore {
	read := f.pass.ReadFile
	if read == nil {
		read = os.ReadFile // nogo leaves it out
	}
	src, err := read(name)
	if err != nil {
		src, err = os.ReadFile(name) // one that the driver does not know: a script, a go.mod
	}
	switch {
	case err != nil:
		return nil
	case filepath.Ext(name) == ".go":
		return finding.IgnoresInGo(name, src)
	case filepath.Ext(name) == ".sql":
		return finding.IgnoresInSQL(name, src)
	}
	return finding.IgnoresInMod(name, src)
}
