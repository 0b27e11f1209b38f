package ctxlessdb

import (
	"fmt"
	"go/ast"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/analysistest"
)

func TestCtxlessDB(t *testing.T) {
	analysistest.RunWithSuggestedFixes(t, analysistest.TestData(), Analyzer, "direct", "inreach", "handlers", "notimported", "sessions", "thread")
	analysistest.Run(t, analysistest.TestData(), Analyzer, "wrap", "wrapuse", "program", "migrate", "dispatch")
}

// The category decides the severity; want comments do not show it.
func TestCategories(t *testing.T) {
	want := map[string]string{
		"none": noContext, "parameter": direct, "blank": direct, "deferredCalls": deferred, "goroutines": goroutine,
		"later": goroutine, "closure": direct, "closureOfItsOwn": direct, "initialise": exempt, "": exempt,
		"up": exempt, "byHandUp": exempt, "save": direct,
		"init": exempt, "main": exempt, "main.func": direct, "setup": direct, "query": generated,
		"TestMain": inTest, "TestPing": inTest, "helper": inTest, "TestOld": inTest,
		"Total": wrapper, "handler": wrapper, "end": wrapper, "generic": wrapper,
	}
	seen := make(map[string]bool)
	for _, res := range analysistest.Run(t, analysistest.TestData(), Analyzer, "inreach", "wrap", "wrapuse", "program", "migrate") {
		for _, d := range res.Diagnostics {
			name := functionName(res.Pass, d.Pos)
			category, ok := want[name]
			if name == "helper" && res.Pass.Pkg.Name() == "inreach" {
				category = inTest
			}
			if name == "handler" && res.Pass.Pkg.Name() == "inreach" {
				category = direct
			}
			if ok && d.Category != label(category) {
				t.Errorf("%s: %s has category %s, want %s", name, d.Message, d.Category, category)
			}
			seen[name] = true
		}
	}
	for name := range want {
		if !seen[name] {
			t.Errorf("nothing is reported in %q", name)
		}
	}
}

// A finding about a wrapper shows each step of the path, in files that the
// pass has not parsed too.
func TestPath(t *testing.T) {
	for _, res := range analysistest.Run(t, analysistest.TestData(), Analyzer, "wrapuse") {
		for _, d := range res.Diagnostics {
			if functionName(res.Pass, d.Pos) != "end" {
				continue
			}
			var got []string
			for _, r := range d.Related {
				pos := res.Pass.Fset.Position(r.Pos)
				got = append(got, fmt.Sprintf("%s:%d %s", filepath.Base(pos.Filename), pos.Line, r.Message))
			}
			want := []string{
				"wrapuse.go:18 chain calls Twice", "wrap.go:17 Twice calls Count", "wrap.go:12 Count calls (*sql.DB).QueryRow",
				"wrapuse.go:22 hint: give chain a context parameter and pass it on to the database",
			}
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("path:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
	}
}

func TestSeverities(t *testing.T) {
	for category := range Severities() {
		if !strings.Contains(doc, category) {
			t.Errorf("doc.go does not explain category %s", category)
		}
	}
}

// functionName is the name of the declaration around pos; of a literal in main
// "main.func", of a package variable "".
func functionName(pass *analysis.Pass, pos token.Pos) string {
	for _, f := range pass.Files {
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || pos < fn.Pos() || fn.End() <= pos {
				continue
			}
			name := fn.Name.Name
			ast.Inspect(fn, func(n ast.Node) bool {
				if lit, ok := n.(*ast.FuncLit); ok && name == "main" && lit.Pos() <= pos && pos < lit.End() {
					name = "main.func"
				}
				return true
			})
			return name
		}
	}
	return ""
}
