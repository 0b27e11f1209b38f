package reach

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"testing"

	"golang.org/x/tools/go/ast/inspector"
)

// The position asked about is that of the call here().
var functions = []struct{ name, src, want string }{
	{"none", "func f() { here() }", "none"},
	{"parameter", "func f(ctx context.Context) { here() }", "ctx"},
	{"second parameter", "func f(n int, c context.Context) { here() }", "c"},
	{"blank", "func f(_ context.Context) { here() }", "unnamed"},
	{"unnamed", "func f(context.Context) { here() }", "unnamed"},
	{"shadowed", "func f(ctx context.Context) { { ctx := 1; _ = ctx; here() } }", "unnamed"},
	{"request", "func f(r *http.Request) { here() }", "r.Context()"},
	{"context before request", "func f(r *http.Request, ctx context.Context) { here() }", "ctx"},
	{"local", "func f(r *http.Request) { c := r.Context(); _ = c; here() }", "c"},
	{"local of two", "func f(r *http.Request) { c, cancel := context.WithCancel(r.Context()); defer cancel(); _ = c; here() }", "c"},
	{"fresh", "func f() { ctx := context.Background(); _ = ctx; here() }", "none"},
	{"fresh of two", "func f() { ctx, cancel := context.WithCancel(context.TODO()); cancel(); _ = ctx; here() }", "none"},
	{"declared without value", "func f() { var ctx context.Context; _ = ctx; here() }", "none"},
	{"declared below", "func f(get func() context.Context) { here(); ctx := get(); _ = ctx }", "none"},
	{"receiver's field", "type s struct { c context.Context }\nfunc (x *s) f() { here() }", "x.c"},
	{"parameter's field", "type s struct { c context.Context }\nfunc f(x *s) { here() }", "none"},
	{"receiver's method", "type s struct{}\nfunc (s) Context() context.Context { return nil }\nfunc (x s) f() { here() }", "x.Context()"},
	{"is one itself", "type s struct { context.Context; n int }\nfunc f(x s) { here() }", "x"},
	{"literal", "func f(ctx context.Context) { func() { here() }() }", "ctx"},
	{"literal's own", "func f(ctx context.Context) { _ = func(c context.Context) { here() } }", "c"},
	{"go", "func f(ctx context.Context) { go func() { here() }() }", "ctx outside"},
	{"kept", "func f(ctx context.Context) { g := func() { here() }; g() }", "ctx outside"},
	{"argument that takes something", "func f(ctx context.Context, each func(func(int))) { each(func(int) { here() }) }", "ctx"},
	{"argument that takes nothing", "func f(ctx context.Context, run func(func())) { run(func() { here() }) }", "ctx outside"},
	{"found nil", "func f(ctx context.Context) { if ctx == nil { here() } }", "ctx nil"},
	{"found nil before", "func f(ctx context.Context) { if ctx != nil { return }; here() }", "ctx nil"},
	{"not found nil", "func f(ctx context.Context) { if ctx != nil { here() } }", "ctx"},
	{"found nil, or not", "func f(ctx context.Context, on bool) { if ctx == nil || on { here() } }", "ctx"},
	{"test", "func f(t *testing.T) { here() }", "t.Context() testing"},
	{"package variable", "var c context.Context\nfunc f() { here() }", "none"},
}

func TestAt(t *testing.T) {
	fset := token.NewFileSet()
	std := importer.ForCompiler(fset, "source", nil)
	for _, tc := range functions {
		if got := at(t, fset, std, tc.src, "go1.26"); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
	if got := at(t, fset, std, "func f(t *testing.T) { here() }", "go1.23"); got != "none" {
		t.Errorf("a test of Go 1.23 has %s", got)
	}
}

func at(t *testing.T, fset *token.FileSet, std types.Importer, src, version string) string {
	t.Helper()
	file, err := parser.ParseFile(fset, "p.go", `package p
import ("context"; "net/http"; "testing")
var _ context.Context
var _ http.Request
var _ testing.T
func here() {}
`+src, 0)
	if err != nil {
		t.Fatal(err)
	}
	info := &types.Info{
		Uses: make(map[*ast.Ident]types.Object), Defs: make(map[*ast.Ident]types.Object),
		Types: make(map[ast.Expr]types.TypeAndValue), Selections: make(map[*ast.SelectorExpr]*types.Selection),
	}
	pkg, err := (&types.Config{Importer: std}).Check("p", fset, []*ast.File{file}, info)
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	for call := range inspector.New([]*ast.File{file}).Root().Preorder((*ast.CallExpr)(nil)) {
		if id, ok := call.Node().(*ast.CallExpr).Fun.(*ast.Ident); !ok || id.Name != "here" {
			continue
		}
		ctx, ok := At(pkg, info, call, version)
		switch {
		case !ok:
			return "none"
		case ctx.Expr == "":
			return "unnamed"
		case ctx.Outside:
			return ctx.Expr + " outside"
		case ctx.Nil:
			return ctx.Expr + " nil"
		case ctx.Testing:
			return ctx.Expr + " testing"
		}
		return ctx.Expr
	}
	t.Fatal("no call of here")
	return ""
}
