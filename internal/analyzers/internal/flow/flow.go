// Package flow answers two questions about control flow that rules share:
// whether a call comes back, and whether a loop can be left. It errs towards
// "yes" in both: a rule stays silent where it cannot be sure.
package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"
)

// MayReturn reports whether control may come back from call. It is false for
// panic, os.Exit and their like, and for methods of any type that by their
// name end the program or the test (Fatal, Fatalf, FailNow, SkipNow, …).
func MayReturn(info *types.Info, call *ast.CallExpr) bool {
	switch callee := typeutil.Callee(info, call).(type) {
	case *types.Builtin:
		return callee.Name() != "panic"
	case *types.Func:
		return !ends(callee)
	}
	return true
}

func ends(fn *types.Func) bool {
	name := fn.Name()
	if fn.Signature().Recv() != nil {
		return name == "FailNow" || name == "SkipNow" || name == "Skip" || name == "Skipf" ||
			strings.HasPrefix(name, "Fatal") || name == "Panic" || name == "Panicf" || name == "Panicln"
	}
	if fn.Pkg() == nil {
		return false
	}
	switch fn.Pkg().Path() {
	case "os", "syscall":
		return name == "Exit"
	case "runtime":
		return name == "Goexit"
	}
	return strings.HasPrefix(name, "Fatal") || strings.HasPrefix(name, "Panic") && fn.Pkg().Path() == "log"
}

// Endless reports whether the loop has no condition of its own that could end
// it and no statement in its body that leaves it. The loop is a *ast.ForStmt
// or *ast.RangeStmt; of a range it is the caller who knows that its operand
// never ends.
func Endless(info *types.Info, loop inspector.Cursor) bool {
	if f, ok := loop.Node().(*ast.ForStmt); ok && f.Cond != nil {
		return false
	}
	endless := true
	loop.Inspect([]ast.Node{
		(*ast.FuncLit)(nil), (*ast.ReturnStmt)(nil), (*ast.BranchStmt)(nil), (*ast.CallExpr)(nil),
	}, func(c inspector.Cursor) bool {
		switch n := c.Node().(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			endless = false
		case *ast.BranchStmt:
			if Leaves(n, c, loop) {
				endless = false
			}
		case *ast.CallExpr:
			if !MayReturn(info, n) {
				endless = false
			}
		}
		return endless
	})
	return endless
}

// Leaves reports whether the branch b, at c inside loop, leaves the loop.
func Leaves(b *ast.BranchStmt, c, loop inspector.Cursor) bool {
	label := ""
	if l, ok := loop.Parent().Node().(*ast.LabeledStmt); ok {
		label = l.Label.Name
	}
	switch {
	case b.Tok == token.GOTO:
		return true
	case b.Tok == token.FALLTHROUGH:
		return false
	case b.Label != nil:
		if b.Label.Name == label {
			return b.Tok == token.BREAK
		}
		// A label inside the loop is one of an inner statement.
		for outer := range c.Enclosing((*ast.LabeledStmt)(nil)) {
			if outer.Node().(*ast.LabeledStmt).Label.Name == b.Label.Name {
				return !loop.Contains(outer)
			}
		}
		return true
	case b.Tok == token.CONTINUE:
		return false
	}
	// An unlabelled break leaves the innermost of these.
	for outer := range c.Enclosing((*ast.ForStmt)(nil), (*ast.RangeStmt)(nil), (*ast.SelectStmt)(nil),
		(*ast.SwitchStmt)(nil), (*ast.TypeSwitchStmt)(nil)) {
		return outer == loop
	}
	return true
}

// Terminates reports whether control never runs off the end of list: its last
// statement returns, branches or calls what does not come back.
func Terminates(info *types.Info, list []ast.Stmt) bool {
	if len(list) == 0 {
		return false
	}
	switch s := list[len(list)-1].(type) {
	case *ast.ReturnStmt, *ast.BranchStmt:
		return true
	case *ast.BlockStmt:
		return Terminates(info, s.List)
	case *ast.ExprStmt:
		call, ok := ast.Unparen(s.X).(*ast.CallExpr)
		return ok && !MayReturn(info, call)
	case *ast.IfStmt:
		block, ok := s.Else.(*ast.BlockStmt)
		if !ok {
			elseIf, ok := s.Else.(*ast.IfStmt)
			return ok && Terminates(info, s.Body.List) && Terminates(info, []ast.Stmt{elseIf})
		}
		return Terminates(info, s.Body.List) && Terminates(info, block.List)
	}
	return false
}
