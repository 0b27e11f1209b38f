package vet

import (
	"go/ast"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/txtar"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/finding"
)

const shop = `
-- go.work --
go 1.26
use ./a
use ./b
-- a/go.mod --
module example.com/a
go 1.26
-- a/lib/lib.go --
package lib

// Marked is found through a fact.
func Marked() {}

type List[T any] struct{ items []T }

func (l *List[T]) Add(x T) { l.items = append(l.items, x) }

type Names = List[string]
-- a/lib/lib_test.go --
package lib

import "testing"

func TestMarked(t *testing.T) { Marked() }
-- a/lib/ext_test.go --
package lib_test

import (
	"testing"

	"example.com/a/lib"
)

func TestExternal(t *testing.T) { lib.Marked() }
-- b/go.mod --
module example.com/b
go 1.26
-- b/bad/bad.go --
package bad

func Bad() {}
-- b/use/use.go --
package use

import "example.com/a/lib"

func Use() {
	var n lib.Names
	n.Add("x")
	lib.Marked()
}
-- b/ccode/c.go --
package ccode

// int twice(int n) { return 2 * n; }
import "C"

import "example.com/a/lib"

func Twice(n int) int { lib.Marked(); return int(C.twice(C.int(n))) }
`

func tree(t *testing.T, text string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, must(txtar.FS(txtar.Parse([]byte(text))))); err != nil {
		t.Fatal(err)
	}
	return dir
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// marked says that a function is called Marked.
type marked struct{ Name string }

func (*marked) AFact() {}

// calls reports each call of a function that has the fact.
func calls() analyzers.Rule {
	a := &analysis.Analyzer{Name: "calls", Doc: "calls of marked functions", FactTypes: []analysis.Fact{new(marked)}}
	a.Run = func(pass *analysis.Pass) (any, error) {
		for _, file := range pass.Files {
			for _, decl := range file.Decls {
				if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "Marked" {
					pass.ExportObjectFact(pass.TypesInfo.Defs[f.Name], &marked{"Marked"})
				}
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					id, _ := call.Fun.(*ast.Ident)
					if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
						id = sel.Sel
					}
					var fact marked
					if obj := pass.TypesInfo.Uses[id]; id != nil && obj != nil && obj.Pkg() != nil && pass.ImportObjectFact(obj, &fact) {
						pass.Reportf(call.Pos(), "call of %s", fact.Name)
					}
				}
				return true
			})
		}
		return nil, nil
	}
	return analyzers.Rule{Analyzer: a, Severity: finding.Warning}
}

// panics panics on one package.
func panics() analyzers.Rule {
	a := &analysis.Analyzer{Name: "panics", Doc: "a rule with a fault of its own"}
	a.Run = func(pass *analysis.Pass) (any, error) {
		if pass.Pkg.Name() == "bad" {
			panic("not thought of")
		}
		return nil, nil
	}
	return analyzers.Rule{Analyzer: a, Severity: finding.Error}
}

func vetTree(t *testing.T, dir string, rules ...analyzers.Rule) *Result {
	t.Helper()
	res, err := Run(t.Context(), Options{Dir: dir, Rules: rules,
		Env: append(os.Environ(), "GOFLAGS=", "GOWORK=", "GOPROXY=off", "CGO_ENABLED=1")})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func places(list []finding.Finding) []string {
	var out []string
	for _, f := range list {
		out = append(out, strings.Join([]string{f.File, f.Message}, ": "))
	}
	return out
}

// TestFacts holds that facts cross modules, that test variants add their files
// and report nothing twice, and that generics, aliases and cgo are no obstacle.
func TestFacts(t *testing.T) {
	res := vetTree(t, tree(t, shop), calls())
	want := []string{
		"a/lib/ext_test.go: call of Marked",
		"a/lib/lib_test.go: call of Marked",
		"b/ccode/c.go: call of Marked",
		"b/use/use.go: call of Marked",
	}
	if diff := cmp.Diff(want, places(res.Findings)); diff != "" {
		t.Error(diff)
	}
	if len(res.Problems) > 0 {
		t.Errorf("problems: %v", res.Problems)
	}
}

// TestPanic holds that a panic in one rule is said, with the rule and the
// package, and that the other rules and packages are done all the same.
func TestPanic(t *testing.T) {
	res := vetTree(t, tree(t, shop), calls(), panics())
	if len(res.Findings) != 4 {
		t.Errorf("findings: %v", places(res.Findings))
	}
	if len(res.Problems) != 1 {
		t.Fatalf("problems: %v", res.Problems)
	}
	for _, part := range []string{"panics", "example.com/b/bad", "not thought of"} {
		if text := res.Problems[0].Error(); !strings.Contains(text, part) {
			t.Errorf("%q does not name %q", text, part)
		}
	}
}

// TestSameBytes holds that neither the number of workers nor the place of the
// checkout shows in what is found.
func TestSameBytes(t *testing.T) {
	var first []finding.Finding
	for _, procs := range []int{1, 2, 4, 2, 1} {
		old := runtime.GOMAXPROCS(procs)
		res := vetTree(t, tree(t, shop), analyzers.Suite()...)
		more := vetTree(t, tree(t, shop), calls())
		runtime.GOMAXPROCS(old)
		got := append(res.Findings, more.Findings...)
		if first == nil {
			first = got
		}
		if diff := cmp.Diff(first, got); diff != "" {
			t.Fatal(diff)
		}
	}
}

// TestWhereACheckoutLies holds that the names of the folders above say nothing:
// build servers call them job@v2, and people call them vendor.
func TestWhereACheckoutLies(t *testing.T) {
	for _, above := range []string{"job@v2", "shop@v1.2.3", "vendor", "testdata", "_x", ".hidden"} {
		t.Run(above, func(t *testing.T) {
			dir := filepath.Join(tree(t, ""), above, "shop")
			if err := os.CopyFS(dir, must(txtar.FS(txtar.Parse([]byte(shop))))); err != nil {
				t.Fatal(err)
			}
			write := filepath.Join(dir, "a", "lib", "db.go")
			if err := os.WriteFile(write, []byte("package lib\n\nimport (\n\t\"context\"\n\t\"database/sql\"\n)\n\nfunc ping(ctx context.Context, db *sql.DB) error { return db.Ping() }\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			res := vetTree(t, dir, analyzers.Suite()...)
			found := 0
			for _, f := range res.Findings {
				if f.Rule == "ctxlessdb" && f.File == "a/lib/db.go" && f.Severity == finding.Error {
					found++
				}
			}
			if found != 1 || len(res.Problems) > 0 {
				t.Errorf("found %v, problems %v", places(res.Findings), res.Problems)
			}
		})
	}
}
