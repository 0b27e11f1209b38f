package ctxbreak

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/fractl/fractl/internal/analyzers/internal/enclosing"
	"github.com/fractl/fractl/internal/analyzers/internal/reach"
)

// checkRequests reports goroutines of an HTTP handler that work under the context
// of the request, where the handler answers and returns without waiting: the server
// then cancels that context.
func (c *checker) checkRequests() {
	for at := range c.root.Preorder((*ast.GoStmt)(nil)) {
		fn := enclosing.Function(at)
		if !fn.Valid() {
			continue
		}
		w, r := c.handler(fn)
		if w == nil || r == nil || !c.answers(at, fn, w) {
			continue
		}
		used := c.worksUnder(at, fn, r)
		if used == nil {
			continue
		}
		category := outlived
		if c.isTest(at) {
			category = inTest
		}
		c.pass.Report(analysis.Diagnostic{
			Pos: used.Pos(), End: used.End(), Category: label(category),
			Message: fmt.Sprintf("%s is over when the handler returns, which does not wait for this goroutine", types.ExprString(used)),
			Related: []analysis.RelatedInformation{
				{Pos: at.Node().Pos(), Message: "the goroutine"},
				{Pos: r.Pos(), Message: fmt.Sprintf("hint: pass context.WithoutCancel(%s.Context()), with a timeout of its own, or wait", r.Name())},
			},
		})
	}
}

// handler gives the parameters of a function for the response and the request.
func (c *checker) handler(fn inspector.Cursor) (w, r *types.Var) {
	for _, field := range enclosing.Type(fn).Params.List {
		for _, name := range field.Names {
			v, ok := c.info.Defs[name].(*types.Var)
			switch {
			case !ok:
			case isNamed(v.Type(), "net/http", "ResponseWriter"):
				w = v
			case isNamed(v.Type(), "net/http", "Request"):
				r = v
			}
		}
	}
	return w, r
}

// answers reports whether all that a handler does behind a go statement is to
// answer: what it calls has to do with the response, or logs.
func (c *checker) answers(at, fn inspector.Cursor, w *types.Var) bool {
	short := true
	fn.Inspect([]ast.Node{(*ast.FuncLit)(nil), (*ast.CallExpr)(nil), (*ast.UnaryExpr)(nil), (*ast.ForStmt)(nil), (*ast.RangeStmt)(nil), (*ast.SelectStmt)(nil), (*ast.DeferStmt)(nil), (*ast.GoStmt)(nil)}, func(cur inspector.Cursor) bool {
		n := cur.Node()
		if cur == fn {
			return true
		}
		switch n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.DeferStmt:
			short = short && !waits(n)
			return false
		case *ast.ForStmt, *ast.RangeStmt:
			short = short && !enclosing.Within(at.Node(), n)
		}
		if n.Pos() < at.Node().End() {
			return true
		}
		switch n := n.(type) {
		case *ast.GoStmt:
			return false
		case *ast.UnaryExpr:
			short = short && n.Op != token.ARROW
		case *ast.ForStmt, *ast.RangeStmt, *ast.SelectStmt:
			short = false
		case *ast.CallExpr:
			if tv := c.info.Types[n.Fun]; !tv.IsType() && !tv.IsBuiltin() && !c.names(n, w) && !hasWord(c.calleeName(n), logWords) {
				short = false
			}
			return false
		}
		return true
	})
	return short
}

// waits reports whether something is waited for in what is deferred.
func waits(n ast.Node) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			found = found || n.Sel.Name == "Wait"
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW
		}
		return !found
	})
	return found
}

// names reports whether a variable is named in a node.
func (c *checker) names(n ast.Node, v *types.Var) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		found = found || ok && c.info.Uses[id] == v
		return !found
	})
	return found
}

// worksUnder is the context of the request, or a child that ends with it, as a call
// in a goroutine gets it.
func (c *checker) worksUnder(at, fn inspector.Cursor, r *types.Var) ast.Expr {
	for call := range at.Preorder((*ast.CallExpr)(nil)) {
		n := call.Node().(*ast.CallExpr)
		if c.contextFunc(n) != "" {
			continue
		}
		for _, arg := range n.Args {
			if reach.IsContext(c.info.TypeOf(arg)) && c.endsWith(arg, fn, r, 4) {
				return arg
			}
		}
	}
	return nil
}

// endsWith reports whether a context is that of the request or made from it, so
// many steps back, with no WithoutCancel between.
func (c *checker) endsWith(e ast.Expr, fn inspector.Cursor, r *types.Var, steps int) bool {
	if steps == 0 {
		return false
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.CallExpr:
		if sel, ok := e.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Context" {
			id, ok := ast.Unparen(sel.X).(*ast.Ident)
			return ok && c.info.Uses[id] == r
		}
		switch c.contextFunc(e) {
		case "WithCancel", "WithTimeout", "WithDeadline", "WithValue", "WithCancelCause", "WithTimeoutCause", "WithDeadlineCause":
			return c.endsWith(e.Args[0], fn, r, steps-1)
		}
	case *ast.Ident:
		v, ok := c.info.Uses[e].(*types.Var)
		if !ok {
			return false
		}
		from := false
		for a := range fn.Preorder((*ast.AssignStmt)(nil)) {
			n := a.Node().(*ast.AssignStmt)
			lhs, ok := n.Lhs[0].(*ast.Ident)
			if !ok || c.info.ObjectOf(lhs) != v {
				continue
			}
			if len(n.Rhs) != 1 || !c.endsWith(n.Rhs[0], fn, r, steps-1) {
				return false
			}
			from = true
		}
		return from
	}
	return false
}
