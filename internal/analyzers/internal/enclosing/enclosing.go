// Package enclosing looks from a place in the syntax outwards: at the function
// around it, and at how often that runs.
package enclosing

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"
)

// Function is the function declaration or literal around c, c itself not
// counted; the zero Cursor where there is none.
func Function(c inspector.Cursor) inspector.Cursor {
	for f := range c.Enclosing((*ast.FuncDecl)(nil), (*ast.FuncLit)(nil)) {
		if f != c {
			return f
		}
	}
	return inspector.Cursor{}
}

// Parens is the outermost of the parentheses around c, or c.
func Parens(c inspector.Cursor) inspector.Cursor {
	for c.ParentEdgeKind() == edge.ParenExpr_X {
		c = c.Parent()
	}
	return c
}

// Body is the body of a function that Function found; ok is false where it has
// none.
func Body(fn inspector.Cursor) (body inspector.Cursor, ok bool) {
	switch n := fn.Node().(type) {
	case *ast.FuncDecl:
		if n.Body == nil {
			return inspector.Cursor{}, false
		}
		return fn.ChildAt(edge.FuncDecl_Body, -1), true
	case *ast.FuncLit:
		return fn.ChildAt(edge.FuncLit_Body, -1), true
	}
	return inspector.Cursor{}, false
}

// Type is the type of a function that Function found.
func Type(fn inspector.Cursor) *ast.FuncType {
	if d, ok := fn.Node().(*ast.FuncDecl); ok {
		return d.Type
	}
	return fn.Node().(*ast.FuncLit).Type
}

// Starts reports whether decl is a function that the runtime or the test
// binary calls, once: main, init or TestMain.
func Starts(pkg *types.Package, decl *ast.FuncDecl) bool {
	switch decl.Name.Name {
	case "main":
		return decl.Recv == nil && pkg.Name() == "main"
	case "init", "TestMain":
		return decl.Recv == nil
	}
	return false
}

// RunsOnce reports whether the function literal lit is an argument by which
// package sync makes something run once.
func RunsOnce(info *types.Info, lit inspector.Cursor) bool {
	use := Parens(lit)
	if use.ParentEdgeKind() != edge.CallExpr_Args {
		return false
	}
	fn, ok := typeutil.Callee(info, use.Parent().Node().(*ast.CallExpr)).(*types.Func)
	if !ok || fn.Pkg() == nil || fn.Pkg().Path() != "sync" {
		return false
	}
	switch fn.Name() {
	case "Do", "OnceFunc", "OnceValue", "OnceValues":
		return true
	}
	return false
}

// Within reports whether inner's source text lies in outer's.
func Within(inner, outer ast.Node) bool {
	return outer.Pos() <= inner.Pos() && inner.End() <= outer.End()
}
