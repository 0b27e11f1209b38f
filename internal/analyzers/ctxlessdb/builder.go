package ctxlessdb

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/fractl/fractl/internal/analyzers/internal/enclosing"
	"github.com/fractl/fractl/internal/analyzers/internal/reach"
)

// A session is a value that a database library is used through and that carries
// the context itself, as *gorm.DB: its methods take none, and WithContext gives
// another session that has one. Nearly all methods give a session that has what
// theirs has.

// finishers are the methods of sessions that go to the database.
var finishers = map[string]bool{
	"Create": true, "CreateInBatches": true, "Save": true, "First": true, "Take": true, "Last": true, "Find": true, "FindInBatches": true,
	"FirstOrInit": true, "FirstOrCreate": true, "Update": true, "Updates": true, "UpdateColumn": true, "UpdateColumns": true, "Delete": true,
	"Count": true, "Row": true, "Rows": true, "Scan": true, "Pluck": true, "Exec": true, "Begin": true, "Transaction": true,
}

// sessionOf is the named type of a session, or nil: WithContext gives the type
// itself, and one can begin, and commit or roll back.
func (c *checker) sessionOf(t types.Type) *types.Named {
	if t == nil {
		return nil
	}
	ptr, ok := types.Unalias(t).(*types.Pointer)
	if !ok {
		return nil
	}
	named, ok := types.Unalias(ptr.Elem()).(*types.Named)
	if !ok || !types.Identical(named, named.Origin()) {
		return nil
	}
	if is, known := c.sessions[named]; known {
		if is {
			return named
		}
		return nil
	}
	is := isSession(ptr)
	c.sessions[named] = is
	if is {
		return named
	}
	return nil
}

func isSession(t *types.Pointer) bool {
	with := lookupMethod(t, nil, "WithContext")
	if with == nil || !takesContext(with.Signature()) || with.Signature().Results().Len() != 1 || !types.Identical(with.Signature().Results().At(0).Type(), t) {
		return false
	}
	for _, name := range []string{"Begin", "Rollback", "Exec"} {
		fn := lookupMethod(t, nil, name)
		if fn == nil || takesContext(fn.Signature()) {
			return false
		}
	}
	return true
}

// carries says what is known of a session's context.
type carries int

const (
	unknown carries = iota
	without         // it has none
	with            // it has one
)

// checkSession reports a finisher of a session that has no context.
func (c *checker) checkSession(at inspector.Cursor) {
	call := at.Node().(*ast.CallExpr)
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || !finishers[sel.Sel.Name] {
		return
	}
	fn, ok := c.info.Uses[sel.Sel].(*types.Func)
	if !ok || c.sessionOf(c.info.TypeOf(sel.X)) == nil || takesContext(fn.Signature()) || methodSink(fn, c.info.TypeOf(sel.X), c.pass.Pkg) != nil {
		return
	}
	f := &flow{checker: c, seen: make(map[*types.Var]bool)}
	if f.of(sel.X, at) != without || f.base == nil {
		return
	}
	ctx, inReach := c.reach(at)
	if ctx.Nil || inReach && through(f.base, ctx) {
		return
	}
	fun := at.ChildAt(edge.CallExpr_Fun, -1)
	category := c.category(fun, ctx, inReach)
	if category == direct {
		category = session
	}
	name := fmt.Sprintf("(%s).%s", typeName(c.info.TypeOf(sel.X)), sel.Sel.Name)
	d := analysis.Diagnostic{
		Pos: sel.Sel.Pos(), End: sel.Sel.End(), Category: label(category),
		Message: fmt.Sprintf("%s is called without a context: nothing has called WithContext on %s", name, types.ExprString(f.base)),
	}
	if inReach {
		d.Message += "; " + c.inReach(ctx)
		d.Related = append(d.Related, analysis.RelatedInformation{Pos: ctx.Decl, Message: "the context in reach"})
		if f.base.Pos() < sel.Pos() || f.base.End() > sel.End() {
			d.Related = append(d.Related, analysis.RelatedInformation{Pos: f.base.Pos(), Message: "the session comes from here"})
		}
	}
	inPlace := sel.Pos() <= f.base.Pos() && f.base.End() <= sel.End()
	if ctx.Expr != "" && inReach && inPlace && (category == session || category == inTest) {
		d.SuggestedFixes = []analysis.SuggestedFix{{
			Message:   "Call WithContext with " + ctx.Expr,
			TextEdits: []analysis.TextEdit{{Pos: f.base.End(), End: f.base.End(), NewText: []byte(".WithContext(" + ctx.Expr + ")")}},
		}}
	} else if category == noContext {
		d.Related = append(d.Related, analysis.RelatedInformation{Pos: d.Pos, Message: "hint: give this function a context parameter"})
	} else {
		d.Related = append(d.Related, analysis.RelatedInformation{Pos: d.Pos, Message: "hint: call WithContext on the session first"})
	}
	c.pass.Report(d)
	if category == noContext || category == generated && !inReach {
		c.leaveFact(at, name, nil)
	}
}

