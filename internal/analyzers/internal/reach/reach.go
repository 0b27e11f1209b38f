// Package reach finds the contexts that are in reach at a position: what code
// standing there could pass on without being given anything new.
//
// Types are known by their shape, not by their package's name, so that the
// handlers of net/http, gin, echo, fiber, cobra, gRPC and testing are found
// alike, and those of the next library too.
package reach

import (
	"go/ast"
	"go/token"
	"go/types"
	"go/version"
	"strings"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
)

// Context is one context in reach.
type Context struct {
	// Expr denotes it at the position: "ctx", "r.Context()"; "" where it has
	// no name there, being a blank parameter or one that is shadowed.
	Expr string
	// Decl is where it comes from: a parameter, a receiver or a variable.
	Decl token.Pos
	// Outside: the function that has it is left before the code at the
	// position runs, or may be: a go statement or a stored literal stands
	// between.
	Outside bool
	// Nil: a test has found it nil on the way to the position, so that there
	// is none to pass on, and the code knows it.
	Nil bool
	// Testing: it is that of a test, from a *testing.T or the like.
	Testing bool
	// Holder is the name of the variable that yields it, without what is
	// selected: "r" of "r.Context()"; "" where it has no name.
	Holder string
}

// HandedOver reports whether a call gives its callee the value that yields the
// context, and not just what it holds: the callee can take the context from it,
// also through an interface. A context itself is not handed over so: it is an
// argument or it is not.
func (c Context) HandedOver(call *ast.CallExpr) bool {
	if c.Holder == c.Expr {
		return false
	}
	operands := call.Args
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
		operands = append([]ast.Expr{sel.X}, operands...)
	}
	for _, e := range operands {
		e = ast.Unparen(e)
		if u, ok := e.(*ast.UnaryExpr); ok {
			e = u.X
		}
		if id, ok := e.(*ast.Ident); ok && id.Name == c.Holder {
			return true
		}
	}
	return false
}

// At returns the nearest context in reach at the cursor: of the innermost
// function that has one, and there a variable before a parameter before the
// receiver. ok is false where there is none. goVersion is the language version
// of the file, "go1.23": testing.TB has a context from Go 1.24 on.
func At(pkg *types.Package, info *types.Info, at inspector.Cursor, goVersion string) (ctx Context, ok bool) {
	f := finder{
		pkg: pkg, info: info, at: at.Node().Pos(), scope: pkg.Scope().Innermost(at.Node().Pos()),
		testing: goVersion == "" || version.Compare(goVersion, "go1.24") >= 0,
	}
	outside := false
	for fn := range at.Enclosing((*ast.FuncDecl)(nil), (*ast.FuncLit)(nil)) {
		if fn == at {
			continue
		}
		if c, ok := f.inFunction(fn); ok {
			c.Outside = outside
			c.Holder, _, _ = strings.Cut(c.Expr, ".")
			c.Nil = c.Expr != "" && isNil(info, at, c.Expr)
			return c, true
		}
		if _, isLit := fn.Node().(*ast.FuncLit); isLit && !RunsInPlace(fn) {
			outside = true
		}
	}
	return Context{}, false
}

// Yields reports whether a parameter of a function of that type is, or has, a
// context.
func Yields(pkg *types.Package, info *types.Info, typ *ast.FuncType) bool {
	for _, field := range typ.Params.List {
		t := info.TypeOf(field.Type)
		if t == nil {
			continue
		}
		if _, ok := From(t, pkg, false); ok || IsContext(t) {
			return true
		}
	}
	return false
}

// RunsInPlace reports whether a function literal runs before the function
// around it returns: it is called on the spot or deferred, or an argument of a
// call that is not a go statement's. An argument that takes and gives nothing
// is rather one to be run later, by a timer or a pool.
func RunsInPlace(lit inspector.Cursor) bool {
	typ := lit.Node().(*ast.FuncLit).Type
	for lit.ParentEdgeKind() == edge.ParenExpr_X {
		lit = lit.Parent()
	}
	switch kind := lit.ParentEdgeKind(); kind {
	case edge.CallExpr_Args:
		return (typ.Params.NumFields() > 0 || typ.Results.NumFields() > 0) && lit.Parent().ParentEdgeKind() != edge.GoStmt_Call
	case edge.CallExpr_Fun:
		return lit.Parent().ParentEdgeKind() != edge.GoStmt_Call
	}
	return false
}

type finder struct {
	pkg   *types.Package
	info  *types.Info
	at    token.Pos
	scope *types.Scope
	// testing: testing.TB has a method Context.
	testing bool
}

