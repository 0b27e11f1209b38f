package ownership

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"testing"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/fractl/fractl/internal/analyzers/internal/enclosing"
)

const prelude = `package p

type R struct{ C chan int }

func (*R) Release()  {}
func (*R) Look() int { return 0 }

func New() *R    { return new(R) }
func lend(r *R)  {}
func other() bool { return false }

var global *R

func f(on bool, in []int, done chan int) (_ *R, err error) {
`

// Each body makes one R; want is escapes, released, or the way it is lost.
var bodies = []struct{ name, body, want string }{
	{"never", "r := New(); r.Look(); return", "return"},
	{"falls off", "r := New(); r.Look(); return nil, nil", "return"},
	{"released", "r := New(); r.Release(); return", "released"},
	{"deferred", "r := New(); defer r.Release(); return", "released"},
	{"deferred literal", "r := New(); defer func() { r.Release() }(); return", "released"},
	{"literal called", "r := New(); func() { r.Release() }(); return", "released"},
	{"literal in go", "r := New(); go func() { r.Release() }(); return", "escapes"},
	{"literal kept", "r := New(); g := func() { r.Release() }; g(); return", "escapes"},
	{"literal that looks", "r := New(); go func() { r.Look() }(); return", "return"},
	{"method value", "r := New(); g := r.Release; g(); return", "escapes"},
	{"returned", "r := New(); return r, nil", "escapes"},
	{"stored", "r := New(); global = r; return", "escapes"},
	{"address", "r := New(); p := &r; _ = p; return", "escapes"},
	{"lent", "r := New(); lend(r); return", "return"},
	{"sent away", "r := New(); println(r); return", "escapes"},
	{"blank", "r := New(); _ = r; return", "return"},
	{"compared", "r := New(); if r == global { return }; r.Release(); return", "return"},
	{"early return", "r := New(); if other() { return }; r.Release(); return", "return"},
	{"both branches", "r := New(); if other() { r.Release(); return }; r.Release(); return", "released"},
	{"one branch goes on", "r := New(); if on { r.Release() }; return", "released"},
	{"one branch leaves", "r := New(); if on { r.Release(); return }; return", "return"},
	{"switch", "r := New(); switch { case on: r.Release() }; return", "released"},
	{"nil test", "var r *R; if on { r = New() }; if r != nil { r.Release(); return }; return", "released"},
	{"nil test first", "r := New(); if r == nil { return }; r.Release(); return", "released"},
	{"panics", "r := New(); if on { panic(1) }; r.Release(); return", "released"},
	{"endless", "r := New(); for { r.Look() }", "released"},
	{"loop", "for range in { r := New(); r.Look() }; return", "overwritten"},
	{"loop released", "for range in { r := New(); r.Release() }; return", "released"},
	{"replaced", "r := New(); r = New2(); r.Release(); return", "overwritten"},
	{"select", "r := New(); select { case <-done: r.Release(); case done <- 1: return }; return", "return"},
	{"select releases by receive", "r := New(); select { case <-r.C: }; return", "released"},
	{"select may release", "r := New(); select { case <-r.C: case <-done: }; return", "return"},
	{"infinite range", "r := New(); for range r.C { r.Look() }; return", "released"},
	{"infinite range left", "r := New(); for range r.C { break }; return", "return"},
}

func TestFate(t *testing.T) {
	for _, tc := range bodies {
		t.Run(tc.name, func(t *testing.T) {
			if got := fateOf(t, prelude+tc.body+"\n}\n\nfunc New2() *R { return nil }\n"); got != tc.want {
				t.Errorf("%s: %s, want %s", tc.body, got, tc.want)
			}
		})
	}
}

func fateOf(t *testing.T, src string) string {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "p.go", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	info := &types.Info{
		Uses: make(map[*ast.Ident]types.Object), Defs: make(map[*ast.Ident]types.Object),
		Types: make(map[ast.Expr]types.TypeAndValue), Selections: make(map[*ast.SelectorExpr]*types.Selection),
	}
	if _, err := new(types.Config).Check("p", fset, []*ast.File{file}, info); err != nil {
		t.Fatal(err)
	}
	// made is the first call of New in f, v the variable it is assigned to.
	var made, body inspector.Cursor
	var v *types.Var
	for call := range inspector.New([]*ast.File{file}).Root().Preorder((*ast.CallExpr)(nil)) {
		if id, ok := call.Node().(*ast.CallExpr).Fun.(*ast.Ident); ok && id.Name == "New" && !made.Valid() {
			made = call
			body, _ = enclosing.Body(enclosing.Function(call))
			v = info.ObjectOf(call.Parent().Node().(*ast.AssignStmt).Lhs[0].(*ast.Ident)).(*types.Var)
		}
	}
	fate := Follow(info, v, body, Classifier{
		Select: func(sel inspector.Cursor) Effect {
			called := sel.ParentEdgeKind() == edge.CallExpr_Fun
			switch name := sel.Node().(*ast.SelectorExpr).Sel.Name; {
			case name == "Release" && called, name == "C" && sel.ParentEdgeKind() == edge.UnaryExpr_X:
				return Releases
			case name == "Release":
				return Escapes
			}
			return Reads
		},
		Arg: func(call *ast.CallExpr, _ int) Effect {
			if id, ok := call.Fun.(*ast.Ident); ok && id.Name == "lend" {
				return Reads
			}
			return Escapes
		},
	})
	if fate.Escapes {
		return "escapes"
	}
	exit, lost := Leak(Query{
		Info: info, Var: v, Fate: fate, Made: made, Body: body.Node().(*ast.BlockStmt),
		Infinite: func(x ast.Expr) bool { return types.ExprString(x) == "r.C" },
	})
	switch {
	case !lost:
		return "released"
	case exit.Overwritten:
		return "overwritten"
	}
	return "return"
}