// flow follows a session back to where it comes from.
type flow struct {
	*checker
	seen map[*types.Var]bool
	// base is the expression that the session begins with: a field or variable.
	base ast.Expr
}

// of says what is known of the session that an expression gives at a place.
func (f *flow) of(e ast.Expr, at inspector.Cursor) carries {
	switch e := ast.Unparen(e).(type) {
	case *ast.CallExpr:
		return f.ofCall(e, at)
	case *ast.SelectorExpr:
		v, ok := f.info.Uses[e.Sel].(*types.Var)
		if !ok {
			return unknown
		}
		f.base = e
		return f.ofShared(v)
	case *ast.Ident:
		v, ok := f.info.Uses[e].(*types.Var)
		if !ok {
			return unknown
		}
		if v.Parent() == f.pass.Pkg.Scope() {
			f.base = e
			return f.ofShared(v)
		}
		return f.ofLocal(v, e, at)
	}
	return unknown
}

// ofCall: WithContext gives one; a method that gives a session gives what it
// has; a function is known where it is this package's.
func (f *flow) ofCall(call *ast.CallExpr, at inspector.Cursor) carries {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || f.sessionOf(f.info.TypeOf(sel.X)) == nil {
		return unknown
	}
	if fn, ok := f.info.Uses[sel.Sel].(*types.Func); !ok || takesContext(fn.Signature()) {
		return with
	}
	for _, arg := range call.Args {
		// Session(&gorm.Session{Context: ctx}), and scopes that may do anything.
		switch t := f.info.TypeOf(arg).Underlying().(type) {
		case *types.Signature:
			if sel.Sel.Name == "Scopes" {
				return unknown
			}
		case *types.Pointer:
			if lit, ok := literal(arg); ok {
				if hasKey(lit, "Context") {
					return with
				}
			} else if _, isStruct := t.Elem().Underlying().(*types.Struct); isStruct && sel.Sel.Name == "Session" {
				return unknown
			}
		}
	}
	return f.of(sel.X, at)
}

func literal(e ast.Expr) (*ast.CompositeLit, bool) {
	if u, ok := ast.Unparen(e).(*ast.UnaryExpr); ok && u.Op == token.AND {
		lit, ok := ast.Unparen(u.X).(*ast.CompositeLit)
		return lit, ok
	}
	return nil, false
}

func hasKey(lit *ast.CompositeLit, name string) bool {
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if id, ok := kv.Key.(*ast.Ident); ok && id.Name == name {
				return true
			}
		}
	}
	return false
}

// ofShared is what is known of a field or a variable of a package. It holds a
// session for all, unless this package gives it one with a context, or hands out
// its struct in a literal with such a one.
func (f *flow) ofShared(v *types.Var) carries {
	if f.seen[v] {
		return without
	}
	f.seen[v] = true
	if strings.Contains(strings.ToLower(v.Name()), "tx") || v.Name() == "Statement" {
		return unknown // of one transaction
	}
	base := f.base
	defer func() { f.base = base }()
	for _, value := range f.assigned(v) {
		if is := f.of(value.Node().(ast.Expr), value); is == with || is == unknown && !f.opens(value) {
			return is
		}
	}
	return without
}

// opens reports whether a value is what a call that opens a database gives, or a
// parameter of a constructor.
func (f *flow) opens(value inspector.Cursor) bool {
	switch e := ast.Unparen(value.Node().(ast.Expr)).(type) {
	case *ast.CallExpr:
		for _, arg := range e.Args {
			if reach.IsContext(f.info.TypeOf(arg)) {
				return false
			}
		}
		return f.sessionOf(receiverType(f.info, e)) == nil
	case *ast.Ident:
		v, ok := f.info.Uses[e].(*types.Var)
		fn := enclosing.Function(value)
		if !ok || !fn.Valid() {
			return ok
		}
		decl, isDecl := fn.Node().(*ast.FuncDecl)
		return isDecl && decl.Recv == nil && isParameter(v, fn)
	}
	return false
}

