package fix_test

import (
	"context"
	"go/ast"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/go/analysis"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vet"
	"github.com/fractl/fractl/internal/vet/fix"
)

// renames suggests another name for functions: Old becomes New everywhere,
// Broken only where it is declared, and One becomes Two, Two becomes Three. It
// would leave fmt.Sprint out around a text.
var renames = &analysis.Analyzer{
	Name: "renames", Doc: "renames: for a test", URL: "https://example.com",
	Run: func(pass *analysis.Pass) (any, error) {
		other := map[string]string{"Old": "New", "One": "Two", "Two": "Three", "Broken": "Mended"}
		for _, f := range pass.Files {
			declared := make(map[*ast.Ident]bool)
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok {
					declared[fn.Name] = true
				}
			}
			ast.Inspect(f, func(n ast.Node) bool {
				id, ok := n.(*ast.Ident)
				if !ok || other[id.Name] == "" || id.Name == "Broken" && !declared[id] {
					return true
				}
				name := other[id.Name]
				edits := []analysis.TextEdit{{Pos: id.Pos(), End: id.End(), NewText: []byte(name)}}
				pass.Report(analysis.Diagnostic{Pos: id.Pos(), End: id.End(), Message: id.Name + " is old", SuggestedFixes: []analysis.SuggestedFix{{Message: "Call it " + name, TextEdits: edits}}})
				return true
			})
			ast.Inspect(f, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || len(call.Args) != 1 {
					return true
				}
				if sel, ok := call.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Sprint" {
					pass.Report(analysis.Diagnostic{Pos: call.Pos(), End: call.End(), Message: "Sprint of a text", SuggestedFixes: []analysis.SuggestedFix{{
						Message: "Leave it out", TextEdits: []analysis.TextEdit{{Pos: call.Pos(), End: call.Args[0].Pos()}, {Pos: call.Args[0].End(), End: call.End()}},
					}}})
				}
				return true
			})
		}
		return nil, nil
	},
}

func options(t *testing.T, files map[string]string) vet.Options {
	t.Helper()
	dir := t.TempDir()
	files["go.mod"] = "module example.com/m\n\ngo 1.26\n"
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return vet.Options{Dir: dir, Rules: []analyzers.Rule{{Analyzer: renames, Severity: finding.Error}}}
}

func run(t *testing.T, o vet.Options) *fix.Outcome {
	t.Helper()
	out, err := fix.Run(context.Background(), o, finding.Warning)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func text(t *testing.T, out *fix.Outcome, file string) string {
	t.Helper()
	for _, c := range out.Changes {
		if c.File == file {
			return string(c.New)
		}
	}
	t.Fatalf("%s is not changed", file)
	return ""
}

// A fix that makes another possible is followed by that; a second run on what
// came out changes nothing.
func TestRounds(t *testing.T) {
	o := options(t, map[string]string{"a.go": "package m\n\nfunc Old() {}\n\nfunc One() { Old() }\n\nfunc user() { One(); One() }\n"})
	out := run(t, o)
	want := "package m\n\nfunc New() {}\n\nfunc Three() { New() }\n\nfunc user() { Three(); Three() }\n"
	if got := text(t, out, "a.go"); got != want || len(out.Vet.Problems) > 0 || len(out.Vet.Findings) > 0 {
		t.Fatalf("got\n%s\nproblems %v, findings %v", got, out.Vet.Problems, out.Vet.Findings)
	}
	if err := os.WriteFile(filepath.Join(o.Dir, "a.go"), []byte(want), 0o666); err != nil {
		t.Fatal(err)
	}
	if again := run(t, o); len(again.Changes) != 0 {
		t.Errorf("fixing twice changes %v", again.Changes)
	}
}

// A fix that breaks a package, here or in another file, is taken back, and the
// others stay.
func TestBrokenFixIsTakenBack(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"same file":  {"a.go": "package m\n\nfunc Broken() {}\n\nfunc user() { Broken() }\n", "b.go": "package m\n\nfunc Old() {}\n"},
		"other file": {"a.go": "package m\n\nfunc Broken() {}\n", "b.go": "package m\n\nfunc Old() {}\n", "c.go": "package m\n\nfunc user() { Broken() }\n"},
		"elsewhere":  {"p/a.go": "package p\n\nfunc Broken() {}\n", "b.go": "package m\n\nfunc Old() {}\n", "c/c.go": "package c\n\nimport \"example.com/m/p\"\n\nfunc user() { p.Broken() }\n"},
	} {
		t.Run(name, func(t *testing.T) {
			out := run(t, options(t, files))
			if got := text(t, out, "b.go"); !strings.Contains(got, "func New") {
				t.Errorf("the good fix is lost: %s", got)
			}
			if len(out.Changes) != 1 || len(out.Refused) != 1 || !strings.HasPrefix(out.Refused[0].Message, "Broken") || len(out.Vet.Problems) > 0 {
				t.Errorf("changes %d, refused %v, problems %v", len(out.Changes), out.Refused, out.Vet.Problems)
			}
		})
	}
}

// What was broken before stays so, and hinders nobody.
func TestBrokenBefore(t *testing.T) {
	out := run(t, options(t, map[string]string{"a/a.go": "package a\n\nvar x int = \"\"\n", "b.go": "package m\n\nfunc Old() {}\n"}))
	if got := text(t, out, "b.go"); !strings.Contains(got, "func New") || len(out.Vet.Problems) != 1 {
		t.Errorf("%s, problems %v", got, out.Vet.Problems)
	}
}

// An import that is used no more goes, and its comments with it; one that is
// still used stays.
func TestImports(t *testing.T) {
	out := run(t, options(t, map[string]string{
		"a.go": "package m\n\nimport (\n\t\"fmt\"\n\t\"os\"\n)\n\nvar A = fmt.Sprint(\"a\") + os.DevNull\n",
		"b.go": "package m\n\nimport \"fmt\"\n\nvar B = fmt.Sprint(\"b\") + fmt.Sprintf(\"%d\", 1)\n",
	}))
	if got := text(t, out, "a.go"); got != "package m\n\nimport (\n\t\"os\"\n)\n\nvar A = \"a\" + os.DevNull\n" {
		t.Errorf("a.go\n%s", got)
	}
	if got := text(t, out, "b.go"); got != "package m\n\nimport \"fmt\"\n\nvar B = \"b\" + fmt.Sprintf(\"%d\", 1)\n" {
		t.Errorf("b.go\n%s", got)
	}
	if len(out.Vet.Problems) > 0 {
		t.Error(out.Vet.Problems)
	}
}
