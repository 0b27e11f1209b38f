package main

import (
	"go/ast"
	"go/types"
	"strconv"

	"golang.org/x/tools/go/packages"
)

func inspect(n ast.Node, visit func(ast.Node)) {
	ast.Inspect(n, func(n ast.Node) bool {
		if n != nil {
			visit(n)
		}
		return true
	})
}

// imported is the name by which a file has a package, or "".
func imported(pkg *packages.Package, f *ast.File, path string) string {
	for _, i := range f.Imports {
		if p, err := strconv.Unquote(i.Path.Value); err != nil || p != path {
			continue
		}
		if i.Name != nil {
			return i.Name.Name
		}
		return path
	}
	return ""
}

// uses reports whether an expression is a variable.
func uses(pkg *packages.Package, e ast.Expr, obj types.Object) bool {
	id, ok := ast.Unparen(e).(*ast.Ident)
	return ok && pkg.TypesInfo.Uses[id] == obj
}

// locals are the variables that a function declares with a call of one of the
// functions, with where it does.
func locals(pkg *packages.Package, fn *ast.FuncDecl, names ...string) map[types.Object]ast.Node {
	found := make(map[types.Object]ast.Node)
	inspect(fn.Body, func(n ast.Node) {
		a, ok := n.(*ast.AssignStmt)
		if !ok || len(a.Lhs) != 1 || len(a.Rhs) != 1 {
			return
		}
		call, ok := a.Rhs[0].(*ast.CallExpr)
		id, ok2 := a.Lhs[0].(*ast.Ident)
		if !ok || !ok2 || pkg.TypesInfo.Defs[id] == nil {
			return
		}
		for _, name := range names {
			if types.ExprString(call.Fun) != name {
				continue
			}
			if _, isChan := pkg.TypesInfo.TypeOf(call).Underlying().(*types.Chan); name != "make" || isChan {
				found[pkg.TypesInfo.Defs[id]] = a
			}
		}
	})
	return found
}

// calls are the edits that drop the statements which are such a call. whole is
// false where one is part of something else.
func calls(pkg *packages.Package, fn *ast.FuncDecl, obj types.Object, is func(*ast.CallExpr) bool) (edits []edit, whole bool) {
	statements := make(map[*ast.CallExpr]ast.Stmt)
	inspect(fn.Body, func(n ast.Node) {
		switch n := n.(type) {
		case *ast.ExprStmt:
			if call, ok := n.X.(*ast.CallExpr); ok {
				statements[call] = n
			}
		case *ast.DeferStmt:
			statements[n.Call] = n
		}
	})
	whole = true
	inspect(fn.Body, func(n ast.Node) {
		call, ok := n.(*ast.CallExpr)
		if !ok || !is(call) {
			return
		}
		s, ok := statements[call]
		if !ok {
			whole = false
			return
		}
		edits = append(edits, span(pkg, s.Pos(), s.End(), "{}"))
	})
	return edits, whole
}
