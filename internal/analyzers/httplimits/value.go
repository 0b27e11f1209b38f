package httplimits

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/fractl/fractl/internal/analyzers/internal/enclosing"
)

// value is a server, client or transport that is made: by a literal, by new, or by
// a declaration without a value.
type value struct {
	typ      string // its name in net/http
	at       inspector.Cursor
	elts     []ast.Expr
	pos, end token.Pos // what is marked of it
}

// limited are the types of net/http that have limits to set.
var limited = map[string]bool{"Server": true, "Client": true, "Transport": true}

// values are those that the package makes.
func (c *checker) values() []value {
	var list []value
	for at := range c.root.Preorder((*ast.CompositeLit)(nil), (*ast.CallExpr)(nil), (*ast.ValueSpec)(nil)) {
		switch n := at.Node().(type) {
		case *ast.CompositeLit:
			if typ := c.httpType(c.info.TypeOf(n)); limited[typ] {
				list = append(list, value{typ, at, n.Elts, n.Pos(), head(n)})
			}
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok && len(n.Args) == 1 && c.info.Types[n.Fun].IsBuiltin() && id.Name == "new" && c.info.Types[n.Args[0]].IsType() {
				if typ := c.httpType(c.info.TypeOf(n.Args[0])); limited[typ] {
					list = append(list, value{typ, at, nil, n.Pos(), n.End()})
				}
			}
		case *ast.ValueSpec:
			if n.Type == nil || len(n.Values) > 0 || len(n.Names) != 1 {
				continue
			}
			named, ok := types.Unalias(c.info.TypeOf(n.Type)).(*types.Named)
			if ok && limited[c.httpType(named)] && c.isUsed(n.Names[0]) {
				list = append(list, value{c.httpType(named), at, nil, n.Pos(), n.End()})
			}
		}
	}
	return list
}

// isUsed reports whether a declared variable is used as it is, and not assigned as
// a whole.
func (c *checker) isUsed(name *ast.Ident) bool {
	v := c.info.Defs[name]
	for id := range c.root.Preorder((*ast.Ident)(nil)) {
		if c.info.Uses[id.Node().(*ast.Ident)] != v {
			continue
		}
		switch id.ParentEdgeKind() {
		case edge.AssignStmt_Lhs:
			return false
		case edge.UnaryExpr_X:
			if id.Parent().ParentEdgeKind() == edge.CallExpr_Args {
				return false // something is read into it
			}
		}
	}
	return v != nil
}

func isStruct(t types.Type) bool {
	if t == nil {
		return false
	}
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	_, ok := t.Underlying().(*types.Struct)
	return ok
}

// borrows is the fact of a function that sets nothing of some of its parameters
// which are servers, clients or transports.
type borrows struct{ Params []int }

func (*borrows) AFact() {}

func (f *borrows) String() string { return fmt.Sprint("borrows", f.Params) }

// exportBorrows leaves that fact.
func (c *checker) exportBorrows() {
	for at := range c.root.Preorder((*ast.FuncDecl)(nil)) {
		fn, ok := c.info.Defs[at.Node().(*ast.FuncDecl).Name].(*types.Func)
		if !ok || at.Node().(*ast.FuncDecl).Body == nil {
			continue
		}
		var fact borrows
		for i := range fn.Signature().Params().Len() {
			p := fn.Signature().Params().At(i)
			if limited[c.httpType(p.Type())] && len(c.set[p]) == 0 && !c.mayBeSet(p, make(map[*types.Var]bool)) {
				fact.Params = append(fact.Params, i)
			}
		}
		if len(fact.Params) > 0 {
			c.pass.ExportObjectFact(fn, &fact)
		}
	}
}

func (c *checker) borrowed(fn *types.Func, i int) bool {
	var fact borrows
	return c.pass.ImportObjectFact(fn.Origin(), &fact) && slices.Contains(fact.Params, i)
}

// fields are the fields that a value is made with, other than zero, and those that
// are assigned later. known is false where the value goes to code that may
// assign more.
func (c *checker) fields(v value) (fields map[string]bool, known bool) {
	fields = make(map[string]bool)
	for _, e := range v.elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return nil, false // by position: everything has a value
		}
		key, ok := kv.Key.(*ast.Ident)
		if tv := c.info.Types[kv.Value]; ok && (tv.Value == nil || constant.Sign(numeric(tv.Value)) != 0) {
			fields[key.Name] = true
		}
	}
	holder, known := c.holder(v.at)
	for name := range c.set[holder] {
		fields[name] = true
	}
	return fields, known
}