func (f *finder) inFunction(fn inspector.Cursor) (Context, bool) {
	var typ *ast.FuncType
	var recv *ast.FieldList
	var body *ast.BlockStmt
	switch n := fn.Node().(type) {
	case *ast.FuncDecl:
		typ, recv, body = n.Type, n.Recv, n.Body
	case *ast.FuncLit:
		typ, body = n.Type, n.Body
	}
	if c, ok := f.local(fn, body); ok {
		return c, true
	}
	if c, ok := f.fields(typ.Params, false); ok {
		return c, true
	}
	if recv != nil {
		return f.fields(recv, true)
	}
	return Context{}, false
}

// local looks for a variable of the function, in scope at the position, that
// holds a context which is not a fresh one. The last one declared wins.
func (f *finder) local(fn inspector.Cursor, body *ast.BlockStmt) (best Context, ok bool) {
	for id := range fn.Preorder((*ast.Ident)(nil)) {
		ident := id.Node().(*ast.Ident)
		if ident.Pos() >= f.at {
			break
		}
		v, isVar := f.info.Defs[ident].(*types.Var)
		if !isVar || v.IsField() || ident.Pos() < body.Pos() || !IsContext(v.Type()) || ident.Name == "_" {
			continue
		}
		if f.visible(v) && !f.fresh(id) {
			best, ok = Context{Expr: v.Name(), Decl: v.Pos()}, true
		}
	}
	return best, ok
}

// fresh reports whether a variable is declared as context.Background() or
// TODO(), which anybody may call anywhere, or without a value.
func (f *finder) fresh(id inspector.Cursor) bool {
	var value ast.Expr
	switch id.ParentEdgeKind() {
	case edge.AssignStmt_Lhs:
		a := id.Parent().Node().(*ast.AssignStmt)
		if len(a.Lhs) == len(a.Rhs) {
			value = a.Rhs[id.ParentEdgeIndex()]
		} else {
			value = a.Rhs[0]
		}
	case edge.ValueSpec_Names:
		s := id.Parent().Node().(*ast.ValueSpec)
		switch len(s.Values) {
		case 0:
			return true
		case len(s.Names):
			value = s.Values[id.ParentEdgeIndex()]
		default:
			value = s.Values[0]
		}
	default:
		return false // a parameter of an inner literal, a type switch
	}
	return f.freshValue(value)
}

// freshValue also sees through WithCancel(context.Background()) and the like,
// and through one variable that holds such a value.
func (f *finder) freshValue(e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	fn, ok := f.info.Uses[sel.Sel].(*types.Func)
	if !ok || fn.Pkg() == nil || fn.Pkg().Path() != "context" {
		return false
	}
	if fn.Name() == "Background" || fn.Name() == "TODO" {
		return true
	}
	return len(call.Args) > 0 && f.freshValue(call.Args[0])
}

// fields looks through parameters or a receiver.
func (f *finder) fields(list *ast.FieldList, receiver bool) (Context, bool) {
	// A context itself before something that has one.
	for _, direct := range []bool{true, false} {
		for _, field := range list.List {
			t := f.info.TypeOf(field.Type)
			if t == nil {
				continue
			}
			var suffix string
			if direct {
				if !IsContext(t) {
					continue
				}
			} else {
				if !f.testing && declaredIn(t, "testing") {
					continue
				}
				var ok bool
				if suffix, ok = From(t, f.pkg, receiver); !ok {
					continue
				}
			}
			c := f.named(field, suffix)
			c.Testing = declaredIn(t, "testing")
			return c, true
		}
	}
	return Context{}, false
}

// named is the context that field yields with the suffix; without an
// expression where the field's name cannot be used at the position.
func (f *finder) named(field *ast.Field, suffix string) Context {
	for _, name := range field.Names {
		if v, ok := f.info.Defs[name].(*types.Var); ok && name.Name != "_" && f.visible(v) {
			return Context{Expr: name.Name + suffix, Decl: name.Pos()}
		}
	}
	return Context{Decl: field.Pos()}
}

// visible reports whether v's name denotes v at the position.
func (f *finder) visible(v *types.Var) bool {
	if f.scope == nil {
		return false
	}
	_, obj := f.scope.LookupParent(v.Name(), f.at)
	return obj == v
}

func declaredIn(t types.Type, path string) bool {
	if ptr, ok := types.Unalias(t).(*types.Pointer); ok {
		t = ptr.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == path
}
