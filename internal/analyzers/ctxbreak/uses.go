package ctxbreak

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/fractl/fractl/internal/analyzers/internal/enclosing"
	"github.com/fractl/fractl/internal/analyzers/internal/reach"
	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
)

// uses follows a fresh context to the call that gets it: directly, through a
// child, or through one local variable. derived is where the variable is used.
// The zero Cursor says that it goes elsewhere, into a field for example, or that
// nothing can be said.
func (c *checker) uses(at inspector.Cursor, ctx reach.Context) (use inspector.Cursor, derived token.Pos) {
	var made inspector.Cursor // the last call that made a child
	for {
		at = enclosing.Parens(at)
		switch at.ParentEdgeKind() {
		case edge.CallExpr_Args:
			call := at.Parent()
			n := call.Node().(*ast.CallExpr)
			switch name := c.contextFunc(n); {
			case (name == "WithValue" || name == "" && reach.IsContext(c.info.TypeOf(n))) && c.carries(call, ctx):
				return inspector.Cursor{}, token.NoPos // detached, with what matters of the caller's
			case name == "" && reach.IsContext(c.info.TypeOf(n)):
				made = call // some other way to make a child
			case name == "" && givesContext(c.info.TypeOf(n)):
				return call, token.NoPos // with a span, say
			case name == "":
				return c.receiver(call, ctx), token.NoPos
			case at.ParentEdgeIndex() != 0:
				return inspector.Cursor{}, token.NoPos
			case name == "AfterFunc":
				return call, token.NoPos // it will never run
			case (name == "WithCancel" || name == "WithCancelCause") && !c.cancelDeferred(call):
				return inspector.Cursor{}, token.NoPos // with an end of its own
			case name == "WithValue":
				made = call
			}
			at = call // a child
		case edge.AssignStmt_Rhs, edge.ValueSpec_Values:
			if use, derived := c.usesOfVariable(at, ctx); use.Valid() {
				return use, derived
			}
			if made.Valid() && c.contextFunc(made.Node().(*ast.CallExpr)) == "" && c.replaces(at, ctx) {
				return made, token.NoPos
			}
			if fn := enclosing.Function(at); fn.Valid() && c.replaces(at, ctx) && within(ctx.Decl, enclosing.Type(fn)) {
				return c.usesOfParameter(at, fn, ctx)
			}
			return inspector.Cursor{}, token.NoPos
		case edge.ReturnStmt_Results:
			if fn := enclosing.Function(at); made.Valid() && !c.mentions(fn, ctx) {
				return made, token.NoPos // the caller's context is dropped
			}
			return inspector.Cursor{}, token.NoPos
		default:
			return inspector.Cursor{}, token.NoPos
		}
	}
}

// givesContext reports whether a context is among several results.
func givesContext(t types.Type) bool {
	tuple, ok := t.(*types.Tuple)
	if !ok {
		return false
	}
	for v := range tuple.Variables() {
		if reach.IsContext(v.Type()) {
			return true
		}
	}
	return false
}

// declaredBare reports whether a variable is declared without a value.
func (c *checker) declaredBare(v *types.Var, fn inspector.Cursor) bool {
	for at := range fn.Preorder((*ast.ValueSpec)(nil)) {
		spec := at.Node().(*ast.ValueSpec)
		for _, name := range spec.Names {
			if c.info.Defs[name] == v {
				return len(spec.Values) == 0
			}
		}
	}
	return false
}

// replaces reports whether an assigned value takes the place of the context in
// reach.
func (c *checker) replaces(value inspector.Cursor, ctx reach.Context) bool {
	if value.ParentEdgeKind() != edge.AssignStmt_Rhs {
		return false
	}
	n := value.Parent().Node().(*ast.AssignStmt)
	index := value.ParentEdgeIndex()
	if len(n.Lhs) != len(n.Rhs) {
		index = 0 // with its cancel function
	}
	id, ok := n.Lhs[index].(*ast.Ident)
	if !ok {
		return false
	}
	obj := c.info.ObjectOf(id)
	return obj != nil && obj.Pos() == ctx.Decl
}

