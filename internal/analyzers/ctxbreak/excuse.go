package ctxbreak

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/fractl/fractl/internal/analyzers/internal/enclosing"
	"github.com/fractl/fractl/internal/analyzers/internal/reach"
)

// excused reports whether a fresh context is plainly meant at a place, although
// ctx is in reach.
func (c *checker) excused(at inspector.Cursor, ctx reach.Context) bool {
	pos := c.pass.Fset.Position(at.Node().Pos())
	if c.detached[pos.Filename][pos.Line] {
		return true
	}
	fn := enclosing.Function(at)
	if !fn.Valid() {
		return true
	}
	for f := fn; f.Valid(); f = enclosing.Function(f) {
		decl, ok := f.Node().(*ast.FuncDecl)
		if ok && (c.lifecycle(f, ctx) || enclosing.Starts(c.pass.Pkg, decl)) {
			return true
		}
		if !ok && launched(f) && (deferred(f) || !c.mentions(f, ctx) && !c.awaited(f)) {
			return true
		}
	}
	return c.afterTheEnd(at)
}

// lifecycleNames are those of methods whose context bounds the call and not what
// it starts.
var lifecycleNames = []string{"Start", "Run", "Serve", "Shutdown", "Stop", "Close", "OnStart", "OnStop", "Listen", "ListenAndServe", "Init", "Open"}

// endNames are those whose context is a limit for what they do.
var endNames = []string{"Shutdown", "Stop", "Close", "OnStop"}

// lifecycle reports whether a function has such a name. One that ends something
// and has no use for its context at all has forgotten it.
func (c *checker) lifecycle(fn inspector.Cursor, ctx reach.Context) bool {
	name := fn.Node().(*ast.FuncDecl).Name.Name
	return slices.Contains(lifecycleNames, name) && (!slices.Contains(endNames, name) || ctx.Expr == "" || c.mentions(fn, ctx))
}

// mentions reports whether a function uses the context: then it is not detached
// from it.
func (c *checker) mentions(fn inspector.Cursor, ctx reach.Context) bool {
	body, ok := enclosing.Body(fn)
	if !ok {
		return false
	}
	if ctx.Expr != "" && ctx.Holder != ctx.Expr {
		// It is yielded by something that has other uses: r.Context().
		for sel := range body.Preorder((*ast.SelectorExpr)(nil)) {
			if types.ExprString(sel.Node().(*ast.SelectorExpr)) == strings.TrimSuffix(ctx.Expr, "()") {
				return true
			}
		}
		return false
	}
	for id := range body.Preorder((*ast.Ident)(nil)) {
		if obj := c.info.Uses[id.Node().(*ast.Ident)]; obj != nil && obj.Pos() == ctx.Decl {
			return true
		}
	}
	return false
}

// attached reports whether what is between a place and the function that has the
// context is a goroutine which uses it itself or is waited for, or a literal that
// is only called.
func (c *checker) attached(at inspector.Cursor, ctx reach.Context) bool {
	lit := enclosing.Function(at)
	if !lit.Valid() || lit.Node().Pos() <= ctx.Decl {
		return false
	}
	return launched(lit) && !deferred(lit) && (c.mentions(lit, ctx) || c.awaited(lit)) || c.onlyCalled(lit)
}

// awaited reports whether a literal is given to the method Go of a group whose Wait
// the same function calls.
func (c *checker) awaited(lit inspector.Cursor) bool {
	use := enclosing.Parens(lit)
	if use.ParentEdgeKind() != edge.CallExpr_Args {
		return false
	}
	group, ok := c.methodOf(use.Parent().Node().(*ast.CallExpr), "Go")
	fn := enclosing.Function(lit)
	if !ok || !fn.Valid() {
		return false
	}
	for call := range fn.Preorder((*ast.CallExpr)(nil)) {
		if v, ok := c.methodOf(call.Node().(*ast.CallExpr), "Wait"); ok && v == group && enclosing.Function(call) == fn {
			return true
		}
	}
	return false
}

// methodOf is the variable whose method of that name a call calls.
func (c *checker) methodOf(call *ast.CallExpr, name string) (types.Object, bool) {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != name {
		return nil, false
	}
	id, ok := ast.Unparen(sel.X).(*ast.Ident)
	if !ok {
		return nil, false
	}
	v, ok := c.info.Uses[id].(*types.Var)
	return v, ok
}

