package ctxbreak

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"time"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/fractl/fractl/internal/analyzers/internal/enclosing"
	"github.com/fractl/fractl/internal/analyzers/internal/reach"
)

// checkDerived looks at an assignment of a child context and its cancel function.
func (c *checker) checkDerived(at inspector.Cursor) {
	n := at.Node().(*ast.AssignStmt)
	if len(n.Rhs) != 1 {
		return
	}
	call, ok := ast.Unparen(n.Rhs[0]).(*ast.CallExpr)
	if !ok {
		return
	}
	c.checkShadow(at, n, call)
	if name := c.contextFunc(call); name == "WithValue" && len(n.Lhs) == 1 {
		c.checkWrapped(at, n, call)
		return
	}
	if len(n.Lhs) != 2 || !c.givesCancel(call) {
		return
	}
	ctx, _ := n.Lhs[0].(*ast.Ident)
	cancel, _ := n.Lhs[1].(*ast.Ident)
	if cancel == nil {
		return // a field: its owner has it
	}
	if cancel.Name == "_" {
		if !c.parentEnds(at, call) {
			c.reportLost(at, n, call, cancel, lost, fmt.Sprintf("the cancel function of %s is thrown away: what the context holds stays until its parent ends", c.calleeName(call)))
		}
		return
	}
	c.checkCancel(at, n, call, ctx, cancel)
	c.checkWrapped(at, n, call)
	c.checkLonger(at, call)
}

// inLoop reports whether a place is in a loop of the function.
func (c *checker) inLoop(at, fn inspector.Cursor) bool {
	for cur := range at.Enclosing((*ast.ForStmt)(nil), (*ast.RangeStmt)(nil), (*ast.FuncDecl)(nil), (*ast.FuncLit)(nil)) {
		if cur == fn {
			return false
		}
		switch cur.Node().(type) {
		case *ast.ForStmt, *ast.RangeStmt:
			return true
		}
	}
	return false
}

// leaves reports whether what follows a statement leaves the function, so that a
// loop around it does not go round.
func (c *checker) leaves(stmt inspector.Cursor) bool {
	var list []ast.Stmt
	switch block := stmt.Parent().Node().(type) {
	case *ast.BlockStmt:
		list = block.List
	case *ast.CaseClause:
		list = block.Body
	case *ast.CommClause:
		list = block.Body
	}
	if len(list) == 0 {
		return false
	}
	_, returns := list[len(list)-1].(*ast.ReturnStmt)
	return returns
}

// checkEarly reports uses of a context in statements behind the call of its
// cancel function, in the same block.
func (c *checker) checkEarly(stmt inspector.Cursor, ctx types.Object, def *ast.AssignStmt) {
	for next, ok := stmt.NextSibling(); ok && next.ParentEdgeKind() == stmt.ParentEdgeKind(); next, ok = next.NextSibling() {
		if c.assigns(next, ctx) {
			return
		}
		for ref := range next.Preorder((*ast.Ident)(nil)) {
			id := ref.Node().(*ast.Ident)
			if c.info.Uses[id] != ctx {
				continue
			}
			use := enclosing.Parens(ref)
			if use.ParentEdgeKind() == edge.CallExpr_Args && c.fails(use.Parent().Node().(*ast.CallExpr)) && !c.afterTheEnd(ref) {
				c.report(early, stmt, id.Pos(), id.End(), fmt.Sprintf("%s is used after its cancel function was called: it is over", id.Name), stmt.Node().Pos())
				return
			}
		}
	}
}

// fails reports whether a call that gets a context which is over tells so: it
// gives an error, and is not one that tidies up.
func (c *checker) fails(call *ast.CallExpr) bool {
	if c.contextFunc(call) != "" || tidiesUp(c.calleeName(call)) {
		return false
	}
	t := c.info.TypeOf(call)
	if tuple, ok := t.(*types.Tuple); ok {
		for v := range tuple.Variables() {
			if isError(v.Type()) {
				return true
			}
		}
		return false
	}
	return isError(t)
}

func isError(t types.Type) bool {
	named, ok := t.(*types.Named)
	return ok && named.Obj().Pkg() == nil && named.Obj().Name() == "error"
}

// assigns reports whether a statement gives a variable another value.
func (c *checker) assigns(stmt inspector.Cursor, v types.Object) bool {
	for a := range stmt.Preorder((*ast.AssignStmt)(nil)) {
		for _, lhs := range a.Node().(*ast.AssignStmt).Lhs {
			if id, ok := lhs.(*ast.Ident); ok && c.info.ObjectOf(id) == v {
				return true
			}
		}
	}
	return false
}

