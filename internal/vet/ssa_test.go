package vet

import (
	"go/token"
	"reflect"
	"testing"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/buildssa"
	"golang.org/x/tools/go/ssa"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/finding"
)

// TestSSA holds that a rule gets SSA form, that it knows which functions of the
// standard library and of other packages never return, and that it is not built
// for packages that reach nothing which the rule is about.
func TestSSA(t *testing.T) {
	dir := tree(t, `
-- go.mod --
module example.com/m

go 1.26
-- stop/stop.go --
package stop

import "os"

// Now is known to its importers as a function that never returns.
func Now() { os.Exit(1) }
-- use/use.go --
package use

import (
	"log"

	"example.com/m/stop"
)

func a() { println("a") }

func b() { log.Fatal("b"); println("never") }

func c() { stop.Now(); println("never") }
-- other/other.go --
package other

func d() { println("d") }
`)
	res := vetTree(t, dir, printlns())
	if len(res.Problems) > 0 {
		t.Fatal(res.Problems)
	}
	if len(res.Findings) != 1 || res.Findings[0].File != "use/use.go" || res.Findings[0].Line != 9 {
		t.Errorf("got %+v, want one finding in use/use.go, line 9", res.Findings)
	}
}

// printlns reports each println that can be reached, in packages that reach log.
func printlns() analyzers.Rule {
	return analyzers.Rule{Severity: finding.Warning, Imports: []string{"log"}, Analyzer: &analysis.Analyzer{
		Name: "printlns", Doc: "reports println", Requires: []*analysis.Analyzer{buildssa.Analyzer},
		ResultType: reflect.TypeFor[int](),
		Run: func(pass *analysis.Pass) (any, error) {
			n := 0
			for _, fn := range pass.ResultOf[buildssa.Analyzer].(*buildssa.SSA).SrcFuncs {
				for _, b := range fn.Blocks {
					for _, instr := range b.Instrs {
						call, ok := instr.(*ssa.Call)
						if !ok || call.Pos() == token.NoPos {
							continue
						}
						if f, ok := call.Call.Value.(*ssa.Builtin); ok && f.Name() == "println" {
							n++
							pass.Reportf(call.Pos(), "println")
						}
					}
				}
			}
			return n, nil
		},
	}}
}
