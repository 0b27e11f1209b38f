package ctxbreak

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/fractl/fractl/internal/analyzers/internal/enclosing"
	"github.com/fractl/fractl/internal/analyzers/internal/ownership"
)

// ignoresFunc is the fact of a function that has no use for some of its
// parameters which are functions: a cancel function that is given to it is lost.
type ignoresFunc struct{ Params []int }

func (*ignoresFunc) AFact() {}

func (f *ignoresFunc) String() string { return fmt.Sprint("ignores", f.Params) }

// exportIgnored leaves that fact. Functions that hand one on to each other settle
// in as many rounds as the chain is long; past a few it is not worth while.
func (c *checker) exportIgnored() {
	const rounds = 4
	for range rounds {
		changed := false
		for at := range c.root.Preorder((*ast.FuncDecl)(nil)) {
			fn, ok := c.info.Defs[at.Node().(*ast.FuncDecl).Name].(*types.Func)
			if body, hasBody := enclosing.Body(at); ok && hasBody {
				changed = c.exportIgnoredBy(fn, body) || changed
			}
		}
		if !changed {
			return
		}
	}
}

// exportIgnoredBy reports whether there was something new to leave.
func (c *checker) exportIgnoredBy(fn *types.Func, body inspector.Cursor) bool {
	var old, fact ignoresFunc
	c.pass.ImportObjectFact(fn, &old)
	params := fn.Signature().Params()
	for i := range params.Len() {
		p := params.At(i)
		if !cancels(p.Type()) || fn.Signature().Variadic() && i == params.Len()-1 {
			continue
		}
		fate := ownership.Follow(c.info, p, body, ownership.Classifier{Calls: true, Arg: c.ignored})
		if !fate.Escapes && len(fate.Releases) == 0 && len(fate.Overwrites) == 0 {
			fact.Params = append(fact.Params, i)
		}
	}
	if len(fact.Params) <= len(old.Params) {
		return false
	}
	c.pass.ExportObjectFact(fn, &fact)
	return true
}

// cancels reports whether a function type may be that of a cancel function: it has
// no parameter, or a cause.
func cancels(t types.Type) bool {
	sig, ok := t.Underlying().(*types.Signature)
	return ok && sig.Results().Len() == 0 && (sig.Params().Len() == 0 || sig.Params().Len() == 1 && isError(sig.Params().At(0).Type()))
}

// checkCancel looks at what becomes of a cancel function in a variable.
func (c *checker) checkCancel(at inspector.Cursor, n *ast.AssignStmt, call *ast.CallExpr, ctx, cancel *ast.Ident) {
	fn := enclosing.Function(at)
	v, ok := c.info.ObjectOf(cancel).(*types.Var)
	if !ok || !fn.Valid() {
		return
	}
	c.checkPath(at, n, call, cancel, v)
	for ref := range fn.Preorder((*ast.Ident)(nil)) {
		id := ref.Node().(*ast.Ident)
		if c.info.Uses[id] != v || id.Pos() < n.End() {
			continue
		}
		use := enclosing.Parens(ref)
		if use.ParentEdgeKind() != edge.CallExpr_Fun {
			continue
		}
		ended := use.Parent()
		switch ended.ParentEdgeKind() {
		case edge.DeferStmt_Call, edge.ExprStmt_X:
			stmt := ended.Parent()
			if ended.ParentEdgeKind() == edge.ExprStmt_X {
				lit := enclosing.Function(stmt)
				if lit == fn || !lit.Valid() || !deferred(lit) {
					if ctx != nil && ctx.Name != "_" {
						c.checkEarly(stmt, c.info.ObjectOf(ctx), n)
					}
					break
				}
				stmt = enclosing.Parens(lit).Parent().Parent()
			}
			if enclosing.Function(stmt) == fn && c.inLoop(stmt, fn) && c.inLoop(at, fn) && !c.leaves(stmt) {
				c.report(loop, at, stmt.Node().Pos(), stmt.Node().End(),
					"cancel is deferred in a loop: all of them wait for the end of the function", n.Pos())
			}
			if enclosing.Function(stmt) == fn && ctx != nil && ctx.Name != "_" {
				c.checkHandedOut(stmt, fn, c.info.ObjectOf(ctx))
			}
		}
	}
}

