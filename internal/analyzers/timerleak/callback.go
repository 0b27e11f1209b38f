package timerleak

import (
	"fmt"
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/fractl/fractl/internal/analyzers/internal/enclosing"
	"github.com/fractl/fractl/internal/analyzers/internal/reach"
)

// checkCallback looks at a time.AfterFunc whose timer nobody keeps. What is
// wrong with it under either meaning is the callback: until it runs it holds
// on to what it uses, and it runs whatever has happened meanwhile.
func (c *checker) checkCallback(src source) {
	call := src.call.Node().(*ast.CallExpr)
	if len(call.Args) != 2 {
		return
	}
	fn := src.call.ChildAt(edge.CallExpr_Args, 1)
	once := c.once(src.call)
	switch again := c.armsAgain(src.call, fn); {
	case again != "" && !once:
		c.report(call, afterFunc, fmt.Sprintf("%s arms itself again by an AfterFunc whose timer is dropped, so nothing can stop it", again))
		return
	case once:
		return
	}
	what, pos := c.held(fn)
	if what == "" {
		c.report(call, callback, "the timer of AfterFunc is dropped, so nothing can stop its callback")
		return
	}
	c.report(call, afterFunc, fmt.Sprintf("the timer of AfterFunc is dropped, so nothing can stop its callback, which uses %s", what), pos...)
}

// armsAgain is the name of the function around call where the callback is, or
// does nothing but call, that function, and the call stands where control
// always comes by: in the body itself, with no return before it.
func (c *checker) armsAgain(call, fn inspector.Cursor) string {
	outer := enclosing.Function(call)
	if !outer.Valid() {
		return ""
	}
	decl, ok := outer.Node().(*ast.FuncDecl)
	if !ok {
		return ""
	}
	self := c.info.Defs[decl.Name]
	target := c.target(fn)
	if target == nil || target != self {
		return ""
	}
	body, _ := enclosing.Body(outer)
	for ret := range body.Preorder((*ast.ReturnStmt)(nil)) {
		if ret.Node().Pos() < call.Node().Pos() {
			return ""
		}
	}
	stmt := enclosing.Parens(call).Parent()
	if stmt.Parent() != body {
		return ""
	}
	return decl.Name.Name
}

// target is the function that a callback is or, as a literal of one
// statement, calls.
func (c *checker) target(fn inspector.Cursor) types.Object {
	switch n := ast.Unparen(fn.Node().(ast.Expr)).(type) {
	case *ast.Ident:
		return c.info.Uses[n]
	case *ast.SelectorExpr:
		return c.info.Uses[n.Sel]
	case *ast.FuncLit:
		if len(n.Body.List) == 1 {
			if s, ok := n.Body.List[0].(*ast.ExprStmt); ok {
				if call, ok := s.X.(*ast.CallExpr); ok {
					return typeutil.Callee(c.info, call)
				}
			}
		}
	}
	return nil
}

// held names what a callback holds that may be over before it runs: a context,
// or a value that can be closed. A callback that exists to close it is meant.
func (c *checker) held(fn inspector.Cursor) (string, []analysis.RelatedInformation) {
	switch n := ast.Unparen(fn.Node().(ast.Expr)).(type) {
	case *ast.SelectorExpr: // a method value
		sel, ok := c.info.Selections[n]
		if !ok || sel.Kind() != types.MethodVal || ends(n.Sel.Name) {
			return "", nil
		}
		if closable(c.info.TypeOf(n.X)) {
			return fmt.Sprintf("%s, which can be closed before", types.ExprString(n.X)), nil
		}
	case *ast.FuncLit:
		return c.heldByLiteral(fn)
	}
	return "", nil
}

func (c *checker) heldByLiteral(lit inspector.Cursor) (string, []analysis.RelatedInformation) {
	var what string
	var at []analysis.RelatedInformation
	closed := make(map[types.Object]bool)
	for id := range lit.Preorder((*ast.Ident)(nil)) {
		v, ok := c.info.Uses[id.Node().(*ast.Ident)].(*types.Var)
		if !ok || v.IsField() || v.Parent() == v.Pkg().Scope() || enclosing.Within(posNode(v.Pos()), lit.Node()) {
			continue
		}
		switch {
		case reach.IsContext(v.Type()):
		case closable(v.Type()):
			if sel := id.Parent(); id.ParentEdgeKind() == edge.SelectorExpr_X && ends(sel.Node().(*ast.SelectorExpr).Sel.Name) {
				closed[v] = true
			}
			if closed[v] {
				continue
			}
		default:
			continue
		}
		if what != "" {
			continue
		}
		what = v.Name() + ", which can be closed before"
		if reach.IsContext(v.Type()) {
			what = v.Name() + ", a context that can be over before"
		}
		at = []analysis.RelatedInformation{{Pos: id.Node().Pos(), Message: v.Name() + " is used here"}}
	}
	return what, at
}

// ends reports whether a method of this name ends the value's life.
func ends(method string) bool {
	switch method {
	case "Close", "Stop", "Shutdown", "Cancel", "Kill", "CloseNow", "Abort", "Terminate", "Release":
		return true
	}
	return false
}

// closable reports whether t has a method Close without parameters.
func closable(t types.Type) bool {
	if t == nil {
		return false
	}
	obj, _, _ := types.LookupFieldOrMethod(t, true, nil, "Close")
	fn, ok := obj.(*types.Func)
	return ok && fn.Signature().Params().Len() == 0
}
