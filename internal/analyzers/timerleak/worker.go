package timerleak

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/fractl/fractl/internal/analyzers/internal/enclosing"
	"github.com/fractl/fractl/internal/analyzers/internal/flow"
)

// started is a goroutine's code and the go statements that start it.
type started struct {
	fn    inspector.Cursor
	by    inspector.Cursor
	since bool // at least one of them may run more than once
}

// checkGoroutines looks at goroutines that serve a ticker and cannot end.
func (c *checker) checkGoroutines() {
	found := make(map[ast.Node]*started)
	var order []*started
	for g := range c.root.Preorder((*ast.GoStmt)(nil)) {
		if c.inBenchmark(g) {
			continue
		}
		fn, ok := c.started(g)
		if !ok {
			continue
		}
		s := found[fn.Node()]
		if s == nil {
			s = &started{fn: fn, by: g}
			found[fn.Node()] = s
			order = append(order, s)
		}
		if !c.once(g) && !s.since {
			s.by, s.since = g, true
		}
	}
	for _, s := range order {
		c.checkWorker(s)
	}
}

// started is the function that the go statement runs, where it is a literal or
// one that the package declares.
func (c *checker) started(g inspector.Cursor) (inspector.Cursor, bool) {
	call := g.Node().(*ast.GoStmt).Call
	if _, ok := ast.Unparen(call.Fun).(*ast.FuncLit); ok {
		lit := g.ChildAt(edge.GoStmt_Call, -1).ChildAt(edge.CallExpr_Fun, -1)
		for lit.ParentEdgeKind() == edge.ParenExpr_X || !isFuncLit(lit) {
			lit = lit.ChildAt(edge.ParenExpr_X, -1)
		}
		return lit, true
	}
	fn, ok := typeutil.Callee(c.info, call).(*types.Func)
	if !ok {
		return inspector.Cursor{}, false
	}
	decl, ok := c.decls[fn.Origin()]
	return decl, ok && decl.Node().(*ast.FuncDecl).Body != nil
}

func isFuncLit(c inspector.Cursor) bool {
	_, ok := c.Node().(*ast.FuncLit)
	return ok
}

// checkWorker reports the first loop of a goroutine that serves a ticker and
// cannot be left.
func (c *checker) checkWorker(s *started) {
	body, _ := enclosing.Body(s.fn)
	body.Inspect([]ast.Node{(*ast.ForStmt)(nil), (*ast.RangeStmt)(nil), (*ast.FuncLit)(nil)},
		func(loop inspector.Cursor) bool {
			if isFuncLit(loop) {
				return false
			}
			ch, only := c.serves(loop)
			if ch == nil || !flow.Endless(c.info, loop) {
				return true
			}
			c.reportWorker(s, loop, ch, only)
			return false
		})
}

func (c *checker) reportWorker(s *started, loop inspector.Cursor, ch ast.Expr, only bool) {
	head := &ast.Ident{NamePos: loop.Node().Pos(), Name: "for"}
	by := analysis.RelatedInformation{Pos: s.by.Node().Pos(), Message: "the goroutine is started here"}
	if holder := c.holder(ch); holder != nil && only {
		if stop, ok := c.stopElsewhere(s, holder); ok {
			c.report(head, stopped,
				fmt.Sprintf("the goroutine waits for %s for ever once the ticker is stopped: Stop does not close the channel", types.ExprString(ch)),
				by, analysis.RelatedInformation{Pos: stop.Pos(), Message: "the ticker is stopped here"})
			return
		}
	}
	category := goroutine
	if !s.since || c.pass.Pkg.Name() == "main" {
		category = worker
	}
	c.report(head, category, fmt.Sprintf("the goroutine that serves %s cannot end: nothing leaves the loop", types.ExprString(ch)), by)
}

