package vet

import (
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"path"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/buildssa"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/fault"
)

// analyze runs on n the rules that may find something in it or, where n only
// serves its importers, those that leave facts for them. It returns what they
// have seen of other packages.
func (c *checking) analyze(n *node) *uses {
	seen := newUses(n, c.index)
	a := newAnalysis(n, c.fset, c.sizes, c.index, c.run.overlay, c.meter, seen)
	res := unitResult{Complete: !n.broken}
	whole := false
	for _, rule := range c.rules {
		if n.broken && !rule.Analyzer.RunDespiteErrors {
			continue
		}
		if len(rule.Imports) > 0 && !c.relevant(n, rule) {
			// It can find nothing here. What it builds on may still have to
			// tell importers something: which functions never return.
			for _, req := range rule.Analyzer.Requires {
				if err := a.leaveFacts(req); err != nil && !errors.Is(err, errCgo) {
					res.Complete = false
					c.failed(rule, err)
				}
			}
			continue
		}
		whole = whole || rule.Scopes
		if !n.unit && n.pkg.ForTest != "" && needsSSA(rule.Analyzer) {
			continue // a copy made for another's test: too dear for what its importer gains
		}
		if !n.unit {
			if err := a.leaveFacts(rule.Analyzer); err != nil && !errors.Is(err, errCgo) {
				res.Complete = false
				c.failed(rule, err)
			}
			continue
		}
		if err := a.run(rule.Analyzer); errors.Is(err, errCgo) {
			res.LeftOut = append(res.LeftOut, rule.Name())
			continue
		} else if err != nil {
			res.Complete = false
			c.failed(rule, err)
			continue
		}
		for _, d := range a.diagnostics[rule.Analyzer] {
			res.Findings = append(res.Findings, Finding(c.run.ws, c.fset, n.files, rule.Name(), d))
		}
	}
	n.result = res
	seen.types(whole)
	return seen
}

// failed notes that a rule did not do its work on a package. One that nobody
// asked for is not missed.
func (c *checking) failed(rule analyzers.Rule, err error) {
	if _, wanted := c.run.rules.named(rule.Name()); wanted {
		c.run.problems.add(err)
	}
}

func (r *run) packageResult(n *node) packageResult {
	p := packageResult{Path: n.pkg.PkgPath, Result: n.result}
	for _, name := range n.pkg.GoFiles {
		p.Files = append(p.Files, r.ws.Rel(name))
	}
	return p
}

// gather takes the results of packages into that of the run.
func (r *run) gather() {
	for _, p := range r.packages {
		r.take(p)
	}
}

// take takes what enabled rules found, with the severities that are set for
// them.
func (r *run) take(p packageResult) {
	complete := p.Result.Complete
	for _, f := range p.Result.Findings {
		rule, ok := r.rules.named(f.Rule)
		dir := path.Dir(f.File)
		// A pattern may not have asked for the package of the place.
		if !ok || strings.HasSuffix(f.File, ".go") && !r.scope.matches(dir) {
			continue
		}
		f.Severity = r.rules.severity(rule, f.Severity)
		r.reported = append(r.reported, f)
	}
	for _, name := range p.Result.LeftOut {
		if _, ok := r.rules.named(name); ok {
			complete = false
			r.left[p.Path] = append(r.left[p.Path], name)
		}
	}
	if complete {
		for _, name := range p.Files {
			r.analysed[name] = true
		}
	}
}

// needsSSA reports whether an analyzer builds on SSA form.
func needsSSA(a *analysis.Analyzer) bool {
	return a == buildssa.Analyzer || slices.ContainsFunc(a.Requires, needsSSA)
}

// errCgo is why a rule that needs SSA form cannot be run on some packages with
// cgo: their C types are unknown without a C compiler.
var errCgo = errors.New("the package has cgo, and SSA form needs its C types")

// analysisRun runs analyzers on one package, each once.
type analysisRun struct {
	n           *node
	fset        *token.FileSet
	sizes       types.Sizes
	index       *factIndex
	from        overlay
	meter       *meter
	seen        *uses
	results     map[*analysis.Analyzer]any
	failed      map[*analysis.Analyzer]error
	diagnostics map[*analysis.Analyzer][]analysis.Diagnostic
}

