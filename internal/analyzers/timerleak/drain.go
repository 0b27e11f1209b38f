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
	if m := c.mode(stmt.Node().Pos()); m.Known && m.Synchronous {
		c.reportFixable(next.Node(), drain,
			fmt.Sprintf("this receive blocks for ever: nothing comes from %s.C once Stop has returned (%s)", types.ExprString(y), m),
			c.dropBehind("Drop the receive", stmt, next),
			append([]analysis.RelatedInformation{{Pos: stmt.Node().Pos(), Message: "stopped here"}}, c.decider(m)...)...)
	}
}

// checkGuardedDrain: if !t.Stop() { <-t.C }.
func (c *checker) checkGuardedDrain(stmt inspector.Cursor) {
	n := stmt.Node().(*ast.IfStmt)
	not, ok := ast.Unparen(n.Cond).(*ast.UnaryExpr)
	if !ok || not.Op != token.NOT || len(n.Body.List) != 1 || n.Else != nil {
		return
	}
	x := c.timerCall(not.X, "Stop")
	y := c.received(n.Body.List[0])
	if x == nil || y == nil || types.ExprString(x) != types.ExprString(y) {
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

// checkLen: len(t.C) or cap(t.C).
func (c *checker) checkLen(call inspector.Cursor) {
	n := call.Node().(*ast.CallExpr)
	fn, ok := ast.Unparen(n.Fun).(*ast.Ident)
	if !ok || len(n.Args) != 1 {
		return
	}
	b, ok := c.info.Uses[fn].(*types.Builtin)
	if !ok || b.Name() != "len" && b.Name() != "cap" {
		return
	}
	sel, ok := ast.Unparen(n.Args[0]).(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "C" {
		return
	}
	if _, ok := kindOfType(c.info.TypeOf(sel.X)); !ok {
		return
	}
	m := c.mode(n.Pos())
	if !m.Known || !m.Synchronous {
		return
	}
	category := lenCap
	if c.guardsDrain(call, sel.X) {
		category = guard // never taken, and nothing is lost by it
	}
	c.report(n, category, fmt.Sprintf("%s is always 0 (%s)", types.ExprString(n), m), c.decider(m)...)
}

// guardsDrain reports whether call stands in the condition of an if or for
// whose body does nothing but receive from x.C.
func (c *checker) guardsDrain(call inspector.Cursor, x ast.Expr) bool {
	for s := range call.Enclosing((*ast.IfStmt)(nil), (*ast.ForStmt)(nil)) {
		var body *ast.BlockStmt
		var cond ast.Expr
		switch n := s.Node().(type) {
		case *ast.IfStmt:
			body, cond = n.Body, n.Cond
		case *ast.ForStmt:
			body, cond = n.Body, n.Cond
		}
		if cond == nil || !enclosing.Within(call.Node(), cond) || len(body.List) != 1 {
			return false
		}
		y := c.received(body.List[0])
		return y != nil && types.ExprString(x) == types.ExprString(y)
	}
	return false
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
	// A select with another case does not hang on a nil channel.
	if clause, ok := commClause(recv); ok && len(clause.Parent().Node().(*ast.BlockStmt).List) > 1 {
		return
	}
	v := c.variable(sel.X)
	if v == nil {
		return
	}
	if made := c.onlyAfterFunc(v); made != nil {
		c.report(n, nilChan, fmt.Sprintf("this receive blocks for ever: %s comes from AfterFunc and has no channel", types.ExprString(sel.X)),
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
