package vet

import (
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"reflect"
	"slices"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/buildssa"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/finding"
)

// analyze runs on n the rules that may find something in it or, where n only
// serves its importers, those that leave facts for them.
func (c *checking) analyze(n *node) {
	a := newAnalysis(n, c.fset, c.sizes, c.index, c.run.overlay, c.meter)
	complete := !n.broken
	var found []finding.Finding
	for _, rule := range c.rules {
		if n.broken && !rule.Analyzer.RunDespiteErrors {
			continue
		}
		if len(rule.Imports) > 0 && !c.relevant(n, rule) {
			// It can find nothing here. What it builds on may still have to
			// tell importers something: which functions never return.
			for _, req := range rule.Analyzer.Requires {
				if err := a.leaveFacts(req); err != nil && !errors.Is(err, errCgo) {
					complete = false
					c.run.problems.add(err)
				}
			}
			continue
		}
		if !n.unit && n.pkg.ForTest != "" && needsSSA(rule.Analyzer) {
			continue // a copy made for another's test: too dear for what its importer gains
		}
		if !n.unit {
			if err := a.leaveFacts(rule.Analyzer); err != nil && !errors.Is(err, errCgo) {
				c.run.problems.add(err)
			}
			continue
		}
		if err := a.run(rule.Analyzer); err != nil {
			complete = false
			if errors.Is(err, errCgo) {
				c.leftOut(rule.Name(), n)
			} else {
				c.run.problems.add(err)
			}
			continue
		}
		found = append(found, c.run.convert(c.fset, n, rule, a.diagnostics[rule.Analyzer])...)
	}
	if !n.unit {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.run.reported = append(c.run.reported, found...)
	if complete {
		for _, name := range n.pkg.GoFiles {
			c.run.analysed[c.run.ws.Rel(name)] = true
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

// leftOut notes that a rule was not run on a package.
func (c *checking) leftOut(rule string, n *node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.run.left == nil {
		c.run.left = make(map[string][]string)
	}
	c.run.left[n.pkg.PkgPath] = append(c.run.left[n.pkg.PkgPath], rule)
}

// analysisRun runs analyzers on one package, each once.
type analysisRun struct {
	n           *node
	fset        *token.FileSet
	sizes       types.Sizes
	index       *factIndex
	from        overlay
	meter       *meter
	results     map[*analysis.Analyzer]any
	failed      map[*analysis.Analyzer]error
	diagnostics map[*analysis.Analyzer][]analysis.Diagnostic
}

// newAnalysis returns a run on n; meter may be nil.
func newAnalysis(n *node, fset *token.FileSet, sizes types.Sizes, index *factIndex, from overlay, m *meter) *analysisRun {
	return &analysisRun{
		n: n, fset: fset, sizes: sizes, index: index, from: from, meter: m,
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
	facts := passFacts{store: &n.facts, pkg: n.types, index: r.index, types: a.FactTypes}
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