// cancelDeferred reports whether the cancel function that a call gives is
// deferred in the same function: the child ends with it, and so goes nowhere
// that the caller's context could not.
func (c *checker) cancelDeferred(call inspector.Cursor) bool {
	n, ok := call.Parent().Node().(*ast.AssignStmt)
	if !ok || len(n.Lhs) != 2 {
		return false
	}
	id, ok := n.Lhs[1].(*ast.Ident)
	fn := enclosing.Function(call)
	if !ok || !fn.Valid() {
		return false
	}
	v := c.info.ObjectOf(id)
	for d := range fn.Preorder((*ast.DeferStmt)(nil)) {
		if enclosing.Function(d) != fn {
			continue
		}
		if fun, ok := d.Node().(*ast.DeferStmt).Call.Fun.(*ast.Ident); ok && v != nil && c.info.Uses[fun] == v {
			return true
		}
	}
	return false
}

// receiver is the call itself, unless it is one that nobody would give the
// caller's context. A function that has no other use for its context has
// forgotten it, even where what it starts goes on.
func (c *checker) receiver(call inspector.Cursor, ctx reach.Context) inspector.Cursor {
	n := call.Node().(*ast.CallExpr)
	name := c.calleeName(n)
	bounded := strings.HasSuffix(name, ".DialContext") || ctx.Expr != "" && ctx.Holder == ctx.Expr && !c.mentions(enclosing.Function(call), ctx)
	if tidiesUp(name) || !bounded && (outlives(name) || longLived(c.info.TypeOf(n))) || call.ParentEdgeKind() == edge.GoStmt_Call || call.ParentEdgeKind() == edge.DeferStmt_Call {
		return inspector.Cursor{}
	}
	if tv, ok := c.info.Types[call.Node().(*ast.CallExpr).Fun]; ok && tv.IsType() {
		return inspector.Cursor{} // a conversion
	}
	return call
}

// usesOfVariable finds the calls that get a variable which holds a fresh context:
// if all of them stand in the same function, it is the first.
func (c *checker) usesOfVariable(value inspector.Cursor, ctx reach.Context) (use inspector.Cursor, derived token.Pos) {
	none := inspector.Cursor{}
	var id *ast.Ident
	switch n := value.Parent().Node().(type) {
	case *ast.AssignStmt:
		index := value.ParentEdgeIndex()
		if len(n.Lhs) != len(n.Rhs) {
			index = 0
		}
		id, _ = n.Lhs[index].(*ast.Ident)
	case *ast.ValueSpec:
		index := value.ParentEdgeIndex()
		if len(n.Names) != len(n.Values) {
			index = 0
		}
		id = n.Names[index]
	}
	if id == nil || id.Name == "_" {
		return none, token.NoPos
	}
	v, ok := c.info.ObjectOf(id).(*types.Var)
	if !ok || v.IsField() || v.Parent() == c.pass.Pkg.Scope() {
		return none, token.NoPos
	}
	fn := enclosing.Function(value)
	if !fn.Valid() || v.Pos() < fn.Node().Pos() || isParameter(v, fn) {
		return none, token.NoPos // it outlives the function, or is what the caller gave
	}
	if c.info.Defs[id] == nil && !c.declaredBare(v, fn) {
		return none, token.NoPos // it was something else before
	}
	bound := c.cancelDeferred(value)
	for ref := range fn.Preorder((*ast.Ident)(nil)) {
		if ref.Node() == id || c.info.Uses[ref.Node().(*ast.Ident)] != v {
			continue
		}
		if enclosing.Function(ref) != fn && !bound {
			return none, token.NoPos // a goroutine or a stored function has it
		}
		at := enclosing.Parens(ref)
		switch at.ParentEdgeKind() {
		case edge.CallExpr_Args:
			call := at.Parent()
			if c.contextFunc(call.Node().(*ast.CallExpr)) != "" {
				if child, at := c.uses(ref, ctx); !use.Valid() && child.Valid() {
					use, derived = child, at
					continue
				}
				return none, token.NoPos // detached in a way of its own
			}
			if r := c.receiver(call, ctx); !use.Valid() && r.Valid() {
				use, derived = r, ref.Node().Pos()
			} else if !r.Valid() {
				return none, token.NoPos // detached for this, and so for the others
			}
		case edge.SelectorExpr_X:
		case edge.AssignStmt_Lhs:
			return none, token.NoPos // it is also something else
		default:
			return none, token.NoPos
		}
	}
	return use, derived
}

