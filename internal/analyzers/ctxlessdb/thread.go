package ctxlessdb

import (
	"fmt"
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/fractl/fractl/internal/analyzers/internal/enclosing"
	"github.com/fractl/fractl/internal/analyzers/internal/reach"
)

// thread is the fix that gives a function a context parameter, passes it on to
// the database calls in it, and has every caller pass its own. It needs to see
// all callers, and each has to have a context: so the function is one that only
// this package can call, and is called and nothing else.
func (c *checker) thread(fn *types.Func) []analysis.SuggestedFix {
	decl, ok := c.declaration(fn)
	if !ok || fn.Exported() || c.isGenerated(decl.Node().Pos()) || c.mayImplement(fn) {
		return nil
	}
	n := decl.Node().(*ast.FuncDecl)
	pkgName := contextName(decl)
	if pkgName == "" || n.Body == nil || names(n, "ctx") {
		return nil
	}
	edits, ok := c.threadBody(decl)
	if !ok {
		return nil
	}
	param := "ctx " + pkgName + ".Context"
	if len(n.Type.Params.List) > 0 {
		param += ", "
	}
	edits = append(edits, analysis.TextEdit{Pos: n.Type.Params.Opening + 1, End: n.Type.Params.Opening + 1, NewText: []byte(param)})
	for id := range c.root.Preorder((*ast.Ident)(nil)) {
		used, ok := c.info.Uses[id.Node().(*ast.Ident)].(*types.Func)
		if !ok || used.Origin() != fn {
			continue
		}
		edit, ok := c.passOn(id, fn)
		if !ok {
			return nil
		}
		edits = append(edits, edit)
	}
	return []analysis.SuggestedFix{{Message: fmt.Sprintf("Give %s a context, and pass it on", fn.Name()), TextEdits: edits}}
}

func (c *checker) declaration(fn *types.Func) (inspector.Cursor, bool) {
	for d := range c.root.Preorder((*ast.FuncDecl)(nil)) {
		if c.info.Defs[d.Node().(*ast.FuncDecl).Name] == fn {
			return d, true
		}
	}
	return inspector.Cursor{}, false
}

// mayImplement reports whether a method may be there for an interface.
func (c *checker) mayImplement(fn *types.Func) bool {
	if fn.Signature().Recv() == nil {
		return false
	}
	scope := c.pass.Pkg.Scope()
	for _, name := range scope.Names() {
		if iface, ok := scope.Lookup(name).Type().Underlying().(*types.Interface); ok {
			for m := range iface.Methods() {
				if m.Name() == fn.Name() {
					return true
				}
			}
		}
	}
	return false
}

// contextName is what the file of a declaration calls package context, or "".
func contextName(at inspector.Cursor) string {
	for f := range at.Enclosing((*ast.File)(nil)) {
		for _, spec := range f.Node().(*ast.File).Imports {
			switch {
			case spec.Path.Value != `"context"`:
			case spec.Name == nil:
				return "context"
			case spec.Name.Name != "_" && spec.Name.Name != ".":
				return spec.Name.Name
			}
		}
	}
	return ""
}

// names reports whether a function has a use for a name already.
func names(fn *ast.FuncDecl, name string) bool {
	found := false
	ast.Inspect(fn, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Name == name {
			found = true
		}
		return !found
	})
	return found
}

// threadBody are the edits that pass a new parameter ctx on to the database calls
// of a function; ok is false where one cannot take it, or there is none.
func (c *checker) threadBody(decl inspector.Cursor) (edits []analysis.TextEdit, ok bool) {
	body, _ := enclosing.Body(decl)
	for sel := range body.Preorder((*ast.SelectorExpr)(nil)) {
		s := c.sinkOf(sel.Node().(*ast.SelectorExpr))
		if s == nil {
			continue
		}
		if isDeferred(sel) || isGo(sel) || enclosing.Function(sel) != decl {
			return nil, false
		}
		fix, ok := c.fix(sel, s, reach.Context{Expr: "ctx"})
		if !ok {
			return nil, false
		}
		edits = append(edits, fix.TextEdits...)
	}
	return edits, len(edits) > 0
}

// passOn is the edit that has one caller pass its context.
func (c *checker) passOn(id inspector.Cursor, fn *types.Func) (edit analysis.TextEdit, ok bool) {
	use := id
	if id.ParentEdgeKind() == edge.SelectorExpr_Sel {
		use = id.Parent()
	}
	if use.ParentEdgeKind() != edge.CallExpr_Fun {
		return edit, false
	}
	call := use.Parent()
	n := call.Node().(*ast.CallExpr)
	if callee, ok := typeutil.Callee(c.info, n).(*types.Func); !ok || callee.Origin() != fn {
		return edit, false
	}
	ctx, inReach := c.reach(call)
	if !inReach || ctx.Expr == "" || ctx.Nil || ctx.Outside || isDeferred(use) || isGo(use) || c.isGenerated(n.Pos()) {
		return edit, false
	}
	arg := ctx.Expr
	if len(n.Args) > 0 {
		arg += ", "
	}
	return analysis.TextEdit{Pos: n.Lparen + 1, End: n.Lparen + 1, NewText: []byte(arg)}, true
}
