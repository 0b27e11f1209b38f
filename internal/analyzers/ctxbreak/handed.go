package ctxbreak

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/fractl/fractl/internal/analyzers/internal/enclosing"
)

// checkHandedOut reports results that the deferred call of a cancel function ends
// before the caller has them: the context itself, and what is still read under it,
// such as rows and the body of a response.
func (c *checker) checkHandedOut(stmt, fn inspector.Cursor, ctx types.Object) {
	for at := range fn.Preorder((*ast.ReturnStmt)(nil)) {
		ret := at.Node().(*ast.ReturnStmt)
		if enclosing.Function(at) != fn || ret.Pos() < stmt.Node().End() {
			continue
		}
		for _, result := range ret.Results {
			result = ast.Unparen(result)
			if id, ok := result.(*ast.Ident); ok && ctx != nil && c.info.Uses[id] == ctx {
				c.report(early, at, result.Pos(), result.End(), fmt.Sprintf("%s is returned, and its cancel function is deferred: it is over when the caller has it", id.Name), stmt.Node().Pos())
				return
			}
			if c.streams(result) && c.madeUnder(result, fn, ctx, 3) {
				c.report(early, at, result.Pos(), result.End(), fmt.Sprintf("%s is read under a context whose cancel function is deferred: it is over when the caller has it", types.ExprString(result)), stmt.Node().Pos())
				return
			}
		}
	}
}

// streams reports whether a result is read later under the context it was asked
// for with: the rows of a database, a response and its body.
func (c *checker) streams(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		return e.Sel.Name == "Body" && isNamed(c.info.TypeOf(e.X), "net/http", "Response")
	case *ast.TypeAssertExpr:
		return false // from somewhere else, such as a channel
	}
	t := c.info.TypeOf(e)
	if tuple, ok := t.(*types.Tuple); ok && tuple.Len() > 0 {
		t = tuple.At(0).Type()
	}
	return t != nil && (isNamed(t, "net/http", "Response") || isNamed(t, "database/sql", "Rows"))
}

func isNamed(t types.Type, pkg, name string) bool {
	if t == nil {
		return false
	}
	named, ok := types.Unalias(deref(t)).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == pkg && named.Obj().Name() == name
}

// madeUnder reports whether a value comes from a call that got the context, or
// something made with it, so many steps back.
func (c *checker) madeUnder(e ast.Expr, fn inspector.Cursor, ctx types.Object, steps int) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		if _, asserted := n.(*ast.TypeAssertExpr); asserted || found {
			return false
		}
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		v, ok := c.info.Uses[id].(*types.Var)
		switch {
		case !ok:
		case v == ctx:
			found = true
		case steps > 0 && !v.IsField():
			for a := range fn.Preorder((*ast.AssignStmt)(nil)) {
				assign := a.Node().(*ast.AssignStmt)
				for i, lhs := range assign.Lhs {
					if def, ok := lhs.(*ast.Ident); !ok || c.info.ObjectOf(def) != v || assign.Tok == token.ASSIGN && assign.Pos() > e.Pos() {
						continue
					}
					found = found || enclosing.Function(a) == fn && c.madeUnder(assign.Rhs[min(i, len(assign.Rhs)-1)], fn, ctx, steps-1)
				}
			}
		}
		return !found
	})
	return found
}