// head is the end of what is marked of a literal: its type or, where that is
// left out in a list, its brace.
func head(lit *ast.CompositeLit) token.Pos {
	if lit.Type != nil {
		return lit.Type.End()
	}
	return lit.Lbrace + 1
}

// numeric is a constant as a number; 1 where it is none.
func numeric(v constant.Value) constant.Value {
	if v.Kind() == constant.Int || v.Kind() == constant.Float {
		return v
	}
	return constant.MakeInt64(1)
}

// holder is the variable or field that gets a value. known is false where it
// goes elsewhere: it is returned, or an argument.
func (c *checker) holder(made inspector.Cursor) (obj types.Object, known bool) {
	if spec, ok := made.Node().(*ast.ValueSpec); ok {
		obj = c.info.Defs[spec.Names[0]]
		return obj, !c.givenAway(obj)
	}
	at := enclosing.Parens(made)
	if at.ParentEdgeKind() == edge.UnaryExpr_X {
		at = enclosing.Parens(at.Parent())
	}
	var target ast.Expr
	switch at.ParentEdgeKind() {
	case edge.AssignStmt_Rhs:
		a := at.Parent().Node().(*ast.AssignStmt)
		if len(a.Lhs) != len(a.Rhs) {
			return nil, false
		}
		target = a.Lhs[at.ParentEdgeIndex()]
	case edge.ValueSpec_Values:
		s := at.Parent().Node().(*ast.ValueSpec)
		if len(s.Names) != len(s.Values) {
			return nil, false
		}
		target = s.Names[at.ParentEdgeIndex()]
	case edge.KeyValueExpr_Value:
		if lit := at.Parent().Parent(); !isStruct(c.info.TypeOf(lit.Node().(*ast.CompositeLit))) {
			return c.holder(lit)
		}
		key, ok := at.Parent().Node().(*ast.KeyValueExpr).Key.(*ast.Ident)
		if !ok {
			return nil, true
		}
		obj = c.info.Uses[key]
		return obj, !c.givenAway(obj)
	case edge.CompositeLit_Elts:
		if lit := at.Parent(); !isStruct(c.info.TypeOf(lit.Node().(*ast.CompositeLit))) {
			return c.holder(lit) // that of the list
		}
		return nil, true
	case edge.SelectorExpr_X:
		return nil, true // used on the spot
	case edge.CallExpr_Args:
		return nil, false
	case edge.ReturnStmt_Results:
		return nil, true // whoever gets it rarely adds limits
	default:
		return nil, true
	}
	obj = c.object(target)
	return obj, !c.givenAway(obj)
}

// givenAway reports whether a variable or a field is an argument of a call that may
// set its fields: of anything but package net/http, what has it as an interface, and
// functions that do not.
func (c *checker) givenAway(obj types.Object) bool {
	v, ok := obj.(*types.Var)
	return ok && c.mayBeSet(v, make(map[*types.Var]bool))
}

func (c *checker) mayBeSet(v *types.Var, seen map[*types.Var]bool) bool {
	if seen[v] {
		return false
	}
	seen[v] = true
	for id := range c.root.Preorder((*ast.Ident)(nil)) {
		if c.info.Uses[id.Node().(*ast.Ident)] != v {
			continue
		}
		at := id
		if id.ParentEdgeKind() == edge.SelectorExpr_Sel {
			at = id.Parent()
		}
		at = enclosing.Parens(at)
		if at.ParentEdgeKind() == edge.UnaryExpr_X {
			at = enclosing.Parens(at.Parent())
		}
		if at.ParentEdgeKind() != edge.CallExpr_Args {
			continue
		}
		call := at.Parent().Node().(*ast.CallExpr)
		sig, ok := types.Unalias(c.info.TypeOf(call.Fun)).Underlying().(*types.Signature)
		if !ok {
			continue
		}
		i := min(at.ParentEdgeIndex(), sig.Params().Len()-1)
		if i < 0 || c.httpType(sig.Params().At(i).Type()) == "" {
			continue
		}
		fn := typeutil.StaticCallee(c.info, call)
		switch {
		case fn == nil || fn.Pkg() == nil:
			return true
		case strings.HasPrefix(fn.Pkg().Path(), "golang.org/x/net/http2"):
		case fn.Pkg() != c.pass.Pkg && !sig.Variadic() && c.borrowed(fn, i):
		case fn.Pkg() != c.pass.Pkg || sig.Variadic():
			return true
		case len(c.set[fn.Signature().Params().At(i)]) > 0, c.mayBeSet(fn.Signature().Params().At(i), seen):
			return true
		}
	}
	return false
}