// opened reports whether an expression is the call of a function, not of a
// method, that is given no context.
func (f *flow) opened(e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok || receiverType(f.info, call) != nil {
		return false
	}
	for _, arg := range call.Args {
		if reach.IsContext(f.info.TypeOf(arg)) || f.sessionOf(f.info.TypeOf(arg)) != nil {
			return false
		}
	}
	_, isConversion := f.info.Types[call.Fun]
	return !isConversion || !f.info.Types[call.Fun].IsType()
}

func receiverType(info *types.Info, call *ast.CallExpr) types.Type {
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
		if _, isValue := info.Selections[sel]; isValue {
			return info.TypeOf(sel.X)
		}
	}
	return nil
}

func isParameter(v *types.Var, fn inspector.Cursor) bool {
	typ := enclosing.Type(fn)
	return typ.Pos() <= v.Pos() && v.Pos() < typ.End()
}

// ofLocal is what is known of a local variable: of all values that it is given
// in the function. The parameter of a function given to Transaction has what the
// session has that begins it; any other parameter is its caller's business.
func (f *flow) ofLocal(v *types.Var, use *ast.Ident, at inspector.Cursor) carries {
	if f.seen[v] {
		return without
	}
	f.seen[v] = true
	for fn := enclosing.Function(at); fn.Valid(); fn = enclosing.Function(fn) {
		if !isParameter(v, fn) {
			continue
		}
		outer := enclosing.Parens(fn)
		if outer.ParentEdgeKind() != edge.CallExpr_Args {
			return unknown
		}
		call := outer.Parent().Node().(*ast.CallExpr)
		sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
		if !ok || f.sessionOf(f.info.TypeOf(sel.X)) == nil || sel.Sel.Name != "Transaction" && sel.Sel.Name != "Connection" {
			return unknown
		}
		is := f.of(sel.X, outer.Parent())
		if is == without {
			return unknown // told at the call of Transaction
		}
		return is
	}
	values := f.assigned(v)
	if len(values) == 0 {
		return unknown
	}
	for _, value := range values {
		e := value.Node().(ast.Expr)
		if is := f.of(e, value); is == with || is == unknown && !f.opened(e) {
			return is
		}
	}
	if f.base == nil {
		f.base = use
	}
	return without
}

// assigned are the values that the package gives a variable or field. A value
// among several results is no session that could be followed.
func (f *flow) assigned(v *types.Var) []inspector.Cursor {
	if f.values == nil {
		f.values = make(map[*types.Var][]inspector.Cursor)
		f.collectValues()
	}
	return f.values[v.Origin()]
}

func (c *checker) collectValues() {
	add := func(target ast.Expr, value inspector.Cursor) {
		var id *ast.Ident
		switch t := ast.Unparen(target).(type) {
		case *ast.Ident:
			id = t
		case *ast.SelectorExpr:
			id = t.Sel
		default:
			return
		}
		if v, ok := c.info.ObjectOf(id).(*types.Var); ok && c.sessionOf(v.Type()) != nil {
			c.values[v.Origin()] = append(c.values[v.Origin()], value)
		}
	}
	for n := range c.root.Preorder((*ast.AssignStmt)(nil), (*ast.ValueSpec)(nil), (*ast.KeyValueExpr)(nil)) {
		switch s := n.Node().(type) {
		case *ast.AssignStmt:
			for i := range s.Lhs {
				value := n.ChildAt(edge.AssignStmt_Rhs, min(i, len(s.Rhs)-1))
				add(s.Lhs[i], value)
			}
		case *ast.ValueSpec:
			for i := range s.Names {
				if len(s.Values) > 0 {
					add(s.Names[i], n.ChildAt(edge.ValueSpec_Values, min(i, len(s.Values)-1)))
				}
			}
		case *ast.KeyValueExpr:
			if id, ok := s.Key.(*ast.Ident); ok {
				if v, ok := c.info.Uses[id].(*types.Var); ok && v.IsField() {
					add(id, n.ChildAt(edge.KeyValueExpr_Value, -1))
				}
			}
		}
	}
}