// isParameter reports whether a variable is a parameter or a named result.
func isParameter(v *types.Var, fn inspector.Cursor) bool {
	return within(v.Pos(), enclosing.Type(fn))
}

func within(pos token.Pos, n ast.Node) bool { return n.Pos() <= pos && pos < n.End() }

// usesOfParameter is the first call that gets the caller's context after a fresh
// one took its place.
func (c *checker) usesOfParameter(value, fn inspector.Cursor, ctx reach.Context) (use inspector.Cursor, derived token.Pos) {
	for ref := range fn.Preorder((*ast.Ident)(nil)) {
		obj := c.info.Uses[ref.Node().(*ast.Ident)]
		if obj == nil || obj.Pos() != ctx.Decl || ref.Node().Pos() < value.Node().End() || ref.ParentEdgeKind() != edge.CallExpr_Args {
			continue
		}
		if call := ref.Parent(); c.contextFunc(call.Node().(*ast.CallExpr)) == "" {
			return c.receiver(call, ctx), ref.Node().Pos()
		}
	}
	return inspector.Cursor{}, token.NoPos
}

// carries reports whether a call that makes a child of a fresh context gives it
// something of the caller's context, such as the trace.
func (c *checker) carries(call inspector.Cursor, ctx reach.Context) bool {
	fn := enclosing.Function(call)
	for _, arg := range call.Node().(*ast.CallExpr).Args {
		if c.comesFrom(arg, ctx, fn, 2) {
			return true
		}
	}
	return false
}

// comesFrom reports whether an expression has to do with the caller's context,
// directly or through variables of the function, so many deep.
func (c *checker) comesFrom(e ast.Node, ctx reach.Context, fn inspector.Cursor, deep int) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok || found {
			return !found
		}
		v, ok := c.info.Uses[id].(*types.Var)
		if !ok {
			return true
		}
		if v.Pos() == ctx.Decl {
			found = reach.IsContext(v.Type()) || c.readsValue(e)
			return !found
		}
		if deep == 0 || !fn.Valid() || v.IsField() {
			return true
		}
		for a := range fn.Preorder((*ast.AssignStmt)(nil)) {
			assign := a.Node().(*ast.AssignStmt)
			for i, lhs := range assign.Lhs {
				if def, ok := lhs.(*ast.Ident); !ok || c.info.Defs[def] != v {
					continue
				}
				value := assign.Rhs[min(i, len(assign.Rhs)-1)]
				found = found || c.comesFrom(value, ctx, fn, deep-1)
			}
		}
		return !found
	})
	return found
}

// readsValue reports whether a context or one of its values is asked for in an
// expression.
func (c *checker) readsValue(e ast.Node) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		if x, ok := n.(ast.Expr); ok && reach.IsContext(c.info.TypeOf(x)) {
			found = true
		}
		return !found
	})
	return found
}

// freshValue is the function of package context that a call of a variable is one
// of: mk := context.Background.
func (c *checker) freshValue(call *ast.CallExpr) string {
	id, ok := ast.Unparen(call.Fun).(*ast.Ident)
	if !ok || len(call.Args) > 0 || !reach.IsContext(c.info.TypeOf(call)) {
		return ""
	}
	v, ok := c.info.Uses[id].(*types.Var)
	if !ok {
		return ""
	}
	name := ""
	for at := range c.root.Preorder((*ast.AssignStmt)(nil), (*ast.ValueSpec)(nil)) {
		var value ast.Expr
		switch n := at.Node().(type) {
		case *ast.AssignStmt:
			for i, lhs := range n.Lhs {
				if def, ok := lhs.(*ast.Ident); ok && c.info.ObjectOf(def) == v && len(n.Lhs) == len(n.Rhs) {
					value = n.Rhs[i]
				}
			}
		case *ast.ValueSpec:
			for i, def := range n.Names {
				if c.info.Defs[def] == v && i < len(n.Values) {
					value = n.Values[i]
				}
			}
		}
		if value == nil {
			continue
		}
		sel, ok := ast.Unparen(value).(*ast.SelectorExpr)
		if !ok || !c.ofContext(sel) || name != "" && name != sel.Sel.Name {
			return ""
		}
		name = sel.Sel.Name
	}
	if name != "Background" && name != "TODO" {
		return ""
	}
	return name
}