// serves is the ticker channel that a loop receives from: a range over it, or
// an endless for with a receive in it. only tells that it waits for nothing
// else.
func (c *checker) serves(loop inspector.Cursor) (ch ast.Expr, only bool) {
	if r, ok := loop.Node().(*ast.RangeStmt); ok {
		if c.tickerChan(r.X) {
			return r.X, true
		}
		return nil, false
	}
	if loop.Node().(*ast.ForStmt).Cond != nil {
		return nil, false
	}
	only = true
	loop.Inspect([]ast.Node{(*ast.UnaryExpr)(nil), (*ast.FuncLit)(nil), (*ast.ForStmt)(nil), (*ast.RangeStmt)(nil), (*ast.SendStmt)(nil)},
		func(n inspector.Cursor) bool {
			switch u := n.Node().(type) {
			case *ast.UnaryExpr:
				if u.Op == token.ARROW {
					if c.tickerChan(u.X) {
						if ch == nil {
							ch = u.X
						}
					} else {
						only = false
					}
				}
			case *ast.FuncLit:
				return false
			case *ast.SendStmt:
				only = false
			default:
				return n == loop
			}
			return true
		})
	return ch, only
}

// endlessRange reports whether x is a channel that a range never leaves by
// itself: nobody can close a ticker's.
func (c *checker) endlessRange(x ast.Expr) bool { return c.tickerChan(x) }

// tickerChan reports whether x is the channel of a ticker.
func (c *checker) tickerChan(x ast.Expr) bool {
	switch x := ast.Unparen(x).(type) {
	case *ast.SelectorExpr:
		k, ok := kindOfType(c.info.TypeOf(x.X))
		return ok && k == newTicker && x.Sel.Name == "C"
	case *ast.CallExpr:
		k, _ := c.kindOfCall(x)
		return k == tickChan
	case *ast.Ident:
		// ch := time.Tick(d), assigned nowhere else.
		v, ok := c.info.Uses[x].(*types.Var)
		if !ok || !timeChan(v.Type()) {
			return false
		}
		def, ok := c.definition(v)
		return ok && c.tickerChan(def)
	}
	return false
}

// definition is the expression that a local variable is made with, where it is
// assigned only there.
func (c *checker) definition(v *types.Var) (ast.Expr, bool) {
	var def ast.Expr
	n := 0
	for id := range c.root.Preorder((*ast.Ident)(nil)) {
		if c.info.ObjectOf(id.Node().(*ast.Ident)) != v {
			continue
		}
		if id.ParentEdgeKind() != edge.AssignStmt_Lhs {
			continue
		}
		n++
		if a := id.Parent().Node().(*ast.AssignStmt); len(a.Lhs) == len(a.Rhs) && a.Tok == token.DEFINE {
			def = a.Rhs[id.ParentEdgeIndex()]
		}
	}
	return def, n == 1 && def != nil
}

// holder is the variable or field that holds the ticker whose channel ch is.
func (c *checker) holder(ch ast.Expr) *types.Var {
	sel, ok := ast.Unparen(ch).(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	return c.variable(sel.X)
}

// variable is the variable or the field that x denotes.
func (c *checker) variable(x ast.Expr) *types.Var {
	switch x := ast.Unparen(x).(type) {
	case *ast.Ident:
		v, _ := c.info.Uses[x].(*types.Var)
		return v
	case *ast.SelectorExpr:
		if v, ok := c.info.Uses[x.Sel].(*types.Var); ok {
			return v.Origin()
		}
	}
	return nil
}

// stopElsewhere finds a call of Stop on what holder holds, outside the
// goroutine's own code. A ticker handed to the goroutine as an argument is
// looked for under the caller's name too.
func (c *checker) stopElsewhere(s *started, holder *types.Var) (ast.Node, bool) {
	holders := map[*types.Var]bool{holder: true}
	call := s.by.Node().(*ast.GoStmt).Call
	i := 0
	for _, f := range enclosing.Type(s.fn).Params.List {
		for _, name := range f.Names {
			if c.info.Defs[name] == holder && i < len(call.Args) {
				if v := c.variable(call.Args[i]); v != nil {
					holders[v] = true
				}
			}
			i++
		}
	}
	for sel := range c.root.Preorder((*ast.SelectorExpr)(nil)) {
		n := sel.Node().(*ast.SelectorExpr)
		if n.Sel.Name != "Stop" || enclosing.Within(n, s.fn.Node()) || c.isTest(n.Pos()) && !c.isTest(s.fn.Node().Pos()) {
			continue
		}
		if v := c.variable(n.X); v != nil && holders[v] {
			return n, true
		}
	}
	return nil, false
}
