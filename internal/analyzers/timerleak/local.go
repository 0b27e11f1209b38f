package timerleak

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/fractl/fractl/internal/analyzers/internal/enclosing"
	"github.com/fractl/fractl/internal/analyzers/internal/ownership"
)

// checkLocal follows a timer in a local variable to the function's end.
func (c *checker) checkLocal(src source, v *types.Var) {
	fn := enclosing.Function(src.call)
	if !fn.Valid() || v.Pos() < fn.Node().Pos() || fn.Node().End() <= v.Pos() {
		return // a package variable, or one of a function around this one
	}
	if results := enclosing.Type(fn).Results; results != nil && enclosing.Within(posNode(v.Pos()), results) {
		return // a return without values hands it out
	}
	k := src.kind
	if k == callbackTimer {
		k = newTimer
	}
	body, ok := enclosing.Body(fn)
	if !ok {
		return
	}
	fate := ownership.Follow(c.info, v, body, c.classifier(k))
	if fate.Escapes {
		return
	}
	exit, leaks := ownership.Leak(ownership.Query{
		Info: c.info, Var: v, Fate: fate, Made: src.call, Body: body.Node().(*ast.BlockStmt), Infinite: c.endlessRange,
	})
	if !leaks || c.once(src.call) && !exit.Overwritten || src.kind == newTimer && c.brief(src, v, body) {
		return
	}
	name := fmt.Sprintf("%s %s", src.kind, v.Name())
	where := []analysis.RelatedInformation{{Pos: exit.Node.Pos(), Message: "left here, not stopped"}}
	switch {
	case exit.Overwritten && enclosing.Within(src.call.Node(), exit.Node):
		where = nil
		name += " is made again on each turn of the loop and not stopped before"
	case exit.Overwritten:
		name += fmt.Sprintf(" is replaced at line %d and not stopped before", c.line(exit.Node.Pos()))
	case len(fate.Releases) > 0:
		name += fmt.Sprintf(" is not stopped on the path to the return at line %d", c.line(exit.Node.Pos()))
	default:
		where = nil
		name += " is never stopped"
	}
	at := src.call.Node()
	switch {
	case src.kind == callbackTimer && len(fate.Releases) > 0 && !exit.Overwritten:
		c.reportFixable(at, onPath, name+", so its callback still runs after that", c.deferStop(src, v), where...)
	case src.kind == callbackTimer:
		// The variable is only reset or looked at: as good as dropped.
		c.checkCallback(src)
	case len(fate.Releases) > 0 && !src.clock:
		c.leakingFixable(at, onPath, name, c.deferStop(src, v), where...)
	default:
		c.leakingFixable(at, src.category(), name, c.deferStop(src, v), where...)
	}
}

// brief reports whether a timer in v fires so soon, also after each Reset, that
// nothing is gained by stopping it.
func (c *checker) brief(src source, v *types.Var, body inspector.Cursor) bool {
	if args := src.call.Node().(*ast.CallExpr).Args; len(args) != 1 || !c.short(args[0]) {
		return false
	}
	for call := range body.Preorder((*ast.CallExpr)(nil)) {
		n := call.Node().(*ast.CallExpr)
		if x := c.timerCall(n, "Reset"); x != nil && c.variable(x) == v && !c.short(n.Args[0]) {
			return false
		}
	}
	return true
}

// category is that of a timer which nothing stops.
func (s source) category() string {
	switch {
	case s.clock:
		return clock
	case s.kind == newTicker:
		return leak
	}
	return oneShot
}

// checkDropped looks at a timer whose value is thrown away.
func (c *checker) checkDropped(src source) {
	if src.kind == callbackTimer {
		c.checkCallback(src)
		return
	}
	if _, leaks := c.lost(src); leaks {
		c.leaking(src.call.Node(), src.category(), fmt.Sprintf("the %s is dropped, so nothing can stop it", src.kind))
	}
}

// checkGiven looks at a ticker that goes to a function at once, which only borrows
// it.
func (c *checker) checkGiven(src source, at inspector.Cursor, i int) {
	call := at.Node().(*ast.CallExpr)
	if src.kind != newTicker || c.classifier(newTicker).Arg(call, i) != ownership.Reads {
		return
	}
	if _, leaks := c.lost(src); leaks {
		c.leaking(src.call.Node(), src.category(), fmt.Sprintf("the ticker goes to %s alone, which does not stop it", types.ExprString(call.Fun)))
	}
}

