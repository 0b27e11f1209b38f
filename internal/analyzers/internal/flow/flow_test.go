package flow

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"testing"

	"golang.org/x/tools/go/ast/inspector"
)

// loader type-checks against the sources of the standard library, each once.
type loader struct {
	fset *token.FileSet
	std  types.Importer
}

func newLoader() loader {
	fset := token.NewFileSet()
	return loader{fset, importer.ForCompiler(fset, "source", nil)}
}

// check calls f for the first loop of a function whose body is body.
func (l loader) check(t *testing.T, body string, f func(info *types.Info, loop inspector.Cursor)) {
	t.Helper()
	src := "package p\n\nimport (\"log\"; \"os\"; \"runtime\"; \"testing\")\n\n" +
		"var _, _, _, _ = log.Print, os.Exit, runtime.GC, testing.Short\n\n" +
		"func f(t *testing.T, ch, done chan int, more bool) {\n" + body + "\n}\n"
	file, err := parser.ParseFile(l.fset, "p.go", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	info := &types.Info{
		Uses: make(map[*ast.Ident]types.Object), Defs: make(map[*ast.Ident]types.Object),
		Types: make(map[ast.Expr]types.TypeAndValue), Selections: make(map[*ast.SelectorExpr]*types.Selection),
	}
	conf := types.Config{Importer: l.std}
	if _, err := conf.Check("p", l.fset, []*ast.File{file}, info); err != nil {
		t.Fatal(err)
	}
	for c := range inspector.New([]*ast.File{file}).Root().Preorder((*ast.ForStmt)(nil), (*ast.RangeStmt)(nil)) {
		f(info, c)
		return
	}
	t.Fatal("no loop")
}

func TestEndless(t *testing.T) {
	load := newLoader()
	for _, tc := range []struct {
		body string
		want bool
	}{
		{"for {}", true},
		{"for more {}", false},
		{"for range ch {}", true},
		{"for { if more { return } }", false},
		{"for { if more { break } }", false},
		{"for { select { case <-done: break; case <-ch: } }", true},
		{"for { select { case <-done: return; case <-ch: } }", false},
		{"loop: for { select { case <-done: break loop; case <-ch: } }", false},
		{"loop: for { select { case <-done: continue loop; case <-ch: } }", true},
		{"for { inner: for { break inner } }", true},
		{"outer: for more { for { continue outer } }", false},
		{"for { switch { case more: break } }", true},
		{"for { for { break } }", true},
		{"for { func() { return }() }", true},
		{"for { if more { panic(1) } }", false},
		{"for { os.Exit(1) }", false},
		{"for { log.Fatalf(``) }", false},
		{"for { runtime.Goexit() }", false},
		{"for { t.FailNow() }", false},
		{"for { t.Log() }", true},
		{"for { goto end }; end:", false},
	} {
		load.check(t, tc.body, func(info *types.Info, loop inspector.Cursor) {
			// The last case of outer: the loop asked about is the inner one.
			if l, ok := loop.Parent().Node().(*ast.LabeledStmt); ok && l.Label.Name == "outer" {
				for inner := range loop.Preorder((*ast.ForStmt)(nil)) {
					if inner != loop {
						loop = inner
					}
				}
			}
			if got := Endless(info, loop); got != tc.want {
				t.Errorf("%s: endless = %v", tc.body, got)
			}
		})
	}
}

func TestTerminates(t *testing.T) {
	load := newLoader()
	for _, tc := range []struct {
		body string
		want bool
	}{
		{"for {}", false},
		{"for { return }", true},
		{"for { t.Log() }", false},
		{"for { panic(1) }", true},
		{"for { continue }", true},
		{"for { { return } }", true},
		{"for { if more { return } }", false},
		{"for { if more { return } else { break } }", true},
		{"for { if more { return } else if !more { break } else { return } }", true},
	} {
		load.check(t, tc.body, func(info *types.Info, loop inspector.Cursor) {
			if got := Terminates(info, loop.Node().(*ast.ForStmt).Body.List); got != tc.want {
				t.Errorf("%s: terminates = %v", tc.body, got)
			}
		})
	}
}