// checkPath reports a cancel function that nothing calls, or not on each path out
// of the function.
func (c *checker) checkPath(at inspector.Cursor, n *ast.AssignStmt, call *ast.CallExpr, cancel *ast.Ident, v *types.Var) {
	fn := enclosing.Function(at)
	if v.Pos() < fn.Node().Pos() || fn.Node().End() <= v.Pos() || isParameter(v, fn) || c.parentEnds(at, call) {
		return
	}
	body, ok := enclosing.Body(fn)
	if !ok {
		return
	}
	fate := ownership.Follow(c.info, v, body, ownership.Classifier{Calls: true, Arg: c.ignored})
	called := len(fate.Releases)+len(fate.Handed) > 0
	// Whoever has it from some line on may call it: so it counts as called there.
	fate.Releases = append(fate.Releases, fate.Handed...)
	made, ok := at.FindNode(call)
	if !ok {
		return
	}
	exit, leaks := ownership.Leak(ownership.Query{Info: c.info, Var: v, Fate: fate, Made: made, Body: body.Node().(*ast.BlockStmt)})
	if !leaks || !exit.Overwritten && c.endsProgram(fn) {
		return
	}
	category, message := path, ""
	switch line := c.pass.Fset.Position(exit.Node.Pos()).Line; {
	case !called:
		category, message = lost, "is never called: what the context holds stays until its parent ends"
	case exit.Overwritten && enclosing.Within(call, exit.Node):
		message = "is not called before the loop makes the next one"
	case exit.Overwritten:
		message = fmt.Sprintf("is not called before it is replaced at line %d", line)
	default:
		message = fmt.Sprintf("is not called on the path to the return at line %d", line)
	}
	message = fmt.Sprintf("the cancel function of %s %s", c.calleeName(call), message)
	if len(fate.Handed) > 0 {
		// Whoever has it may need the context for longer than this function: no fix.
		c.report(category, at, cancel.Pos(), cancel.End(), message, exit.Node.Pos())
		return
	}
	c.reportLost(at, n, call, cancel, category, message)
}

// ignored is the classifier's answer for an argument.
func (c *checker) ignored(call *ast.CallExpr, i int) ownership.Effect {
	var fact ignoresFunc
	fn := typeutil.StaticCallee(c.info, call)
	if fn != nil && fn.Pkg() != nil && c.pass.ImportObjectFact(fn.Origin(), &fact) && slices.Contains(fact.Params, i) {
		return ownership.Reads
	}
	return ownership.Escapes
}

// endsProgram reports whether what a function leaves ends with the program.
func (c *checker) endsProgram(fn inspector.Cursor) bool {
	decl, ok := fn.Node().(*ast.FuncDecl)
	return ok && enclosing.Starts(c.pass.Pkg, decl)
}

// reportLost reports a cancel function that is not called, with a fix where the
// context serves this function alone.
func (c *checker) reportLost(at inspector.Cursor, n *ast.AssignStmt, call *ast.CallExpr, cancel *ast.Ident, category, message string) {
	if c.isTest(at) {
		category = inTest
	}
	d := analysis.Diagnostic{Pos: cancel.Pos(), End: cancel.End(), Category: label(category), Message: message}
	fn := enclosing.Function(at)
	ctx, ok := n.Lhs[0].(*ast.Ident)
	if ok && fn.Valid() && n.Tok == token.DEFINE && !c.inLoop(at, fn) && c.staysHere(ctx, fn) && (cancel.Name != "_" || !c.taken(fn, "cancel")) &&
		at.ParentEdgeKind() == edge.BlockStmt_List && !c.generated[c.pass.Fset.File(at.Node().Pos())] && !withCause(c.contextFunc(call)) {
		name := cancel.Name
		var edits []analysis.TextEdit
		if name == "_" {
			name = "cancel"
			edits = append(edits, analysis.TextEdit{Pos: cancel.Pos(), End: cancel.End(), NewText: []byte(name)})
		}
		d.SuggestedFixes = []analysis.SuggestedFix{{Message: "Defer the cancel function",
			TextEdits: append(edits, analysis.TextEdit{Pos: n.End(), End: n.End(), NewText: []byte("\ndefer " + name + "()")})}}
	}
	c.pass.Report(d)
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
		if len(n.Lhs) != 2 || len(n.Rhs) != 1 || n.End() > call.Pos() {
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
		if isError(t) {
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
