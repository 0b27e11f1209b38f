package ctxbreak

import (
	"fmt"
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/fractl/fractl/internal/analyzers/internal/enclosing"
	"github.com/fractl/fractl/internal/analyzers/internal/reach"
)

// checkUnused reports calls that get the context of a field of the receiver in a
// method which has a context of its own and no use for it. Fields that hold nothing
// but fresh contexts, which are in held, are another matter.
func (c *checker) checkUnused(held map[*types.Var]string) {
	for fn := range c.root.Preorder((*ast.FuncDecl)(nil)) {
		body, ok := enclosing.Body(fn)
		if !ok {
			continue
		}
		for _, field := range enclosing.Type(fn).Params.List {
			if len(field.Names) > 1 || !reach.IsContext(c.info.TypeOf(field.Type)) {
				continue
			}
			ctx := reach.Context{Decl: field.Pos()}
			if len(field.Names) == 1 && field.Names[0].Name != "_" {
				ctx.Expr, ctx.Holder = field.Names[0].Name, field.Names[0].Name
			}
			if ctx.Expr == "" || c.mentions(fn, ctx) {
				continue
			}
			c.checkStandIn(fn, body, ctx, held)
		}
	}
}

// checkStandIn reports the first call that gets a field's context in place of ctx.
func (c *checker) checkStandIn(fn, body inspector.Cursor, ctx reach.Context, held map[*types.Var]string) {
	for sel := range body.Preorder((*ast.SelectorExpr)(nil)) {
		n := sel.Node().(*ast.SelectorExpr)
		s := c.info.Selections[n]
		use := enclosing.Parens(sel)
		if s == nil || s.Kind() != types.FieldVal || !reach.IsContext(c.info.TypeOf(n)) || use.ParentEdgeKind() != edge.CallExpr_Args ||
			!c.ofReceiver(n, fn) || held[s.Obj().(*types.Var).Origin()] != "" || enclosing.Function(sel) != fn || c.excused(sel, ctx) || c.contextFunc(use.Parent().Node().(*ast.CallExpr)) != "" {
			continue
		}
		call := c.receiver(use.Parent(), ctx)
		if !call.Valid() {
			continue
		}
		category := unused
		if c.isTest(sel) {
			category = inTest
		}
		text := types.ExprString(n)
		d := analysis.Diagnostic{
			Pos: n.Pos(), End: n.End(), Category: label(category),
			Message: fmt.Sprintf("%s goes to %s, and the function has no use for its own %s", text, c.calleeName(call.Node().(*ast.CallExpr)), ctx.Expr),
			Related: []analysis.RelatedInformation{{Pos: ctx.Decl, Message: "the context in reach"}},
		}
		if !c.generated[c.pass.Fset.File(n.Pos())] {
			d.SuggestedFixes = []analysis.SuggestedFix{{Message: "Pass " + ctx.Expr,
				TextEdits: []analysis.TextEdit{{Pos: n.Pos(), End: n.End(), NewText: []byte(ctx.Expr)}}}}
		}
		c.pass.Report(d)
		return
	}
}

// ofReceiver reports whether a selector selects from the receiver of a method.
func (c *checker) ofReceiver(sel *ast.SelectorExpr, fn inspector.Cursor) bool {
	recv := fn.Node().(*ast.FuncDecl).Recv
	id, ok := ast.Unparen(sel.X).(*ast.Ident)
	if !ok || recv == nil {
		return false
	}
	v := c.info.Uses[id]
	return v != nil && within(v.Pos(), recv)
}
