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
	"golang.org/x/tools/go/types/typeutil"

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
		c.reportLost(at, n, call, cancel)
		return
	}
	v := c.info.ObjectOf(cancel)
	if v == nil {
		return
	}
	c.checkCancel(at, n, call, ctx, v)
	c.checkWrapped(at, n, call)
	c.checkLonger(call)
}

// givesCancel reports whether a call gives a context and a function that ends it.
func (c *checker) givesCancel(call *ast.CallExpr) bool {
	switch c.contextFunc(call) {
	case "WithCancel", "WithTimeout", "WithDeadline", "WithCancelCause", "WithTimeoutCause", "WithDeadlineCause":
		return true
	}
	fn := typeutil.StaticCallee(c.info, call)
	return fn != nil && fn.Pkg() != nil && fn.Pkg().Path() == "os/signal" && fn.Name() == "NotifyContext"
}

// reportLost reports a cancel function that is thrown away, with a fix where the
// context serves this function alone.
func (c *checker) reportLost(at inspector.Cursor, n *ast.AssignStmt, call *ast.CallExpr, cancel *ast.Ident) {
	if c.parentEnds(at, call) {
		return
	}
	category := lost
	if c.isTest(at) {
		category = inTest
	}
	d := analysis.Diagnostic{Pos: cancel.Pos(), End: cancel.End(), Category: label(category),
		Message: fmt.Sprintf("the cancel function of %s is thrown away: what the context holds stays until its parent ends", c.calleeName(call))}
	fn := enclosing.Function(at)
	ctx, ok := n.Lhs[0].(*ast.Ident)
	if ok && fn.Valid() && n.Tok == token.DEFINE && !c.inLoop(at, fn) && c.staysHere(ctx, fn) && !c.taken(fn, "cancel") &&
		at.ParentEdgeKind() == edge.BlockStmt_List && !c.generated[c.pass.Fset.File(at.Node().Pos())] && !withCause(c.contextFunc(call)) {
		d.SuggestedFixes = []analysis.SuggestedFix{{Message: "Defer the cancel function", TextEdits: []analysis.TextEdit{
			{Pos: cancel.Pos(), End: cancel.End(), NewText: []byte("cancel")},
			{Pos: n.End(), End: n.End(), NewText: []byte("\ndefer cancel()")},
		}}}
	}
	c.pass.Report(d)
}

// parentEnds reports whether the parent of a context is one whose cancel function
// the same function calls or hands on: its child ends with it.
func (c *checker) parentEnds(at inspector.Cursor, call *ast.CallExpr) bool {
	fn := enclosing.Function(at)
	id, ok := ast.Unparen(call.Args[0]).(*ast.Ident)
	if !ok || !fn.Valid() {
		return false
	}
	parent := c.info.Uses[id]
	for a := range fn.Preorder((*ast.AssignStmt)(nil)) {
		n := a.Node().(*ast.AssignStmt)
		if len(n.Lhs) != 2 || len(n.Rhs) != 1 || n.Pos() >= call.Pos() {
			continue
		}
		made, ok := ast.Unparen(n.Rhs[0]).(*ast.CallExpr)
		ctx, isIdent := n.Lhs[0].(*ast.Ident)
		cancel, hasCancel := n.Lhs[1].(*ast.Ident)
		if ok && isIdent && hasCancel && c.givesCancel(made) && c.info.ObjectOf(ctx) == parent && cancel.Name != "_" && c.otherUse(fn, c.info.ObjectOf(cancel), nil, n) {
			return true
		}
	}
	return false
}

func withCause(name string) bool { return name == "WithCancelCause" }

