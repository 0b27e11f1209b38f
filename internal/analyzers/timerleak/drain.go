package timerleak

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/fractl/fractl/internal/analyzers/internal/enclosing"
)

// checkDrains looks at what code does with a timer's channel that holds under
// one meaning only, and at receives from a channel that is nil.
func (c *checker) checkDrains() {
	for n := range c.root.Preorder((*ast.ExprStmt)(nil), (*ast.IfStmt)(nil), (*ast.CallExpr)(nil), (*ast.UnaryExpr)(nil)) {
		switch n.Node().(type) {
		case *ast.ExprStmt:
			c.checkStopReceive(n)
		case *ast.IfStmt:
			c.checkGuardedDrain(n)
		case *ast.CallExpr:
			c.checkLen(n)
		case *ast.UnaryExpr:
			c.checkNilChan(n)
		}
	}
}

// checkStopReceive: t.Stop() and next <-t.C, whatever Stop returned.
func (c *checker) checkStopReceive(stmt inspector.Cursor) {
	x := c.timerCall(stmt.Node().(*ast.ExprStmt).X, "Stop")
	if x == nil {
		return
	}
	next, ok := stmt.NextSibling()
	if !ok || next.ParentEdgeKind() != stmt.ParentEdgeKind() {
		return
	}
	y := c.received(next.Node())
	if y == nil || types.ExprString(x) != types.ExprString(y) {
		return
	}
	m := c.mode(stmt.Node().Pos())
	if m.Known && !m.Synchronous && c.inOtherClause(stmt, x) {
		c.report(next.Node(), drain, fmt.Sprintf("this receive blocks for ever unless the timer has fired: nothing comes from %s.C once Stop has stopped it", types.ExprString(y)),
			analysis.RelatedInformation{Pos: stmt.Node().Pos(), Message: "stopped here"})
	}
	if m.Known && m.Synchronous {
		c.reportFixable(next.Node(), drain,
			fmt.Sprintf("this receive blocks for ever: nothing comes from %s.C once Stop has returned (%s)", types.ExprString(y), m),
			c.dropBehind("Drop the receive", stmt, next),
			append([]analysis.RelatedInformation{{Pos: stmt.Node().Pos(), Message: "stopped here"}}, c.decider(m)...)...)
	}
}

// checkGuardedDrain: if !t.Stop() { <-t.C }.
func (c *checker) checkGuardedDrain(stmt inspector.Cursor) {
	n := stmt.Node().(*ast.IfStmt)
	c.checkWrongDrain(n)
	not, ok := ast.Unparen(n.Cond).(*ast.UnaryExpr)
	if !ok || not.Op != token.NOT || len(n.Body.List) != 1 || n.Else != nil {
		return
	}
	x := c.timerCall(not.X, "Stop")
	y := c.received(n.Body.List[0])
	if x == nil || y == nil || types.ExprString(x) != types.ExprString(y) {
		return
	}
	if first := c.firedBefore(stmt, x); first != nil {
		c.report(n.Body.List[0], drain, fmt.Sprintf("this receive blocks for ever: the value of %s.C was received before", types.ExprString(y)),
			analysis.RelatedInformation{Pos: first.Pos(), Message: "received here"})
		return
	}
	if m := c.mode(n.Pos()); m.Known && m.Synchronous {
		var fixes []analysis.SuggestedFix
		if n.Init == nil {
			fixes = c.replaceWith("Only stop it", stmt, types.ExprString(x)+".Stop()")
		}
		c.reportFixable(n.Body.List[0], redundant,
			fmt.Sprintf("no value is left in %s.C once Stop has returned, so there is nothing to drain (%s)", types.ExprString(y), m), fixes)
	}
}

// checkWrongDrain: a receive where Stop has stopped the timer, and one that the
// result of Reset is asked for, which tells nothing of the channel.
func (c *checker) checkWrongDrain(n *ast.IfStmt) {
	if len(n.Body.List) == 0 {
		return
	}
	y := c.received(n.Body.List[0])
	if y == nil {
		return
	}
	if x := c.timerCall(n.Cond, "Stop"); x != nil && types.ExprString(x) == types.ExprString(y) {
		c.report(n.Body.List[0], drain, fmt.Sprintf("this receive blocks for ever: Stop gives true where it kept %s from firing", types.ExprString(y)))
		return
	}
	cond := ast.Unparen(n.Cond)
	if not, ok := cond.(*ast.UnaryExpr); ok && not.Op == token.NOT {
		cond = not.X
	}
	if x := c.timerCall(cond, "Reset"); x != nil && types.ExprString(x) == types.ExprString(y) {
		c.report(n.Body.List[0], drain, "this receive waits for the new time: the result of Reset does not say whether a value is left of the old one")
	}
}

// firedBefore is the communication by which the clause around a statement has taken
// the only value of a timer that nothing has reset since.
func (c *checker) firedBefore(stmt inspector.Cursor, x ast.Expr) ast.Node {
	clause, ok := stmt.Parent().Node().(*ast.CommClause)
	if !ok || clause.Comm == nil {
		return nil
	}
	if y := c.receivedBy(clause.Comm); y == nil || types.ExprString(x) != types.ExprString(y) {
		return nil
	}
	if k, ok := kindOfType(c.info.TypeOf(x)); !ok || k != newTimer {
		return nil
	}
	for _, s := range clause.Body {
		if s == stmt.Node() {
			return clause.Comm
		}
		again := false
		ast.Inspect(s, func(n ast.Node) bool {
			e, ok := n.(ast.Expr)
			again = again || ok && c.timerCall(e, "Reset") != nil
			return !again
		})
		if again {
			return nil
		}
	}
	return nil
}

