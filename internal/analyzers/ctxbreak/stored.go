package ctxbreak

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/fractl/fractl/internal/analyzers/internal/reach"
)

// checkStored looks at contexts that were made elsewhere and are passed on where
// one is in reach: by a function that makes a fresh one, and from variables of
// the package and unexported fields that never hold another, which are in held.
func (c *checker) checkStored(held map[*types.Var]string) {
	for call := range c.root.Preorder((*ast.CallExpr)(nil)) {
		fn := typeutil.StaticCallee(c.info, call.Node().(*ast.CallExpr))
		var fact makesFresh
		if fn != nil && fn.Pkg() != nil && c.pass.ImportObjectFact(fn.Origin(), &fact) {
			c.checkFresh(call, fact.Name)
		}
	}
	if len(held) == 0 {
		return
	}
	for id := range c.root.Preorder((*ast.Ident)(nil)) {
		v, ok := c.info.Uses[id.Node().(*ast.Ident)].(*types.Var)
		if !ok || held[v.Origin()] == "" {
			continue
		}
		use := id
		if id.ParentEdgeKind() == edge.SelectorExpr_Sel {
			use = id.Parent()
		}
		if use.ParentEdgeKind() == edge.CallExpr_Args {
			c.checkFresh(use, held[v.Origin()])
		}
	}
}

// freshVariables are the variables and fields all of whose values are fresh
// contexts, with the name of the function that makes them.
func (c *checker) freshVariables() map[*types.Var]string {
	held := make(map[*types.Var]string)
	other := make(map[*types.Var]bool)
	set := func(target ast.Expr, value ast.Expr) {
		var id *ast.Ident
		switch t := ast.Unparen(target).(type) {
		case *ast.Ident:
			id = t
		case *ast.SelectorExpr:
			id = t.Sel
		default:
			return
		}
		v, ok := c.info.ObjectOf(id).(*types.Var)
		if !ok || !reach.IsContext(v.Type()) || v.Pkg() != c.pass.Pkg || !v.IsField() && v.Parent() != c.pass.Pkg.Scope() || v.Exported() {
			return
		}
		name := ""
		if call, ok := ast.Unparen(value).(*ast.CallExpr); ok && value != nil {
			name = c.contextFunc(call)
		}
		if name != "Background" && name != "TODO" {
			other[v.Origin()] = true
			return
		}
		held[v.Origin()] = name
	}
	for n := range c.root.Preorder((*ast.AssignStmt)(nil), (*ast.ValueSpec)(nil), (*ast.KeyValueExpr)(nil), (*ast.UnaryExpr)(nil)) {
		switch s := n.Node().(type) {
		case *ast.AssignStmt:
			for i := range s.Lhs {
				var value ast.Expr
				if len(s.Rhs) == len(s.Lhs) {
					value = s.Rhs[i]
				}
				set(s.Lhs[i], value)
			}
		case *ast.ValueSpec:
			for i := range s.Names {
				if i < len(s.Values) {
					set(s.Names[i], s.Values[i])
				}
			}
		case *ast.KeyValueExpr:
			if id, ok := s.Key.(*ast.Ident); ok {
				set(id, s.Value)
			}
		case *ast.UnaryExpr:
			if s.Op == token.AND {
				set(s.X, nil) // its address is taken: anybody may set it
			}
		}
	}
	for v := range other {
		delete(held, v)
	}
	return held
}