// newAnalysis returns a run on n; m and seen may be nil.
func newAnalysis(n *node, fset *token.FileSet, sizes types.Sizes, index *factIndex, from overlay, m *meter, seen *uses) *analysisRun {
	return &analysisRun{
		n: n, fset: fset, sizes: sizes, index: index, from: from, meter: m, seen: seen,
		results:     make(map[*analysis.Analyzer]any),
		failed:      make(map[*analysis.Analyzer]error),
		diagnostics: make(map[*analysis.Analyzer][]analysis.Diagnostic),
	}
}

// run runs a and, before it, what it requires. A panic is an error that names
// the analyzer and the package.
func (r *analysisRun) run(a *analysis.Analyzer) (err error) {
	if err, ok := r.failed[a]; ok {
		return err
	}
	if _, ok := r.results[a]; ok {
		return nil
	}
	defer func() {
		if p := recover(); p != nil && a.Name == buildssa.Analyzer.Name && r.n.hasC {
			err = errCgo
		} else if p != nil {
			err = &fault.Error{
				Subject: "rule " + a.Name, Fact: fmt.Sprintf("failed on package %s: %v", r.n.pkg.ID, p),
				Hint: "please report it; it began in " + origin() + "; --disable " + a.Name + " goes on without it",
			}
		}
		if err != nil {
			r.failed[a] = err
		}
	}()
	inputs := make(map[*analysis.Analyzer]any)
	for _, req := range a.Requires {
		if err := r.run(req); err != nil {
			return err
		}
		inputs[req] = r.results[req]
	}
	pass := r.pass(a, inputs)
	stop := r.meter.start(a.Name)
	result, err := a.Run(pass)
	stop()
	if err != nil {
		return fault.New("rule "+a.Name, fmt.Sprintf("failed on package %s: %v", r.n.pkg.ID, err), "")
	}
	if got := reflect.TypeOf(result); got != a.ResultType {
		return fault.New("rule "+a.Name, fmt.Sprintf("on package %s returned a %v instead of a %v", r.n.pkg.ID, got, a.ResultType), "")
	}
	r.results[a] = result
	return nil
}

func (r *analysisRun) pass(a *analysis.Analyzer, inputs map[*analysis.Analyzer]any) *analysis.Pass {
	n := r.n
	facts := passFacts{store: &n.facts, pkg: n.types, index: r.index, types: a.FactTypes, seen: r.seen}
	return &analysis.Pass{
		Analyzer: a, Fset: r.fset, Files: n.files, OtherFiles: n.pkg.OtherFiles, IgnoredFiles: n.pkg.IgnoredFiles,
		Pkg: n.types, TypesInfo: n.info, TypesSizes: r.sizes, TypeErrors: n.typeErrs, Module: n.module(),
		ResultOf: inputs,
		ReadFile: r.from.read,
		Report: func(d analysis.Diagnostic) {
			r.diagnostics[a] = append(r.diagnostics[a], d)
		},
		ImportObjectFact: facts.importObject, ExportObjectFact: facts.exportObject,
		ImportPackageFact: facts.importPackage, ExportPackageFact: facts.exportPackage,
		AllObjectFacts: facts.allObjects, AllPackageFacts: facts.allPackages,
	}
}

// leaveFacts runs a, and what it requires, as far as these export facts.
func (r *analysisRun) leaveFacts(a *analysis.Analyzer) error {
	if len(a.FactTypes) > 0 {
		return r.run(a)
	}
	for _, req := range a.Requires {
		if err := r.leaveFacts(req); err != nil {
			return err
		}
	}
	return nil
}

// reachability says for each package which of the import paths that rules ask
// for it reaches.
func reachability(nodes []*node, rules []analyzers.Rule) map[*node]map[string]bool {
	wanted := make(map[string]bool)
	for _, rule := range rules {
		for _, imp := range rule.Imports {
			wanted[imp] = true
		}
	}
	reach := make(map[*node]map[string]bool)
	if len(wanted) == 0 {
		return reach
	}
	for _, n := range nodes { // imports come first
		set := make(map[string]bool)
		for imp, d := range n.deps {
			if wanted[imp] {
				set[imp] = true
			}
			for deep := range reach[d] {
				set[deep] = true
			}
		}
		reach[n] = set
	}
	return reach
}

func (c *checking) relevant(n *node, rule analyzers.Rule) bool {
	for _, imp := range rule.Imports {
		if c.reach[n][imp] || n.pkg.PkgPath == imp {
			return true
		}
	}
	return false
}
