package timerleak

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/fractl/fractl/internal/analyzers/internal/enclosing"
	"github.com/fractl/fractl/internal/analyzers/internal/ownership"
)

// timerParams is a fact of a function: what it does with each parameter that
// is a timer or ticker. A parameter that is not listed may be kept.
type timerParams struct {
	// Stops and Borrows are indices of parameters.
	Stops, Borrows []int
}

func (*timerParams) AFact() {}

func (f *timerParams) String() string {
	return strings.TrimSpace(fmt.Sprintf("stops%v borrows%v", f.Stops, f.Borrows))
}

// makesTimer is a fact of a function whose result is a timer that it has just
// made, so that its caller is the one to stop it.
type makesTimer struct{ Kind kind }

func (*makesTimer) AFact() {}

func (f *makesTimer) String() string { return "makes " + f.Kind.String() }

// exportFacts gives the functions of the package their facts. Functions that
// hand a timer to one another settle in as many rounds as the chain is long;
// past a few it is not worth while.
func (c *checker) exportFacts() {
	const rounds = 4
	for range rounds {
		changed := false
		for _, fn := range c.order {
			decl := c.decls[fn]
			if c.exportParams(fn, decl) {
				changed = true
			}
			if c.exportMakes(fn, decl) {
				changed = true
			}
		}
		if !changed {
			return
		}
	}
}

func (c *checker) exportParams(fn *types.Func, decl inspector.Cursor) bool {
	body, ok := enclosing.Body(decl)
	if !ok {
		return false
	}
	var fact timerParams
	for i := range fn.Signature().Params().Len() {
		v := fn.Signature().Params().At(i)
		k, ok := kindOfType(v.Type())
		if !ok {
			continue
		}
		fate := ownership.Follow(c.info, v, body, c.classifier(k))
		switch {
		case fate.Escapes || len(fate.Overwrites) > 0:
		case len(fate.Releases) > 0:
			fact.Stops = append(fact.Stops, i)
		default:
			fact.Borrows = append(fact.Borrows, i)
		}
	}
	var old timerParams
	c.pass.ImportObjectFact(fn, &old)
	if len(old.Stops)+len(old.Borrows) >= len(fact.Stops)+len(fact.Borrows) {
		return false
	}
	c.pass.ExportObjectFact(fn, &fact)
	return true
}

// exportMakes looks at functions all of whose returns are calls that make one.
func (c *checker) exportMakes(fn *types.Func, decl inspector.Cursor) bool {
	if fn.Signature().Results().Len() != 1 || c.pass.ImportObjectFact(fn, new(makesTimer)) {
		return false
	}
	made := kind(0)
	if _, ok := kindOfType(fn.Signature().Results().At(0).Type()); !ok {
		return false
	}
	for ret := range decl.Preorder((*ast.ReturnStmt)(nil), (*ast.FuncLit)(nil)) {
		r, ok := ret.Node().(*ast.ReturnStmt)
		if !ok || len(r.Results) != 1 {
			return false
		}
		result := ast.Unparen(r.Results[0])
		if id, ok := result.(*ast.Ident); ok {
			result = c.onlyValue(id, decl)
		}
		call, ok := result.(*ast.CallExpr)
		if !ok {
			return false
		}
		k, _ := c.kindOfCall(call)
		if k != newTimer && k != newTicker || made != 0 && made != k {
			return false
		}
		made = k
	}
	if made == 0 {
		return false
	}
	c.pass.ExportObjectFact(fn, &makesTimer{made})
	return true
}

// onlyValue is what a local variable is defined with that is then only looked at
// and returned; nil where more is done with it.
func (c *checker) onlyValue(id *ast.Ident, decl inspector.Cursor) ast.Expr {
	v, ok := c.info.Uses[id].(*types.Var)
	if !ok || v.IsField() {
		return nil
	}
	var value ast.Expr
	for ref := range decl.Preorder((*ast.Ident)(nil)) {
		n := ref.Node().(*ast.Ident)
		if c.info.ObjectOf(n) != v {
			continue
		}
		switch ref.ParentEdgeKind() {
		case edge.AssignStmt_Lhs:
			a := ref.Parent().Node().(*ast.AssignStmt)
			if a.Tok != token.DEFINE || len(a.Lhs) != len(a.Rhs) {
				return nil
			}
			value = ast.Unparen(a.Rhs[ref.ParentEdgeIndex()])
		case edge.ReturnStmt_Results:
		case edge.SelectorExpr_X:
			if ref.Parent().Node().(*ast.SelectorExpr).Sel.Name != "Reset" {
				return nil
			}
		default:
			return nil
		}
	}
	return value
}

// classifier knows what the uses of a timer or ticker do.
func (c *checker) classifier(k kind) ownership.Classifier {
	return ownership.Classifier{
		Select: func(sel inspector.Cursor) ownership.Effect {
			called := sel.ParentEdgeKind() == edge.CallExpr_Fun
			switch sel.Node().(*ast.SelectorExpr).Sel.Name {
			case "Stop":
				if called {
					return ownership.Releases
				}
			case "Reset":
				return ownership.Reads
			case "C", "Chan":
				use := sel
				if called {
					use = sel.Parent()
				}
				switch {
				case k == newTicker || use.ParentEdgeKind() == edge.RangeStmt_X:
					return ownership.Reads
				case use.ParentEdgeKind() == edge.UnaryExpr_X:
					return ownership.Releases // it has fired
				case use.ParentEdgeKind() == edge.CallExpr_Args:
					if id, ok := use.Parent().Node().(*ast.CallExpr).Fun.(*ast.Ident); ok && (id.Name == "len" || id.Name == "cap") {
						return ownership.Reads
					}
				}
			}
			return ownership.Escapes
		},
		Arg: func(call *ast.CallExpr, i int) ownership.Effect {
			fn, ok := typeutil.Callee(c.info, call).(*types.Func)
			if !ok {
				return ownership.Escapes
			}
			var fact timerParams
			if !c.pass.ImportObjectFact(fn.Origin(), &fact) {
				return ownership.Escapes
			}
			for _, p := range fact.Stops {
				if p == i {
					return ownership.Releases
				}
			}
			for _, p := range fact.Borrows {
				if p == i {
					return ownership.Reads
				}
			}
			return ownership.Escapes
		},
	}
}
