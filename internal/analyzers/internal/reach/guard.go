package reach

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/fractl/fractl/internal/analyzers/internal/flow"
)

// isNil reports whether control reaches the cursor only where expr is nil: in
// the branch or case of a test that says so, or behind an if that leaves where it is
// not.
//
//	if ctx != nil {
//		return db.ExecContext(ctx, q)
//	}
//	return db.Exec(q)
func isNil(info *types.Info, at inspector.Cursor, expr string) bool {
	for c := at; c.Node() != nil; c = c.Parent() {
		switch c.Node().(type) {
		case *ast.FuncDecl, *ast.FuncLit:
			return false
		}
		switch c.ParentEdgeKind() {
		case edge.CaseClause_Body:
			clause := c.Parent().Node().(*ast.CaseClause)
			sw, ok := c.Parent().Parent().Parent().Node().(*ast.SwitchStmt)
			if ok && sw.Tag == nil && len(clause.List) == 1 && implies(clause.List[0], expr, token.EQL, token.LAND) {
				return true
			}
		case edge.IfStmt_Body:
			if implies(c.Parent().Node().(*ast.IfStmt).Cond, expr, token.EQL, token.LAND) {
				return true
			}
		case edge.IfStmt_Else:
			if implies(c.Parent().Node().(*ast.IfStmt).Cond, expr, token.NEQ, token.LOR) {
				return true
			}
		}
		for prev, ok := c.PrevSibling(); ok && prev.ParentEdgeKind() == c.ParentEdgeKind(); prev, ok = prev.PrevSibling() {
			s, isIf := prev.Node().(*ast.IfStmt)
			if isIf && s.Else == nil && implies(s.Cond, expr, token.NEQ, token.LOR) && flow.Terminates(info, s.Body.List) {
				return true
			}
		}
	}
	return false
}

// implies reports whether cond is expr op nil, or a chain by the connective
// join with that in it: a chain of && that holds makes each part hold, a chain
// of || that does not makes each part fail.
func implies(cond ast.Expr, expr string, op, join token.Token) bool {
	b, ok := ast.Unparen(cond).(*ast.BinaryExpr)
	if !ok {
		return false
	}
	if b.Op == join {
		return implies(b.X, expr, op, join) || implies(b.Y, expr, op, join)
	}
	if b.Op != op {
		return false
	}
	x, y := types.ExprString(ast.Unparen(b.X)), types.ExprString(ast.Unparen(b.Y))
	return x == expr && y == "nil" || x == "nil" && y == expr
}
