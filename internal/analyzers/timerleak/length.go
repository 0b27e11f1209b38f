package timerleak

import (
	"fmt"
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/fractl/fractl/internal/analyzers/internal/enclosing"
)

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
	timer, ok := c.timerChannel(n.Args[0], call)
	if !ok {
		return
	}
	m := c.mode(n.Pos())
	if !m.Known || !m.Synchronous {
		return
	}
	category := lenCap
	if timer != nil && c.guardsDrain(call, timer) {
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

// timerChannel reports whether an expression is the channel of a timer: t.C, of which
// it gives t, or a local variable that holds one.
func (c *checker) timerChannel(e ast.Expr, at inspector.Cursor) (timer ast.Expr, ok bool) {
	switch e := ast.Unparen(e).(type) {
	case *ast.SelectorExpr:
		_, isTimer := kindOfType(c.info.TypeOf(e.X))
		return e.X, isTimer && e.Sel.Name == "C"
	case *ast.CallExpr:
		k, _ := c.kindOfCall(e)
		return nil, k == afterChan || k == tickChan
	case *ast.Ident:
		fn := enclosing.Function(at)
		v, isVar := c.info.Uses[e].(*types.Var)
		if !isVar || !fn.Valid() {
			return nil, false
		}
		for a := range fn.Preorder((*ast.AssignStmt)(nil)) {
			n := a.Node().(*ast.AssignStmt)
			for i, lhs := range n.Lhs {
				id, isIdent := lhs.(*ast.Ident)
				if !isIdent || c.info.ObjectOf(id) != v {
					continue
				}
				if len(n.Lhs) != len(n.Rhs) {
					return nil, false
				}
				if _, same := ast.Unparen(n.Rhs[i]).(*ast.Ident); same {
					return nil, false
				}
				if _, ok = c.timerChannel(n.Rhs[i], a); !ok {
					return nil, false
				}
			}
		}
	}
	return nil, ok
}