// onlyCalled reports whether a literal is kept in a variable of the function around
// it, which is there to be called and for nothing else.
func (c *checker) onlyCalled(lit inspector.Cursor) bool {
	lit = enclosing.Parens(lit)
	fn := enclosing.Function(lit)
	if lit.ParentEdgeKind() != edge.AssignStmt_Rhs || !fn.Valid() {
		return false
	}
	assign := lit.Parent().Node().(*ast.AssignStmt)
	if assign.Tok != token.DEFINE || len(assign.Lhs) != len(assign.Rhs) {
		return false
	}
	v := c.info.Defs[assign.Lhs[lit.ParentEdgeIndex()].(*ast.Ident)]
	called := false
	for ref := range fn.Preorder((*ast.Ident)(nil)) {
		if v == nil || c.info.Uses[ref.Node().(*ast.Ident)] != v {
			continue
		}
		ref = enclosing.Parens(ref)
		if ref.ParentEdgeKind() != edge.CallExpr_Fun || enclosing.Function(ref) != fn {
			return false
		}
		switch ref.Parent().ParentEdgeKind() {
		case edge.GoStmt_Call, edge.DeferStmt_Call:
			return false
		}
		called = true
	}
	return called
}

// launched reports whether a literal is deferred or run by a go statement, is an
// argument of a call that is, or is given to a method Go, as that of a group of
// goroutines.
func launched(lit inspector.Cursor) bool {
	use := enclosing.Parens(lit)
	if use.ParentEdgeKind() != edge.CallExpr_Fun && use.ParentEdgeKind() != edge.CallExpr_Args {
		return false
	}
	if sel, ok := use.Parent().Node().(*ast.CallExpr).Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Go" {
		return true
	}
	kind := use.Parent().ParentEdgeKind()
	return kind == edge.DeferStmt_Call || kind == edge.GoStmt_Call
}

// deferred reports whether a literal is what a defer statement calls: the context
// may be over when it runs.
func deferred(lit inspector.Cursor) bool {
	use := enclosing.Parens(lit)
	return use.ParentEdgeKind() == edge.CallExpr_Fun && use.Parent().ParentEdgeKind() == edge.DeferStmt_Call
}

// tidyWords are in the names of functions that must do their work whatever has
// become of the caller.
var tidyWords = []string{"unlock", "release", "rollback", "close", "cleanup", "abort", "revoke", "stop", "shutdown", "cancel", "flush", "destroy", "terminate", "disconnect", "logout", "deregister", "unregister", "unsubscribe", "kill", "remove", "teardown"}

func tidiesUp(name string) bool { return hasWord(name, tidyWords) }

// hasWord reports whether one of the words that the last part of a name is made
// of is in the list: Watch is one of StartWatch, not of Stopwatch.
func hasWord(name string, list []string) bool {
	name = name[strings.LastIndexByte(name, '.')+1:]
	start := 0
	for i := 1; i <= len(name); i++ {
		upper := i < len(name) && 'A' <= name[i] && name[i] <= 'Z'
		if i < len(name) && !upper && name[i] != '_' {
			continue
		}
		if upper && 'A' <= name[i-1] && name[i-1] <= 'Z' && (i+1 == len(name) || 'A' <= name[i+1] && name[i+1] <= 'Z') {
			continue // HTTP
		}
		if slices.Contains(list, strings.ToLower(strings.Trim(name[start:i], "_"))) {
			return true
		}
		start = i
	}
	return false
}

// startWords are in the names of functions that start what goes on after them.
var startWords = []string{"start", "monitor", "watch", "listen", "serve", "spawn", "background", "async", "exit", "daemon", "dial", "connect"}

func outlives(name string) bool { return hasWord(name, startWords) }

// longLived reports whether a result is something that is closed one day, such as
// a connection or a listener: a context that made it may be its end. What a
// database gives serves the caller, and so does what is read through.
func longLived(t types.Type) bool {
	if tuple, ok := t.(*types.Tuple); ok {
		for v := range tuple.Variables() {
			if longLived(v.Type()) {
				return true
			}
		}
		return false
	}
	if ofDatabase(t) || hasMethod(t, "Next") {
		return false
	}
	for _, name := range [...]string{"Close", "Stop", "Shutdown"} {
		if hasMethod(t, name) {
			return true
		}
	}
	return false
}

func hasMethod(t types.Type, name string) bool {
	obj, _, _ := types.LookupFieldOrMethod(t, true, nil, name)
	_, ok := obj.(*types.Func)
	return ok
}

// ofDatabase reports whether a type is one of database/sql, or embeds one.
func ofDatabase(t types.Type) bool {
	if named, ok := types.Unalias(deref(t)).(*types.Named); ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "database/sql" {
		return true
	}
	s, ok := deref(t).Underlying().(*types.Struct)
	if !ok {
		return false
	}
	for f := range s.Fields() {
		if named, ok := types.Unalias(deref(f.Type())).(*types.Named); ok && f.Embedded() && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "database/sql" {
			return true
		}
	}
	return false
}

func deref(t types.Type) types.Type {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		return p.Elem()
	}
	return t
}