// staysHere reports whether a context is used in its function alone, and in
// nothing that outlives that.
func (c *checker) staysHere(ctx *ast.Ident, fn inspector.Cursor) bool {
	v := c.info.ObjectOf(ctx)
	for ref := range fn.Preorder((*ast.Ident)(nil)) {
		if ref.Node() == ctx || c.info.Uses[ref.Node().(*ast.Ident)] != v {
			continue
		}
		if enclosing.Function(ref) != fn {
			return false
		}
		at := enclosing.Parens(ref)
		switch at.ParentEdgeKind() {
		case edge.SelectorExpr_X:
		case edge.CallExpr_Args:
			kind := at.Parent().ParentEdgeKind()
			if kind == edge.GoStmt_Call || kind == edge.DeferStmt_Call || c.contextFunc(at.Parent().Node().(*ast.CallExpr)) != "" {
				return false
			}
			// Who is given a context may keep it in what it returns.
			if (kind == edge.AssignStmt_Rhs || kind == edge.ReturnStmt_Results) && keeps(c.info.TypeOf(at.Parent().Node().(*ast.CallExpr))) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// keeps reports whether a result may hold a context: anything but plain data and
// errors.
func keeps(t types.Type) bool {
	switch t := types.Unalias(t).(type) {
	case *types.Tuple:
		for v := range t.Variables() {
			if keeps(v.Type()) {
				return true
			}
		}
		return false
	case *types.Basic:
		return false
	case *types.Named:
		if t.Obj().Pkg() == nil && t.Obj().Name() == "error" {
			return false
		}
		_, plain := t.Underlying().(*types.Basic)
		return !plain
	case *types.Slice:
		return keeps(t.Elem())
	}
	return true
}

// taken reports whether a name is used in a function.
func (c *checker) taken(fn inspector.Cursor, name string) bool {
	for id := range fn.Preorder((*ast.Ident)(nil)) {
		if id.Node().(*ast.Ident).Name == name {
			return true
		}
	}
	return false
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

// checkCancel looks at what becomes of a cancel function.
func (c *checker) checkCancel(at inspector.Cursor, n *ast.AssignStmt, call *ast.CallExpr, ctx *ast.Ident, cancel types.Object) {
	fn := enclosing.Function(at)
	if !fn.Valid() {
		return
	}
	for ref := range fn.Preorder((*ast.Ident)(nil)) {
		id := ref.Node().(*ast.Ident)
		if c.info.Uses[id] != cancel || id.Pos() < n.End() {
			continue
		}
		use := enclosing.Parens(ref)
		if use.ParentEdgeKind() == edge.AssignStmt_Rhs {
			if a := use.Parent().Node().(*ast.AssignStmt); len(a.Lhs) == 1 {
				if blank, ok := a.Lhs[0].(*ast.Ident); ok && blank.Name == "_" && !c.otherUse(fn, cancel, id, n) {
					c.report(lost, at, a.Pos(), a.End(), fmt.Sprintf("the cancel function of %s is thrown away: what the context holds stays until its parent ends", c.calleeName(call)), n.Pos())
				}
			}
		}
		if use.ParentEdgeKind() != edge.CallExpr_Fun {
			continue
		}
		ended := use.Parent()
		switch ended.ParentEdgeKind() {
		case edge.DeferStmt_Call:
			stmt := ended.Parent()
			if enclosing.Function(stmt) == fn && c.inLoop(stmt, fn) && c.inLoop(at, fn) && !c.leaves(stmt) {
				c.report(loop, at, stmt.Node().Pos(), stmt.Node().End(),
					"cancel is deferred in a loop: all of them wait for the end of the function", n.Pos())
			}
		case edge.ExprStmt_X:
			if ctx != nil && ctx.Name != "_" {
				c.checkEarly(ended.Parent(), c.info.ObjectOf(ctx), n)
			}
		}
	}
}

// otherUse reports whether a cancel function is used anywhere but in its
// definition and at one place.
func (c *checker) otherUse(fn inspector.Cursor, cancel types.Object, not *ast.Ident, def *ast.AssignStmt) bool {
	for ref := range fn.Preorder((*ast.Ident)(nil)) {
		id := ref.Node().(*ast.Ident)
		if id != not && c.info.Uses[id] == cancel && !enclosing.Within(id, def) {
			return true
		}
	}
	return false
}

// leaves reports whether the block of a statement ends by leaving the function,
// so that a loop around it does not go round.
func (c *checker) leaves(stmt inspector.Cursor) bool {
	block, ok := stmt.Parent().Node().(*ast.BlockStmt)
	if !ok || len(block.List) == 0 {
		return false
	}
	_, returns := block.List[len(block.List)-1].(*ast.ReturnStmt)
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
	isError := func(t types.Type) bool {
		named, ok := t.(*types.Named)
		return ok && named.Obj().Pkg() == nil && named.Obj().Name() == "error"
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

// checkLonger reports a constant timeout that is longer than that of the parent.
func (c *checker) checkLonger(call *ast.CallExpr) {
	have, ok := c.timeout(call)
	if !ok {
		return
	}
	id, ok := ast.Unparen(call.Args[0]).(*ast.Ident)
	if !ok {
		return
	}
	v, ok := c.info.Uses[id].(*types.Var)
	if !ok {
		return
	}
	for a := range c.root.Preorder((*ast.AssignStmt)(nil)) {
		n := a.Node().(*ast.AssignStmt)
		lhs, ok := n.Lhs[0].(*ast.Ident)
		if !ok || c.info.Defs[lhs] != v || len(n.Rhs) != 1 {
			continue
		}
		if parent, ok := ast.Unparen(n.Rhs[0]).(*ast.CallExpr); ok {
			if limit, ok := c.timeout(parent); ok && have > limit {
				d := analysis.Diagnostic{Pos: call.Args[1].Pos(), End: call.Args[1].End(), Category: label(longer),
					Message: fmt.Sprintf("a timeout of %s has no effect: %s ends after %s", have, id.Name, limit),
					Related: []analysis.RelatedInformation{{Pos: parent.Pos(), Message: "the parent"}}}
				c.pass.Report(d)
			}
		}
	}
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
