package ctxbreak

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/fractl/fractl/internal/analyzers/internal/enclosing"
	"github.com/fractl/fractl/internal/analyzers/internal/flow"
	"github.com/fractl/fractl/internal/analyzers/internal/reach"
)

// checkShadow reports a child of a context that hides its parent in the block of
// an if or a case alone, where nothing is done under it, although the function
// goes on behind the block under the parent: the child was meant for that.
func (c *checker) checkShadow(at inspector.Cursor, n *ast.AssignStmt, call *ast.CallExpr) {
	id, ok := n.Lhs[0].(*ast.Ident)
	if !ok || n.Tok != token.DEFINE || len(call.Args) == 0 {
		return
	}
	child, _ := c.info.Defs[id].(*types.Var)
	from, ok := ast.Unparen(call.Args[0]).(*ast.Ident)
	if !ok || child == nil || from.Name != id.Name || !reach.IsContext(child.Type()) {
		return
	}
	parent, ok := c.info.Uses[from].(*types.Var)
	if !ok || parent == child || !reach.IsContext(parent.Type()) {
		return
	}
	var branch inspector.Cursor // the statement that the block belongs to
	var list []ast.Stmt
	switch block := at.Parent(); b := block.Node().(type) {
	case *ast.BlockStmt:
		if _, ok := block.Parent().Node().(*ast.IfStmt); !ok {
			return
		}
		branch, list = block.Parent(), b.List
	case *ast.CaseClause:
		branch, list = block.Parent().Parent(), b.Body
	default:
		return
	}
	fn := enclosing.Function(at)
	if !fn.Valid() || flow.Terminates(c.info, list) || !c.idle(fn, child) {
		return
	}
	for ref := range fn.Preorder((*ast.Ident)(nil)) {
		use := ref.Node().(*ast.Ident)
		if use.Pos() < branch.Node().End() || c.info.Uses[use] != parent || ref.ParentEdgeKind() != edge.CallExpr_Args {
			continue
		}
		category := shadow
		if c.isTest(at) {
			category = inTest
		}
		c.pass.Report(analysis.Diagnostic{Pos: id.Pos(), End: id.End(), Category: label(category),
			Message: fmt.Sprintf("%s is a variable of this block alone, and line %d goes on under the one around it", id.Name, c.pass.Fset.Position(use.Pos()).Line),
			Related: []analysis.RelatedInformation{{Pos: use.Pos(), Message: "the context around is used here"}, {Pos: parent.Pos(), Message: "it is this one"}}})
		return
	}
}

// logWords are in the names of functions that tell something and do nothing.
var logWords = []string{"log", "debug", "info", "warn", "warning", "error", "print", "printf", "println", "trace", "tracef", "debugf", "infof", "warnf", "errorf"}

// idle reports whether nothing is done under a context: it is logged with, and
// asked for its error.
func (c *checker) idle(fn inspector.Cursor, ctx *types.Var) bool {
	for ref := range fn.Preorder((*ast.Ident)(nil)) {
		if c.info.Uses[ref.Node().(*ast.Ident)] != ctx {
			continue
		}
		use := enclosing.Parens(ref)
		switch use.ParentEdgeKind() {
		case edge.SelectorExpr_X:
			if name := use.Parent().Node().(*ast.SelectorExpr).Sel.Name; name == "Done" {
				return false
			}
		case edge.CallExpr_Args:
			call := use.Parent()
			if call.ParentEdgeKind() != edge.ExprStmt_X || !hasWord(c.calleeName(call.Node().(*ast.CallExpr)), logWords) {
				return false
			}
		case edge.AssignStmt_Rhs:
			a := use.Parent().Node().(*ast.AssignStmt)
			if blank, ok := a.Lhs[min(use.ParentEdgeIndex(), len(a.Lhs)-1)].(*ast.Ident); !ok || blank.Name != "_" {
				return false
			}
		default:
			return false
		}
	}
	return true
}