// inOtherClause reports whether a statement is in the clause of a select of which
// another receives from the timer.
func (c *checker) inOtherClause(stmt inspector.Cursor, x ast.Expr) bool {
	clause, ok := stmt.Parent().Node().(*ast.CommClause)
	if !ok {
		return false
	}
	for _, s := range stmt.Parent().Parent().Node().(*ast.BlockStmt).List {
		other := s.(*ast.CommClause)
		if other == clause || other.Comm == nil {
			continue
		}
		if y := c.receivedBy(other.Comm); y != nil && types.ExprString(x) == types.ExprString(y) {
			return true
		}
	}
	return false
}

// receivedBy is t of <-t.C or v := <-t.C.
func (c *checker) receivedBy(comm ast.Stmt) ast.Expr {
	if a, ok := comm.(*ast.AssignStmt); ok && len(a.Rhs) == 1 {
		comm = &ast.ExprStmt{X: a.Rhs[0]}
	}
	return c.received(comm)
}

// checkNilChan: <-t.C of a timer that time.AfterFunc made.
func (c *checker) checkNilChan(recv inspector.Cursor) {
	n := recv.Node().(*ast.UnaryExpr)
	if n.Op != token.ARROW {
		return
	}
	sel, ok := ast.Unparen(n.X).(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "C" {
		return
	}
	if k, ok := kindOfType(c.info.TypeOf(sel.X)); !ok || k != newTimer {
		return
	}
	// A select with another case does not hang on a nil channel, but never chooses it.
	what := "this receive blocks for ever"
	if clause, ok := commClause(recv); ok && len(clause.Parent().Node().(*ast.BlockStmt).List) > 1 {
		what = "this case is never chosen"
	}
	v := c.variable(sel.X)
	if v == nil {
		return
	}
	if made := c.onlyAfterFunc(v); made != nil {
		c.report(n, nilChan, fmt.Sprintf("%s: %s comes from AfterFunc and has no channel", what, types.ExprString(sel.X)),
			analysis.RelatedInformation{Pos: made.Pos(), Message: "made here"})
	}
}

// onlyAfterFunc is the call of AfterFunc that v, a local variable or an
// unexported field, is assigned from, where it is assigned from nothing else.
func (c *checker) onlyAfterFunc(v *types.Var) ast.Node {
	if v.Pkg() != c.pass.Pkg || v.Parent() == v.Pkg().Scope() || v.IsField() && v.Exported() {
		return nil
	}
	var made ast.Node
	for id := range c.root.Preorder((*ast.Ident)(nil)) {
		obj, ok := c.info.ObjectOf(id.Node().(*ast.Ident)).(*types.Var)
		if !ok || obj.Origin() != v {
			continue
		}
		use := id
		if id.ParentEdgeKind() == edge.SelectorExpr_Sel {
			use = enclosing.Parens(id.Parent())
		}
		var value ast.Expr
		switch use.ParentEdgeKind() {
		case edge.AssignStmt_Lhs:
			if a := use.Parent().Node().(*ast.AssignStmt); len(a.Lhs) == len(a.Rhs) {
				value = a.Rhs[use.ParentEdgeIndex()]
			}
		case edge.KeyValueExpr_Key:
			value = use.Parent().Node().(*ast.KeyValueExpr).Value
		case edge.SelectorExpr_X:
			continue
		case edge.BinaryExpr_X, edge.BinaryExpr_Y, edge.Field_Names:
			if id.ParentEdgeKind() == edge.Field_Names && !v.IsField() {
				return nil // a parameter
			}
			continue
		case edge.ValueSpec_Names:
			if s := use.Parent().Node().(*ast.ValueSpec); len(s.Values) == 0 {
				continue
			} else if len(s.Values) == len(s.Names) {
				value = s.Values[use.ParentEdgeIndex()]
			}
		default:
			return nil // its address may be taken, or the like
		}
		call, ok := ast.Unparen(value).(*ast.CallExpr)
		if !ok {
			if value != nil && c.info.Types[value].IsNil() {
				continue
			}
			return nil
		}
		if k, _ := c.kindOfCall(call); k != callbackTimer {
			return nil
		}
		made = call
	}
	return made
}

// timerCall is t of t.NAME(), where t is a timer or ticker.
func (c *checker) timerCall(e ast.Expr, name string) ast.Expr {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return nil
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != name {
		return nil
	}
	if _, ok := kindOfType(c.info.TypeOf(sel.X)); !ok {
		return nil
	}
	return sel.X
}

// received is t of the statement <-t.C.
func (c *checker) received(n ast.Node) ast.Expr {
	stmt, ok := n.(*ast.ExprStmt)
	if !ok {
		return nil
	}
	recv, ok := ast.Unparen(stmt.X).(*ast.UnaryExpr)
	if !ok || recv.Op != token.ARROW {
		return nil
	}
	sel, ok := ast.Unparen(recv.X).(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "C" {
		return nil
	}
	if _, ok := kindOfType(c.info.TypeOf(sel.X)); !ok {
		return nil
	}
	return sel.X
}
