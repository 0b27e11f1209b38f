package timerleak

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"time"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/fractl/fractl/internal/analyzers/internal/enclosing"
	"github.com/fractl/fractl/internal/analyzers/internal/flow"
	"github.com/fractl/fractl/internal/analyzers/internal/reach"
)

// long is from when on it matters that a timer is left behind: a busy loop of
// 10,000 turns a second then holds 2 MB of them.
const long = time.Second

// checkAfter looks at time.After(d), or time.NewTimer(d).C, as a case of a
// select that loops although another case was chosen: each such turn leaves a
// timer behind. A select whose other cases leave is a one-shot, and the loop
// then goes on only when the timer has fired.
func (c *checker) checkAfter(src source) {
	clause, ok := commClause(src.call)
	if !ok {
		clause, ok = c.laterClause(src.call)
	}
	if !ok {
		return
	}
	if !inLoop(clause) || !c.otherContinues(clause) {
		return
	}
	call := src.call.Node().(*ast.CallExpr)
	if len(call.Args) == 0 {
		return
	}
	if c.short(call.Args[0]) {
		return
	}
	howLong := "until it fires"
	if d, ok := c.duration(call.Args[0]); ok {
		howLong = "for " + d.String()
	}
	m := c.mode(call.Pos())
	if m.Known && m.Collected {
		c.keep(call, "each turn of the loop leaves a timer behind")
		c.report(call, cost, "each turn of the loop makes a timer; one timer with Reset would do")
		return
	}
	c.leaking(call, after, fmt.Sprintf("each turn of the loop leaves a timer behind %s", howLong))
}

// short reports whether e is a constant duration below long.
func (c *checker) short(e ast.Expr) bool {
	d, ok := c.duration(e)
	return ok && d < long
}

// duration is the value of a constant duration.
func (c *checker) duration(e ast.Expr) (time.Duration, bool) {
	v := c.info.Types[e].Value
	if v == nil || v.Kind() != constant.Int {
		return 0, false
	}
	n, exact := constant.Int64Val(v)
	return time.Duration(n), exact
}

// commClause is the select clause whose communication call stands in.
func commClause(call inspector.Cursor) (inspector.Cursor, bool) {
	for clause := range call.Enclosing((*ast.CommClause)(nil), (*ast.FuncLit)(nil)) {
		comm, ok := clause.Node().(*ast.CommClause)
		if ok && comm.Comm != nil && enclosing.Within(call.Node(), comm.Comm) {
			return clause, true
		}
		break
	}
	return inspector.Cursor{}, false
}

// laterClause is the only use of a variable that a channel goes to in the same turn
// of a loop, where that is a clause of a select.
func (c *checker) laterClause(call inspector.Cursor) (inspector.Cursor, bool) {
	use := enclosing.Parens(call)
	none := inspector.Cursor{}
	if use.ParentEdgeKind() != edge.AssignStmt_Rhs {
		return none, false
	}
	a := use.Parent().Node().(*ast.AssignStmt)
	fn := enclosing.Function(call)
	if a.Tok != token.DEFINE || len(a.Lhs) != len(a.Rhs) || !fn.Valid() || !inLoop(use.Parent()) {
		return none, false
	}
	id, ok := a.Lhs[use.ParentEdgeIndex()].(*ast.Ident)
	if !ok || c.info.Defs[id] == nil {
		return none, false
	}
	block := use.Parent().Parent()
	var clause inspector.Cursor
	for ref := range fn.Preorder((*ast.Ident)(nil)) {
		if c.info.Uses[ref.Node().(*ast.Ident)] != c.info.Defs[id] {
			continue
		}
		found, ok := commClause(ref)
		// A loop within would wait for the same timer on each turn.
		if !ok || clause.Valid() || found.Parent().Parent().Parent() != block {
			return none, false
		}
		clause = found
	}
	return clause, clause.Valid()
}

// inLoop reports whether a loop of the same function is around c.
func inLoop(c inspector.Cursor) bool {
	for l := range c.Enclosing((*ast.ForStmt)(nil), (*ast.RangeStmt)(nil), (*ast.FuncLit)(nil), (*ast.FuncDecl)(nil)) {
		switch l.Node().(type) {
		case *ast.ForStmt, *ast.RangeStmt:
			return true
		}
		break
	}
	return false
}

// otherContinues reports whether a clause of the same select other than this
// one leads to another turn of the loop.
func (c *checker) otherContinues(clause inspector.Cursor) bool {
	for _, s := range clause.Parent().Node().(*ast.BlockStmt).List {
		other := s.(*ast.CommClause)
		if other == clause.Node() {
			continue
		}
		if !c.leavesLoop(other.Body) && !c.isDone(other.Comm) {
			return true
		}
	}
	return false
}

// isDone reports whether a clause receives from the Done channel of a context:
// what comes behind it in the loop, or before it on the next turn, is the end.
func (c *checker) isDone(comm ast.Stmt) bool {
	stmt, ok := comm.(*ast.ExprStmt)
	if !ok {
		return false
	}
	recv, ok := ast.Unparen(stmt.X).(*ast.UnaryExpr)
	if !ok || recv.Op != token.ARROW {
		return false
	}
	call, ok := ast.Unparen(recv.X).(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	return ok && sel.Sel.Name == "Done" && reach.IsContext(c.info.TypeOf(sel.X))
}

// leavesLoop reports whether body, of a select clause, ends by leaving the loop.
func (c *checker) leavesLoop(body []ast.Stmt) bool {
	if len(body) == 0 || !flow.Terminates(c.info, body) {
		return false
	}
	if b, ok := body[len(body)-1].(*ast.BranchStmt); ok {
		return b.Tok == token.GOTO || b.Tok == token.BREAK && b.Label != nil
	}
	return true
}
