package ctxlessdb

import (
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/fractl/fractl/internal/analyzers/internal/enclosing"
	"github.com/fractl/fractl/internal/analyzers/internal/reach"
)

// exempt reports whether the code at the cursor runs where nobody waits for it
// and no context is expected: in main, init or TestMain, in a package
// variable's initialiser, in what a sync.Once runs, or in a migration.
func (c *checker) exempt(at inspector.Cursor) bool {
	for f := enclosing.Function(at); f.Valid(); f = enclosing.Function(f) {
		switch n := f.Node().(type) {
		case *ast.FuncDecl:
			return enclosing.Starts(c.pass.Pkg, n) || c.isMigration(c.info.Defs[n.Name])
		case *ast.FuncLit:
			if enclosing.RunsOnce(c.info, f) || c.givenAsMigration(enclosing.Parens(f)) {
				return true
			}
			if reach.Yields(c.pass.Pkg, c.info, n.Type) {
				return false // a handler, wherever it is written down
			}
		}
	}
	return true
}

// isMigration reports whether a function of the package is given to a
// migration library somewhere.
func (c *checker) isMigration(fn types.Object) bool {
	if c.migrations == nil {
		c.migrations = make(map[types.Object]bool)
		for id := range c.root.Preorder((*ast.Ident)(nil)) {
			obj, ok := c.info.Uses[id.Node().(*ast.Ident)].(*types.Func)
			if !ok || obj.Pkg() != c.pass.Pkg {
				continue
			}
			use := id
			if id.ParentEdgeKind() == edge.SelectorExpr_Sel {
				use = id.Parent()
			}
			if c.givenAsMigration(enclosing.Parens(use)) {
				c.migrations[obj] = true
			}
		}
	}
	return c.migrations[fn]
}

// givenAsMigration reports whether a function value is an argument of a
// function, or an element of a literal of a type, that is about migrations by
// its name: goose.AddMigrationContext, &goose.GoFunc, gormigrate.Migration.
func (c *checker) givenAsMigration(use inspector.Cursor) bool {
	switch use.ParentEdgeKind() {
	case edge.CallExpr_Args:
		fn := typeutil.Callee(c.info, use.Parent().Node().(*ast.CallExpr))
		return fn != nil && strings.Contains(fn.Name(), "Migration")
	case edge.KeyValueExpr_Value, edge.CompositeLit_Elts:
		lit := use.Parent()
		if use.ParentEdgeKind() == edge.KeyValueExpr_Value {
			lit = lit.Parent()
		}
		if l, ok := lit.Node().(*ast.CompositeLit); ok {
			name := typeName(c.info.TypeOf(l))
			return strings.Contains(name, "Migration") || strings.HasSuffix(name, "goose.GoFunc")
		}
	}
	return false
}

// isDeferred reports whether the call at the cursor is deferred, or stands in a
// literal that is.
func isDeferred(at inspector.Cursor) bool {
	return launched(at, edge.DeferStmt_Call)
}

// isGo reports the same for go statements.
func isGo(at inspector.Cursor) bool {
	return launched(at, edge.GoStmt_Call)
}

func launched(at inspector.Cursor, by edge.Kind) bool {
	if at.ParentEdgeKind() == edge.CallExpr_Fun && at.Parent().ParentEdgeKind() == by {
		return true
	}
	for f := range at.Enclosing((*ast.FuncLit)(nil)) {
		use := enclosing.Parens(f)
		if use.ParentEdgeKind() == edge.CallExpr_Fun && use.Parent().ParentEdgeKind() == by {
			return true
		}
	}
	return false
}