// checkUnnamed looks at time.NewTicker(d).C and the like: what is left is a
// channel, through which nothing can be stopped.
func (c *checker) checkUnnamed(src source, sel inspector.Cursor) {
	if name := sel.Node().(*ast.SelectorExpr).Sel.Name; name != "C" && name != "Chan" {
		return
	}
	switch src.kind {
	case newTicker:
		if _, leaks := c.lost(src); leaks {
			c.leaking(src.call.Node(), src.category(), "only the channel of the ticker is kept, so nothing can stop it")
		}
	case newTimer:
		c.checkAfter(src)
	}
}

// checkTick looks at time.Tick, which is fine for as long as the process.
func (c *checker) checkTick(src source) {
	if _, leaks := c.lost(src); leaks {
		c.leakingFixable(src.call.Node(), tick, "the ticker of time.Tick cannot be stopped, and this function returns", c.newTicker(src))
	}
}

// lost reports whether control leaves the function after src, or comes by it
// again; in what runs once only the latter counts.
func (c *checker) lost(src source) (ownership.Exit, bool) {
	fn := enclosing.Function(src.call)
	if !fn.Valid() {
		return ownership.Exit{}, false
	}
	body, _ := enclosing.Body(fn)
	exit, leaks := ownership.Leak(ownership.Query{
		Info: c.info, Made: src.call, Body: body.Node().(*ast.BlockStmt), Infinite: c.endlessRange,
	})
	return exit, leaks && (exit.Overwritten || !c.once(src.call))
}

// checkFields looks at tickers that are kept in a field which only this
// package can reach and which nothing in it stops.
func (c *checker) checkFields(fields map[*types.Var][]source) {
	if len(fields) == 0 {
		return
	}
	open := make(map[*types.Var]bool) // somebody may stop it
	for v := range fields {
		k, ok := kindOfType(v.Type())
		open[v] = !ok || k != newTicker || v.Exported() || v.Embedded() || v.Pkg() != c.pass.Pkg
	}
	for id := range c.root.Preorder((*ast.Ident)(nil)) {
		v, ok := c.info.Uses[id.Node().(*ast.Ident)].(*types.Var)
		if !ok || !v.IsField() {
			continue
		}
		if stoppable, candidate := open[v.Origin()]; candidate && !stoppable {
			open[v.Origin()] = c.mayStop(id)
		}
	}
	for _, src := range c.sortedSources(fields, open) {
		message := fmt.Sprintf("nothing in this package stops the ticker kept in field %s", src.field.Name())
		if m := c.mode(src.call.Node().Pos()); m.Known && m.Collected {
			c.report(src.call.Node(), field, message)
			continue
		}
		if !c.once(src.call) {
			c.leaking(src.call.Node(), leak, message)
		}
	}
}

type fieldSource struct {
	source
	field *types.Var
}

// sortedSources are the sources of the fields that nobody can stop, in source
// order.
func (c *checker) sortedSources(fields map[*types.Var][]source, open map[*types.Var]bool) []fieldSource {
	var list []fieldSource
	for v, sources := range fields {
		if open[v] {
			continue
		}
		for _, src := range sources {
			list = append(list, fieldSource{src, v})
		}
	}
	slices.SortFunc(list, func(a, b fieldSource) int { return cmp.Compare(a.call.Node().Pos(), b.call.Node().Pos()) })
	return list
}

// mayStop reports whether the use of a field, id, stops its ticker or hands it
// to somebody who may.
func (c *checker) mayStop(id inspector.Cursor) bool {
	use := id
	switch id.ParentEdgeKind() {
	case edge.KeyValueExpr_Key:
		return false
	case edge.SelectorExpr_Sel:
		use = enclosing.Parens(id.Parent())
	}
	switch use.ParentEdgeKind() {
	case edge.AssignStmt_Lhs, edge.BinaryExpr_X, edge.BinaryExpr_Y:
		return false
	case edge.SelectorExpr_X:
		return c.classifier(newTicker).Select(use.Parent()) != ownership.Reads
	case edge.CallExpr_Args:
		call, i := use.Parent(), use.ParentEdgeIndex()
		return c.classifier(newTicker).Arg(call.Node().(*ast.CallExpr), i) != ownership.Reads
	}
	return true
}

// posNode is a node of no length, for within.
type posNode token.Pos

func (p posNode) Pos() token.Pos { return token.Pos(p) }
func (p posNode) End() token.Pos { return token.Pos(p) }
