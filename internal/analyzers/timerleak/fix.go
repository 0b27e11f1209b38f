package timerleak

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/fractl/fractl/internal/analyzers/internal/enclosing"
)

// deferStop is the fix that defers Stop right behind the statement which makes
// a timer, where the end of the function is the first place that it could
// stand: not in a loop, whose turns would pile them up.
func (c *checker) deferStop(src source, v *types.Var) []analysis.SuggestedFix {
	stmt, ok := c.statement(src.call)
	if !ok {
		return nil
	}
	a, ok := stmt.Node().(*ast.AssignStmt)
	if !ok || len(a.Lhs) != 1 {
		return nil
	}
	id, ok := a.Lhs[0].(*ast.Ident)
	if !ok || c.info.ObjectOf(id) != v {
		return nil
	}
	return c.fix("Defer "+v.Name()+".Stop()", analysis.TextEdit{Pos: a.End(), End: a.End(), NewText: []byte("\ndefer " + v.Name() + ".Stop()")})
}

// newTicker is the fix that makes a ticker of one's own in the place of
// time.Tick, which takes any duration; a ticker has to have one above zero.
func (c *checker) newTicker(src source) []analysis.SuggestedFix {
	call := src.call.Node().(*ast.CallExpr)
	if len(call.Args) != 1 {
		return nil
	}
	d := c.info.Types[call.Args[0]].Value
	stmt, ok := c.statement(src.call)
	sel, isSel := call.Fun.(*ast.SelectorExpr)
	if !ok || !isSel || d == nil || constant.Sign(d) <= 0 {
		return nil
	}
	const name = "ticker"
	if scope := c.pass.Pkg.Scope().Innermost(call.Pos()); scope == nil {
		return nil
	} else if _, taken := scope.LookupParent(name, token.NoPos); taken != nil {
		return nil
	}
	args := "(" + types.ExprString(call.Args[0]) + ")"
	before := name + " := " + types.ExprString(sel.X) + ".NewTicker" + args + "\ndefer " + name + ".Stop()\n"
	return c.fix("Make a ticker and stop it",
		analysis.TextEdit{Pos: stmt.Node().Pos(), End: stmt.Node().Pos(), NewText: []byte(before)},
		analysis.TextEdit{Pos: call.Pos(), End: call.End(), NewText: []byte(name + ".C")})
}

// dropBehind is the fix that drops a statement with its line, where that is the
// next one.
func (c *checker) dropBehind(title string, stmt, next inspector.Cursor) []analysis.SuggestedFix {
	if c.line(next.Node().Pos()) != c.line(stmt.Node().End())+1 {
		return c.replaceWith(title, next, "")
	}
	return c.fix(title, analysis.TextEdit{Pos: stmt.Node().End(), End: next.Node().End()})
}

// replaceWith is the fix that puts text in the place of a statement.
func (c *checker) replaceWith(title string, stmt inspector.Cursor, text string) []analysis.SuggestedFix {
	if stmt.ParentEdgeKind() != edge.BlockStmt_List && stmt.ParentEdgeKind() != edge.CaseClause_Body && stmt.ParentEdgeKind() != edge.CommClause_Body {
		return nil
	}
	return c.fix(title, analysis.TextEdit{Pos: stmt.Node().Pos(), End: stmt.Node().End(), NewText: []byte(text)})
}

// statement is the statement of a list around a place that runs at most once in
// its function; a loop's head is outside of the loop.
func (c *checker) statement(at inspector.Cursor) (inspector.Cursor, bool) {
	fn := enclosing.Function(at)
	var stmt inspector.Cursor
	for cur := at; cur.Node() != nil && fn.Valid() && cur != fn; cur = cur.Parent() {
		kind := cur.ParentEdgeKind()
		switch kind {
		case edge.BlockStmt_List, edge.CaseClause_Body, edge.CommClause_Body:
			if !stmt.Valid() {
				stmt = cur
			}
		case edge.ForStmt_Body, edge.RangeStmt_Body, edge.ForStmt_Cond, edge.ForStmt_Post, edge.LabeledStmt_Stmt:
			return inspector.Cursor{}, false
		}
	}
	return stmt, stmt.Valid()
}

// fix is a list of one fix, or none in a generated file.
func (c *checker) fix(title string, edits ...analysis.TextEdit) []analysis.SuggestedFix {
	for _, f := range c.pass.Files {
		if f.FileStart <= edits[0].Pos && edits[0].Pos < f.FileEnd && ast.IsGenerated(f) {
			return nil
		}
	}
	return []analysis.SuggestedFix{{Message: title, TextEdits: edits}}
}
