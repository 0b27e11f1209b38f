package timerleak

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/fractl/fractl/internal/analyzers/internal/analyzerdoc"
	"github.com/fractl/fractl/internal/analyzers/internal/origin"
	"github.com/fractl/fractl/internal/analyzers/internal/place"
	"github.com/fractl/fractl/internal/analyzers/internal/timermode"
)

// Analyzer reports timers and tickers that are never stopped.
//
// Its flag "toolchain" is the version of the Go toolchain that builds the
// code, "go1.26.8"; without it the environment's GOVERSION (which the go
// command sets for its tools) or else the type-checked standard library's own
// VERSION file tell.
var Analyzer = newAnalyzer()

func newAnalyzer() *analysis.Analyzer {
	a := &analysis.Analyzer{
		Name:      "timerleak",
		Doc:       analyzerdoc.Must(doc, "timerleak"),
		URL:       "https://pkg.go.dev/github.com/fractl/fractl/internal/analyzers/timerleak",
		Requires:  []*analysis.Analyzer{inspect.Analyzer},
		FactTypes: []analysis.Fact{new(timerParams), new(makesTimer), new(oldLeaks)},
		Run:       run,
	}
	a.Flags.String("toolchain", "", "version of the Go toolchain that builds the code, such as go1.26.8")
	return a
}

func run(pass *analysis.Pass) (any, error) {
	if !imports(pass.Pkg, "time") || origin.Foreign(pass) {
		return nil, nil
	}
	c := &checker{
		pass:   pass,
		info:   pass.TypesInfo,
		root:   pass.ResultOf[inspect.Analyzer].(*inspector.Inspector).Root(),
		places: place.New(pass.Fset),
		decls:  make(map[*types.Func]inspector.Cursor),
	}
	for d := range c.root.Preorder((*ast.FuncDecl)(nil)) {
		if fn, ok := c.info.Defs[d.Node().(*ast.FuncDecl).Name].(*types.Func); ok {
			c.decls[fn] = d
			c.order = append(c.order, fn)
		}
	}
	c.exportFacts()
	c.checkSources()
	c.checkGoroutines()
	c.checkDrains()
	c.checkGoDebug()
	return nil, nil
}

func imports(pkg *types.Package, path string) bool {
	return slices.ContainsFunc(pkg.Imports(), func(p *types.Package) bool { return p.Path() == path })
}

// checker is one pass over one package.
type checker struct {
	pass   *analysis.Pass
	info   *types.Info
	root   inspector.Cursor
	places *place.Files
	// decls are the functions that the package declares, order theirs.
	decls map[*types.Func]inspector.Cursor
	order []*types.Func
	// code and tests are the meaning for the package and for its test files,
	// each found when first asked for.
	code, tests *timermode.Mode
	// latent are the leaks that only the old meaning would make.
	latent []latentLeak
}

// leaking reports a leak that is one where unstopped timers are not collected,
// and otherwise keeps it for a main package that says so.
func (c *checker) leaking(at ast.Node, category, message string, related ...analysis.RelatedInformation) {
	c.leakingFixable(at, category, message, nil, related...)
}

func (c *checker) leakingFixable(at ast.Node, category, message string, fixes []analysis.SuggestedFix, related ...analysis.RelatedInformation) {
	m := c.mode(at.Pos())
	switch {
	case !m.Known:
	case !m.Collected:
		c.reportFixable(at, category, fmt.Sprintf("%s; unstopped timers are not collected here (%s)", message, m), fixes, append(related, c.decider(m)...)...)
	case !c.isTest(at.Pos()):
		c.keep(at, message)
	}
}

// report reports at the node. A leak in a test is but a note; what hangs or is
// always wrong stays what it is.
func (c *checker) report(at ast.Node, category, message string, related ...analysis.RelatedInformation) {
	c.reportFixable(at, category, message, nil, related...)
}

func (c *checker) reportFixable(at ast.Node, category, message string, fixes []analysis.SuggestedFix, related ...analysis.RelatedInformation) {
	if c.isTest(at.Pos()) {
		switch category {
		case stopped, nilChan, drain, lenCap, guard, redundant, cost:
		default:
			category = inTest
		}
	}
	c.pass.Report(analysis.Diagnostic{
		Pos: at.Pos(), End: at.End(), Category: label(category), Message: message, Related: related, SuggestedFixes: fixes,
	})
}

// decider is the line that decides m, as a further place of a finding.
func (c *checker) decider(m timermode.Mode) []analysis.RelatedInformation {
	if m.File == "" {
		return nil
	}
	pos := c.places.Line(m.File, m.Line)
	if !pos.IsValid() {
		return nil
	}
	return []analysis.RelatedInformation{{Pos: pos, Message: m.Text + " decides what timer channels mean"}}
}

func (c *checker) isTest(pos token.Pos) bool {
	return strings.HasSuffix(c.pass.Fset.File(pos).Name(), "_test.go")
}

// line is the line number of pos, for messages.
func (c *checker) line(pos token.Pos) int { return c.pass.Fset.Position(pos).Line }
