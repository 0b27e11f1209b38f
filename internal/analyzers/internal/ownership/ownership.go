// Package ownership follows a value that must be released (a timer stopped, a
// channel closed) through the one variable that holds it, and says whether a
// path leads out of the function on which nobody released it.
//
// It is conservative: a use that it cannot follow makes the value escape, and
// of a value that escapes nothing is said.
package ownership

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/fractl/fractl/internal/analyzers/internal/enclosing"
)

// Effect is what one use of a variable does to the value in it.
type Effect int

const (
	// Reads looks at the value and leaves it to its owner.
	Reads Effect = iota
	// Releases ends it, then and there.
	Releases
	// Escapes hands it to somebody who may release it.
	Escapes
)

// Classifier knows the operations of the value's type.
type Classifier struct {
	// Select is asked about v.Name: a method called or taken as a value, or a
	// field. sel is the cursor of the selector expression.
	Select func(sel inspector.Cursor) Effect
	// Arg is asked about v as an argument; nil means Escapes.
	Arg func(call *ast.CallExpr, i int) Effect
	// Calls: v is a function, and v() releases.
	Calls bool
}

// Fate is what a function does with a variable's value.
type Fate struct {
	// Escapes: somebody else may release it; nothing more is known.
	Escapes bool
	// Handed are the nodes at which it escapes: the use, or the outermost
	// function literal around it.
	Handed []ast.Node
	// Releases are the nodes of the function at which it is released: calls,
	// defer statements, receives.
	Releases []ast.Node
	// AtEnd are defer statements whose literal releases what the variable holds when
	// the function ends.
	AtEnd []ast.Node
	// Overwrites are the assignments to the variable, its declaration
	// included.
	Overwrites []ast.Node
}

// Follow sorts all uses of v inside body, the body of the function that
// declares v (or has it as a parameter).
func Follow(info *types.Info, v *types.Var, body inspector.Cursor, c Classifier) Fate {
	var f Fate
	for id := range body.Preorder((*ast.Ident)(nil)) {
		ident := id.Node().(*ast.Ident)
		if info.Defs[ident] == v || info.Uses[ident] == v {
			f.use(info, id, body, c)
		}
	}
	return f
}

func (f *Fate) use(info *types.Info, id, body inspector.Cursor, c Classifier) {
	use := enclosing.Parens(id)
	parent := use.Parent()
	effect, node := Escapes, use.Node()
	switch kind, index := use.ParentEdge(); kind {
	case edge.AssignStmt_Lhs, edge.ValueSpec_Names:
		if _, nested := functionOf(use, body); nested {
			break // set by a closure, at a time that nobody knows
		}
		f.Overwrites = append(f.Overwrites, parent.Node())
		return
	case edge.CallExpr_Fun:
		if c.Calls {
			effect, node = Releases, parent.Node()
		}
	case edge.SelectorExpr_X:
		if c.Select == nil {
			break
		}
		effect, node = c.Select(parent), enclosing.Parens(parent).Parent().Node()
	case edge.CallExpr_Args:
		if c.Arg != nil {
			effect, node = c.Arg(parent.Node().(*ast.CallExpr), index), parent.Node()
		}
	case edge.BinaryExpr_X, edge.BinaryExpr_Y:
		effect = Reads
	case edge.AssignStmt_Rhs:
		assign := parent.Node().(*ast.AssignStmt)
		if len(assign.Lhs) == len(assign.Rhs) && isBlank(assign.Lhs[index]) {
			effect = Reads
		}
	}
	if effect == Reads {
		return
	}
	lit, nested := outermost(use, body)
	if nested && unread(info, lit) {
		return // nothing calls the literal
	}
	if use.ParentEdgeKind() == edge.SelectorExpr_X && unread(info, parent) {
		return // a method value that nothing calls
	}
	if effect == Releases {
		at, nested := functionOf(use, body)
		if !nested {
			f.Releases = append(f.Releases, node)
			return
		}
		// defer func() { v.Release() }() releases where it stands; any other
		// closure releases at a time that nobody knows.
		if at != nil {
			f.Releases = append(f.Releases, at)
			if d, ok := at.(*ast.DeferStmt); ok {
				f.AtEnd = append(f.AtEnd, d)
			}
			return
		}
	}
	f.Escapes = true
	if nested {
		node = lit.Node()
	}
	f.Handed = append(f.Handed, node)
}

// outermost is the outermost function literal around use inside body.
func outermost(use, body inspector.Cursor) (lit inspector.Cursor, ok bool) {
	for l := range use.Enclosing((*ast.FuncLit)(nil)) {
		if !body.Contains(l) || l == body {
			break
		}
		lit, ok = l, true
	}
	return lit, ok
}

// unread reports whether a function goes to a variable that nothing reads, but
// for "_ = v", which is there for the compiler.
func unread(info *types.Info, value inspector.Cursor) bool {
	value = enclosing.Parens(value)
	if value.ParentEdgeKind() != edge.AssignStmt_Rhs {
		return false
	}
	assign := value.Parent().Node().(*ast.AssignStmt)
	if len(assign.Lhs) != len(assign.Rhs) || assign.Tok != token.DEFINE {
		return false
	}
	id, ok := assign.Lhs[value.ParentEdgeIndex()].(*ast.Ident)
	if !ok {
		return false
	}
	v := info.Defs[id]
	fn := enclosing.Function(value)
	if v == nil || !fn.Valid() {
		return id.Name == "_"
	}
	for ref := range fn.Preorder((*ast.Ident)(nil)) {
		if info.Uses[ref.Node().(*ast.Ident)] != v {
			continue
		}
		ref = enclosing.Parens(ref)
		if ref.ParentEdgeKind() != edge.AssignStmt_Rhs {
			return false
		}
		a := ref.Parent().Node().(*ast.AssignStmt)
		if len(a.Lhs) != len(a.Rhs) || !isBlank(a.Lhs[ref.ParentEdgeIndex()]) {
			return false
		}
	}
	return true
}

// functionOf reports whether use stands in a function literal inside body; at
// is the defer statement that runs the literal, or the call that does so on
// the spot, nil where neither does.
func functionOf(use, body inspector.Cursor) (at ast.Node, nested bool) {
	for lit := range use.Enclosing((*ast.FuncLit)(nil)) {
		if !body.Contains(lit) || lit == body {
			break
		}
		at, nested = nil, true
		lit = enclosing.Parens(lit)
		if lit.ParentEdgeKind() != edge.CallExpr_Fun {
			return nil, true
		}
		switch call := lit.Parent(); call.ParentEdgeKind() {
		case edge.GoStmt_Call:
			return nil, true
		case edge.DeferStmt_Call:
			at = call.Parent().Node()
		default:
			at = call.Node()
		}
	}
	return at, nested
}

func isBlank(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == "_"
}

// IsNilTest reports whether cond is v == nil or v != nil; equal tells which.
func IsNilTest(info *types.Info, cond ast.Expr, v *types.Var) (equal, ok bool) {
	b, isBinary := ast.Unparen(cond).(*ast.BinaryExpr)
	if !isBinary || b.Op != token.EQL && b.Op != token.NEQ {
		return false, false
	}
	x, y := ast.Unparen(b.X), ast.Unparen(b.Y)
	if info.Types[x].IsNil() {
		x, y = y, x
	}
	id, isIdent := x.(*ast.Ident)
	return b.Op == token.EQL, isIdent && info.Uses[id] == v && info.Types[y].IsNil()
}