// checkWrapped reports a context that is wrapped again in each round of a loop.
func (c *checker) checkWrapped(at inspector.Cursor, n *ast.AssignStmt, call *ast.CallExpr) {
	id, ok := n.Lhs[0].(*ast.Ident)
	if !ok || n.Tok != token.ASSIGN || len(call.Args) == 0 {
		return
	}
	parent, ok := ast.Unparen(call.Args[0]).(*ast.Ident)
	fn := enclosing.Function(at)
	if !ok || !fn.Valid() || c.info.Uses[parent] != c.info.Uses[id] || c.info.Uses[id] == nil {
		return
	}
	v := c.info.Uses[id]
	if c.contextFunc(call) == "WithValue" && len(call.Args) == 3 && c.variesIn(at, call.Args[1]) {
		return // another value in each round
	}
	for cur := range at.Enclosing((*ast.ForStmt)(nil), (*ast.RangeStmt)(nil), (*ast.FuncDecl)(nil), (*ast.FuncLit)(nil)) {
		if cur == fn {
			return
		}
		var body *ast.BlockStmt
		switch l := cur.Node().(type) {
		case *ast.ForStmt:
			body = l.Body
		case *ast.RangeStmt:
			body = l.Body
		default:
			return
		}
		if v.Pos() < cur.Node().Pos() && !c.leaves(at) {
			c.report(loop, at, n.Pos(), n.End(), fmt.Sprintf("%s is wrapped again in each round of the loop: the chain of contexts grows", id.Name), body.Pos())
			return
		}
	}
}

// variesIn reports whether an expression names a variable of a loop around a
// place.
func (c *checker) variesIn(at inspector.Cursor, e ast.Expr) bool {
	varies := false
	for cur := range at.Enclosing((*ast.ForStmt)(nil), (*ast.RangeStmt)(nil)) {
		ast.Inspect(e, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				if v, ok := c.info.Uses[id].(*types.Var); ok && cur.Node().Pos() <= v.Pos() && v.Pos() < cur.Node().End() {
					varies = true
				}
			}
			return true
		})
	}
	return varies
}

// checkLonger reports a constant timeout that is longer than that of a context
// above it in the same function.
func (c *checker) checkLonger(at inspector.Cursor, call *ast.CallExpr) {
	have, ok := c.timeout(call)
	if !ok {
		return
	}
	fn := enclosing.Function(at)
	for outer := fn; outer.Valid(); outer = enclosing.Function(outer) {
		fn = outer // a literal's parent may be of the function around it
	}
	if !fn.Valid() {
		return
	}
	limit, parent := c.limit(fn, call.Args[0], call.Pos(), 6)
	if parent == nil || have <= limit {
		return
	}
	category := longer
	if c.isTest(at) {
		category = inTest
	}
	c.pass.Report(analysis.Diagnostic{Pos: call.Args[1].Pos(), End: call.Args[1].End(), Category: label(category),
		Message: fmt.Sprintf("a timeout of %s has no effect: %s ends after %s", have, types.ExprString(call.Args[0]), limit),
		Related: []analysis.RelatedInformation{{Pos: parent.Pos(), Message: "the parent"}}})
}

// limit is the constant timeout that a context has, from the call that gave it,
// which is nil where there is none. It looks so many steps up.
func (c *checker) limit(fn inspector.Cursor, ctx ast.Expr, before token.Pos, steps int) (time.Duration, *ast.CallExpr) {
	if steps == 0 {
		return 0, nil
	}
	switch e := ast.Unparen(ctx).(type) {
	case *ast.CallExpr:
		if c.contextFunc(e) == "WithoutCancel" || c.contextFunc(e) == "Background" || c.contextFunc(e) == "TODO" {
			return 0, nil
		}
		own, ok := c.timeout(e)
		for _, arg := range e.Args {
			if !reach.IsContext(c.info.TypeOf(arg)) {
				continue
			}
			if limit, parent := c.limit(fn, arg, e.Pos(), steps-1); parent != nil && (!ok || limit < own) {
				return limit, parent
			}
			break
		}
		if ok {
			return own, e
		}
	case *ast.Ident:
		v, ok := c.info.Uses[e].(*types.Var)
		if !ok {
			return 0, nil
		}
		// The last value before, if it is in a block around: others may not be it.
		var value ast.Expr
		for a := range fn.Preorder((*ast.AssignStmt)(nil)) {
			n := a.Node().(*ast.AssignStmt)
			lhs, ok := n.Lhs[0].(*ast.Ident)
			if !ok || c.info.ObjectOf(lhs) != v || n.End() > before {
				continue
			}
			value = nil
			if block := a.Parent().Node(); len(n.Rhs) == 1 && block.Pos() <= before && before < block.End() {
				value = n.Rhs[0]
			}
		}
		if value != nil {
			return c.limit(fn, value, value.Pos(), steps-1)
		}
	}
	return 0, nil
}

// timeout is the constant timeout of a call of context.WithTimeout.
func (c *checker) timeout(call *ast.CallExpr) (time.Duration, bool) {
	if name := c.contextFunc(call); name != "WithTimeout" && name != "WithTimeoutCause" || len(call.Args) < 2 {
		return 0, false
	}
	tv := c.info.Types[call.Args[1]]
	if tv.Value == nil {
		return 0, false
	}
	n, ok := constant.Int64Val(constant.ToInt(tv.Value))
	return time.Duration(n), ok && reach.IsContext(c.info.TypeOf(call.Args[0]))
}

func (c *checker) report(category string, at inspector.Cursor, pos, end token.Pos, message string, related token.Pos) {
	if c.isTest(at) {
		category = inTest
	}
	c.pass.Report(analysis.Diagnostic{Pos: pos, End: end, Category: label(category), Message: message,
		Related: []analysis.RelatedInformation{{Pos: related, Message: "it comes from here"}}})
}
