package ctxbreak

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
)

// checkFields reports cancel functions that are kept in a field of this package
// which nothing reads. Only unexported fields are looked at: others may be read
// elsewhere.
func (c *checker) checkFields() {
	kept := c.keptCancels()
	if len(kept) == 0 {
		return
	}
	for sel := range c.root.Preorder((*ast.SelectorExpr)(nil)) {
		n := sel.Node().(*ast.SelectorExpr)
		v, ok := c.info.Uses[n.Sel].(*types.Var)
		switch sel.ParentEdgeKind() {
		case edge.AssignStmt_Lhs, edge.BinaryExpr_X, edge.BinaryExpr_Y:
			continue // set, or compared with nil
		}
		if ok {
			delete(kept, v.Origin())
		}
	}
	for v, at := range kept {
		if c.isTest(at.place) {
			continue
		}
		c.pass.Report(analysis.Diagnostic{
			Pos: at.pos, End: at.end, Category: label(unread),
			Message: fmt.Sprintf("the cancel function is kept in field %s, which nothing reads: what the context holds stays until its parent ends", v.Name()),
			Related: []analysis.RelatedInformation{{Pos: v.Pos(), Message: "the field"}, {Pos: at.pos, Message: "hint: call it where the owner of the field ends"}},
		})
	}
}

// keeping is where a cancel function goes to a field.
type keeping struct {
	place    inspector.Cursor
	pos, end token.Pos
}

// keptCancels finds the fields that cancel functions go to: by assignment, and in
// a literal by way of a variable.
func (c *checker) keptCancels() map[*types.Var]keeping {
	kept := make(map[*types.Var]keeping)
	cancels := make(map[types.Object]bool)
	for at := range c.root.Preorder((*ast.AssignStmt)(nil)) {
		n := at.Node().(*ast.AssignStmt)
		if len(n.Lhs) != 2 || len(n.Rhs) != 1 {
			continue
		}
		call, ok := ast.Unparen(n.Rhs[0]).(*ast.CallExpr)
		if !ok || !c.givesCancel(call) || c.parentEnds(at, call) {
			continue
		}
		switch cancel := n.Lhs[1].(type) {
		case *ast.Ident:
			if obj := c.info.ObjectOf(cancel); obj != nil {
				cancels[obj] = true
			}
		case *ast.SelectorExpr:
			c.keep(kept, cancel.Sel, keeping{at, cancel.Pos(), cancel.End()})
		}
	}
	// A variable that is used for nothing but to fill the field.
	uses := make(map[types.Object]int)
	for _, obj := range c.info.Uses {
		if cancels[obj] {
			uses[obj]++
		}
	}
	once := func(e ast.Expr) bool {
		id, ok := ast.Unparen(e).(*ast.Ident)
		return ok && uses[c.info.Uses[id]] == 1
	}
	for at := range c.root.Preorder((*ast.KeyValueExpr)(nil), (*ast.AssignStmt)(nil)) {
		switch n := at.Node().(type) {
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && once(n.Value) {
				c.keep(kept, key, keeping{at, n.Pos(), n.End()})
			}
		case *ast.AssignStmt:
			if len(n.Lhs) == 1 && len(n.Rhs) == 1 && once(n.Rhs[0]) {
				if sel, ok := n.Lhs[0].(*ast.SelectorExpr); ok {
					c.keep(kept, sel.Sel, keeping{at, n.Pos(), n.End()})
				}
			}
		}
	}
	return kept
}

// keep notes the field that a name stands for, if it is one to look at.
func (c *checker) keep(kept map[*types.Var]keeping, name *ast.Ident, at keeping) {
	v, ok := c.info.Uses[name].(*types.Var)
	if !ok || !v.IsField() || v.Exported() || v.Pkg() != c.pass.Pkg || c.generated[c.pass.Fset.File(at.pos)] {
		return
	}
	if _, known := kept[v.Origin()]; !known {
		kept[v.Origin()] = at
	}
}
