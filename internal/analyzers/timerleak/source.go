package timerleak

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/fractl/fractl/internal/analyzers/internal/enclosing"
)

// kind is what a call makes.
type kind int

const (
	newTimer kind = iota + 1
	newTicker
	tickChan
	afterChan
	callbackTimer
)

func (k kind) String() string {
	return [...]string{newTimer: "timer", newTicker: "ticker", tickChan: "ticker", afterChan: "timer", callbackTimer: "timer"}[k]
}

// source is a call that makes a timer.
type source struct {
	kind kind
	// clock: by a clock abstraction and not by package time.
	clock bool
	call  inspector.Cursor
}

// checkSources looks at each call that makes a timer.
func (c *checker) checkSources() {
	fields := make(map[*types.Var][]source)
	for call := range c.root.Preorder((*ast.CallExpr)(nil)) {
		k, isClock := c.kindOfCall(call.Node().(*ast.CallExpr))
		if k == 0 {
			continue
		}
		src := source{k, isClock, call}
		if c.inBenchmark(call) {
			continue
		}
		switch k {
		case tickChan:
			c.checkTick(src)
		case afterChan:
			c.checkAfter(src)
		case newTimer, newTicker, callbackTimer:
			c.checkHolder(src, fields)
		}
	}
	c.checkFields(fields)
}

// checkHolder looks at what holds the timer that src makes.
func (c *checker) checkHolder(src source, fields map[*types.Var][]source) {
	use := enclosing.Parens(src.call)
	parent := use.Parent()
	var holder ast.Expr
	switch kind, i := use.ParentEdge(); kind {
	case edge.ExprStmt_X:
		c.checkDropped(src)
		return
	case edge.SelectorExpr_X:
		c.checkUnnamed(src, parent)
		return
	case edge.CallExpr_Args:
		c.checkGiven(src, parent, i)
		return
	case edge.AssignStmt_Rhs:
		if a := parent.Node().(*ast.AssignStmt); len(a.Lhs) == len(a.Rhs) {
			holder = ast.Unparen(a.Lhs[i])
		}
	case edge.ValueSpec_Values:
		if s := parent.Node().(*ast.ValueSpec); len(s.Names) == len(s.Values) {
			holder = s.Names[i]
		}
	case edge.KeyValueExpr_Value:
		holder, _ = parent.Node().(*ast.KeyValueExpr).Key.(*ast.Ident)
	}
	switch h := holder.(type) {
	case *ast.Ident:
		if h == nil {
			return
		}
		if h.Name == "_" {
			c.checkDropped(src)
			return
		}
		if v, ok := c.info.ObjectOf(h).(*types.Var); ok {
			if v.IsField() {
				fields[v.Origin()] = append(fields[v.Origin()], src)
			} else {
				c.checkLocal(src, v)
			}
		}
	case *ast.SelectorExpr:
		if v, ok := c.info.Uses[h.Sel].(*types.Var); ok && v.IsField() {
			fields[v.Origin()] = append(fields[v.Origin()], src)
		}
	}
}

// kindOfCall says what call makes: by package time, by a function that makes
// and returns one, or by a clock abstraction, known by its shape.
func (c *checker) kindOfCall(call *ast.CallExpr) (k kind, isClock bool) {
	fn, ok := typeutil.Callee(c.info, call).(*types.Func)
	if !ok {
		return 0, false
	}
	if fn.Pkg() != nil && fn.Pkg().Path() == "time" && fn.Signature().Recv() == nil {
		switch fn.Name() {
		case "NewTimer":
			return newTimer, false
		case "NewTicker":
			return newTicker, false
		case "Tick":
			return tickChan, false
		case "After":
			return afterChan, false
		case "AfterFunc":
			return callbackTimer, false
		}
		return 0, false
	}
	var fact makesTimer
	if c.pass.ImportObjectFact(fn.Origin(), &fact) {
		return fact.Kind, false
	}
	if fn.Signature().Results().Len() != 1 || !clockLike(fn.Signature().Results().At(0).Type()) {
		return 0, false
	}
	switch fn.Name() {
	case "NewTimer", "Timer":
		return newTimer, true
	case "NewTicker", "Ticker":
		return newTicker, true
	}
	return 0, false
}

// kindOfType recognises *time.Timer and *time.Ticker.
func kindOfType(t types.Type) (kind, bool) {
	ptr, ok := types.Unalias(t).(*types.Pointer)
	if !ok {
		return 0, false
	}
	named, ok := types.Unalias(ptr.Elem()).(*types.Named)
	if !ok || named.Obj().Pkg() == nil || named.Obj().Pkg().Path() != "time" {
		return 0, false
	}
	switch named.Obj().Name() {
	case "Timer":
		return newTimer, true
	case "Ticker":
		return newTicker, true
	}
	return 0, false
}

// clockLike reports whether t has the shape of a timer: a method Stop, and a
// channel of times as field C or as result of C() or Chan(). So the clocks of
// k8s.io/utils, benbjohnson, jonboulle and the next one are known unnamed.
func clockLike(t types.Type) bool {
	if _, ok := kindOfType(t); ok {
		return false
	}
	stop, _, _ := types.LookupFieldOrMethod(t, true, nil, "Stop")
	if fn, ok := stop.(*types.Func); !ok || fn.Signature().Params().Len() != 0 {
		return false
	}
	for _, name := range []string{"C", "Chan"} {
		switch obj, _, _ := types.LookupFieldOrMethod(t, true, nil, name); obj := obj.(type) {
		case *types.Var:
			return timeChan(obj.Type())
		case *types.Func:
			r := obj.Signature().Results()
			return obj.Signature().Params().Len() == 0 && r.Len() == 1 && timeChan(r.At(0).Type())
		}
	}
	return false
}

func timeChan(t types.Type) bool {
	ch, ok := t.Underlying().(*types.Chan)
	if !ok {
		return false
	}
	named, ok := types.Unalias(ch.Elem()).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "time" && named.Obj().Name() == "Time"
}

// once reports whether the code at c runs at most once in a process, of its
// own accord: in a package variable's initialiser, in main, init or TestMain,
// or in what a sync.Once runs. A literal without parameters in one of these is
// taken to run with it; one with parameters is a handler.
func (c *checker) once(at inspector.Cursor) bool {
	for f := enclosing.Function(at); ; f = enclosing.Function(f) {
		if !f.Valid() {
			return true
		}
		if d, ok := f.Node().(*ast.FuncDecl); ok {
			return enclosing.Starts(c.pass.Pkg, d)
		}
		if enclosing.RunsOnce(c.info, f) {
			return true
		}
		if enclosing.Type(f).Params.NumFields() > 0 {
			return false
		}
	}
}

// inBenchmark reports whether a function around c takes a *testing.B.
func (c *checker) inBenchmark(at inspector.Cursor) bool {
	if !c.isTest(at.Node().Pos()) {
		return false
	}
	for f := enclosing.Function(at); f.Valid(); f = enclosing.Function(f) {
		for _, p := range enclosing.Type(f).Params.List {
			if types.TypeString(c.info.TypeOf(p.Type), nil) == "*testing.B" {
				return true
			}
		}
	}
	return false
}
