package ctxbreak

import (
	"go/ast"
	"go/token"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/fractl/fractl/internal/analyzers/internal/flow"
	"github.com/fractl/fractl/internal/analyzers/internal/reach"
)

// afterTheEnd reports whether the code at a place runs only after a context is
// over: in a case <-ctx.Done(), on that side of an if about ctx.Err() or
// context.Canceled, or behind a statement <-ctx.Done() or a loop that ends so.
func (c *checker) afterTheEnd(at inspector.Cursor) bool {
	for cur := at; cur.Node() != nil; cur = cur.Parent() {
		switch n := cur.Node().(type) {
		case *ast.FuncDecl, *ast.FuncLit:
			return false
		case *ast.CommClause:
			if n.Comm != nil && c.receivesDone(n.Comm) && n.Comm.End() <= at.Node().Pos() {
				return true
			}
		}
		switch cur.ParentEdgeKind() {
		case edge.IfStmt_Body:
			if over, _ := c.sides(cur.Parent().Node().(*ast.IfStmt)); over {
				return true
			}
		case edge.IfStmt_Else:
			if _, over := c.sides(cur.Parent().Node().(*ast.IfStmt)); over {
				return true
			}
		}
		for prev, ok := cur.PrevSibling(); ok && prev.ParentEdgeKind() == cur.ParentEdgeKind(); prev, ok = prev.PrevSibling() {
			if c.waitsForTheEnd(prev) {
				return true
			}
		}
	}
	return false
}

// waitsForTheEnd reports whether control comes behind a statement only when a
// context is over.
func (c *checker) waitsForTheEnd(at inspector.Cursor) bool {
	switch s := at.Node().(type) {
	case *ast.SelectStmt:
		if len(s.Body.List) == 1 {
			comm := s.Body.List[0].(*ast.CommClause).Comm
			return comm != nil && c.receivesDone(comm)
		}
	case *ast.IfStmt:
		_, over := c.sides(s)
		return over && s.Else == nil && flow.Terminates(c.info, s.Body.List)
	case *ast.LabeledStmt:
		return c.waitsForTheEnd(at.ChildAt(edge.LabeledStmt_Stmt, -1))
	case *ast.ForStmt:
		return c.loopsToTheEnd(at, s)
	case ast.Stmt:
		return c.receivesDone(s)
	}
	return false
}

// loopsToTheEnd reports whether a loop is left only when a context is over: by its
// condition, or by a break at such a place. What returns does not come behind it.
func (c *checker) loopsToTheEnd(at inspector.Cursor, loop *ast.ForStmt) bool {
	ends := loop.Cond != nil && c.alive(loop.Cond, nil)
	if loop.Cond != nil && !ends {
		return false
	}
	for b := range at.Preorder((*ast.BranchStmt)(nil)) {
		if !flow.Leaves(b.Node().(*ast.BranchStmt), b, at) {
			continue
		}
		if !c.afterTheEnd(b) {
			return false
		}
		ends = true
	}
	return ends
}

// receivesDone reports whether a statement receives from a channel Done().
func (c *checker) receivesDone(s ast.Stmt) bool {
	var x ast.Expr
	switch s := s.(type) {
	case *ast.ExprStmt:
		x = s.X
	case *ast.AssignStmt:
		if len(s.Rhs) == 1 {
			x = s.Rhs[0]
		}
	}
	u, ok := ast.Unparen(x).(*ast.UnaryExpr)
	if !ok || u.Op != token.ARROW {
		return false
	}
	call, ok := ast.Unparen(u.X).(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	return ok && sel.Sel.Name == "Done" && reach.IsContext(c.info.TypeOf(sel.X))
}

// sides reports on which side of an if a context is known to be over: it asks for
// its error, or whether an error comes from its end.
func (c *checker) sides(s *ast.IfStmt) (body, otherwise bool) {
	if !c.asks(s.Cond) && (s.Init == nil || !c.asks(s.Init)) {
		return false, false
	}
	if c.alive(s.Cond, s.Init) {
		return false, true
	}
	return true, false
}

// asks reports whether code asks for the error of a context, or names one.
func (c *checker) asks(code ast.Node) bool {
	found := false
	ast.Inspect(code, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		switch sel.Sel.Name {
		case "Err", "Cause":
			found = found || reach.IsContext(c.info.TypeOf(sel.X)) || c.ofContext(sel)
		case "Canceled", "DeadlineExceeded":
			found = found || c.ofContext(sel)
		}
		return true
	})
	return found
}

// ofContext reports whether a name is one of package context.
func (c *checker) ofContext(sel *ast.SelectorExpr) bool {
	obj := c.info.Uses[sel.Sel]
	return obj != nil && obj.Pkg() != nil && obj.Pkg().Path() == "context"
}

// alive reports whether a condition holds only while a context is not over:
// ctx.Err() == nil, or !errors.Is(err, context.Canceled), alone or with others.
func (c *checker) alive(cond ast.Expr, init ast.Stmt) bool {
	switch e := ast.Unparen(cond).(type) {
	case *ast.UnaryExpr:
		return e.Op == token.NOT && c.asks(e.X)
	case *ast.BinaryExpr:
		switch e.Op {
		case token.LAND, token.LOR:
			return c.alive(e.X, init) || c.alive(e.Y, init)
		case token.EQL:
			if _, ok := ast.Unparen(e.X).(*ast.Ident); ok {
				return c.info.Types[e.Y].IsNil() && init != nil && c.asks(init) // if err := ctx.Err(); err == nil
			}
			return c.info.Types[e.Y].IsNil() && c.asks(e.X)
		}
	}
	return false
}
