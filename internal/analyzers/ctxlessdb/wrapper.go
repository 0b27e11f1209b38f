package ctxlessdb

import (
	"fmt"
	"go/ast"
	"go/types"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/fractl/fractl/internal/analyzers/internal/enclosing"
	"github.com/fractl/fractl/internal/analyzers/internal/reach"
)

// maxSteps is how long a path may be that is followed and shown.
const maxSteps = 6

// ctxlessDB is a fact of a function that has no context in reach and makes a
// database call without one, directly or through others.
type ctxlessDB struct {
	// Path begins in the function itself and ends at the database call.
	Path []step
	// Sink is the name of the method that is called there.
	Sink string
}

// step is one call on the path. It has no absolute file name: a fact does not
// depend on where the tree lies.
type step struct {
	// Pkg and Func are the function that calls.
	Pkg, Func string
	// File is the base name of the file of the call.
	File string
	Line int
}

func (*ctxlessDB) AFact() {}

func (f *ctxlessDB) String() string {
	var names []string
	for _, s := range f.Path {
		names = append(names, s.Func)
	}
	return fmt.Sprintf("ctxlessDB(%s > %s)", strings.Join(names, " > "), f.Sink)
}

// leaveFact gives the function around at the fact that it makes, at that
// place, the database call sink, after the steps of path. It reports whether
// that is new.
func (c *checker) leaveFact(at inspector.Cursor, sink string, path []step) bool {
	fn := c.enclosing(at)
	if fn == nil || len(path) >= maxSteps || c.pass.ImportObjectFact(fn, new(ctxlessDB)) || c.isSinkItself(fn) {
		return false
	}
	pos := c.pass.Fset.Position(at.Node().Pos())
	first := step{Pkg: c.pass.Pkg.Path(), Func: fn.Name(), File: filepath.Base(pos.Filename), Line: pos.Line}
	c.pass.ExportObjectFact(fn, &ctxlessDB{Path: append([]step{first}, path...), Sink: sink})
	return true
}

// enclosing is the declared function that at is part of, nil where a function
// that may run at another time stands between.
func (c *checker) enclosing(at inspector.Cursor) *types.Func {
	if isGo(at) {
		return nil
	}
	for f := enclosing.Function(at); f.Valid(); f = enclosing.Function(f) {
		switch n := f.Node().(type) {
		case *ast.FuncDecl:
			fn, _ := c.info.Defs[n.Name].(*types.Func)
			return fn
		case *ast.FuncLit:
			if !reach.RunsInPlace(f) {
				return nil
			}
		}
	}
	return nil
}

// isSinkItself reports whether fn has a sibling with a context of its own:
// then its callers are told so without any fact.
func (c *checker) isSinkItself(fn *types.Func) bool {
	if recv := fn.Signature().Recv(); recv != nil {
		return methodSink(fn, recv.Type(), c.pass.Pkg) != nil
	}
	sibling, _ := c.pass.Pkg.Scope().Lookup(fn.Name() + "Context").(*types.Func)
	return match(fn, sibling) != nil
}

// checkWrappers follows calls of functions that have the fact: one that has no
// context in reach passes the fact on to its own function, one that has a
// context is reported.
func (c *checker) checkWrappers() {
	var calls []inspector.Cursor
	for call := range c.root.Preorder((*ast.CallExpr)(nil)) {
		fn, ok := typeutil.Callee(c.info, call.Node().(*ast.CallExpr)).(*types.Func)
		// Only what has a sink below it can have the fact: in this package any
		// function, in another one that is imported.
		if ok && fn.Pkg() != nil && (fn.Pkg() == c.pass.Pkg || c.pass.ImportObjectFact(fn.Origin(), new(ctxlessDB))) {
			calls = append(calls, call)
		}
	}
	for round := 0; round < maxSteps; round++ {
		changed := false
		for _, call := range calls {
			fact, ok := c.factOf(call)
			if !ok {
				continue
			}
			if _, inReach := c.reach(call); !inReach && !c.isTest(call.Node().Pos()) && !c.exempt(call) {
				if c.leaveFact(call, fact.Sink, fact.Path) {
					changed = true
				}
			}
		}
		if !changed {
			break
		}
	}
	for _, call := range calls {
		if fact, ok := c.factOf(call); ok {
			c.checkWrapper(call, fact)
		}
	}
}

func (c *checker) factOf(call inspector.Cursor) (*ctxlessDB, bool) {
	fn := typeutil.Callee(c.info, call.Node().(*ast.CallExpr)).(*types.Func)
	var fact ctxlessDB
	if c.pass.ImportObjectFact(fn.Origin(), &fact) {
		return &fact, true
	}
	return c.factOfAll(fn)
}

// factOfAll is the fact of an interface's method: that of the first of the types
// of this package that implement it, by name, if all of them have it.
func (c *checker) factOfAll(fn *types.Func) (*ctxlessDB, bool) {
	recv := fn.Signature().Recv()
	if recv == nil || fn.Pkg() != c.pass.Pkg {
		return nil, false
	}
	iface, ok := recv.Type().Underlying().(*types.Interface)
	if !ok {
		return nil, false
	}
	var first *ctxlessDB
	scope := c.pass.Pkg.Scope()
	for _, name := range scope.Names() {
		tn, ok := scope.Lookup(name).(*types.TypeName)
		if !ok || types.IsInterface(tn.Type()) || c.isTest(tn.Pos()) {
			continue
		}
		named, ok := tn.Type().(*types.Named)
		if !ok || named.TypeParams().Len() > 0 || !types.Implements(types.NewPointer(named), iface) {
			continue
		}
		var fact ctxlessDB
		m := lookupMethod(types.NewPointer(named), c.pass.Pkg, fn.Name())
		if m == nil || !c.pass.ImportObjectFact(m, &fact) {
			return nil, false
		}
		if first == nil {
			first = &fact
		}
	}
	return first, first != nil
}

// checkWrapper reports a call of a function with the fact where a context is in
// reach.
func (c *checker) checkWrapper(call inspector.Cursor, fact *ctxlessDB) {
	ctx, inReach := c.reach(call)
	if !inReach || ctx.Nil || ctx.HandedOver(call.Node().(*ast.CallExpr)) {
		return // where there is none, the callee's own note says it
	}
	fun := call.ChildAt(edge.CallExpr_Fun, -1)
	category := c.category(fun, ctx, inReach)
	switch category {
	case direct:
		category = wrapper
	case deferred, goroutine:
		return // the callee is not written for this call alone
	}
	fn := typeutil.Callee(c.info, call.Node().(*ast.CallExpr)).(*types.Func)
	d := analysis.Diagnostic{
		Pos: fun.Node().Pos(), End: fun.Node().End(), Category: label(category),
		Message: fmt.Sprintf("%s calls %s without a context; %s", shortName(fn), fact.Sink, c.inReach(ctx)),
		Related: c.path(fn, fact),
	}
	if category == wrapper && fn.Pkg() == c.pass.Pkg && len(fact.Path) == 1 {
		d.SuggestedFixes = c.thread(fn.Origin())
	}
	if len(d.SuggestedFixes) == 0 {
		d.Related = append(d.Related, analysis.RelatedInformation{
			Pos: d.Pos, Message: fmt.Sprintf("hint: give %s a context parameter and pass it on to the database", fn.Name()),
		})
	}
	c.pass.Report(d)
}

// path turns the steps of a fact into places.
func (c *checker) path(fn *types.Func, fact *ctxlessDB) []analysis.RelatedInformation {
	var list []analysis.RelatedInformation
	for i, s := range fact.Path {
		next := fact.Sink
		if i+1 < len(fact.Path) {
			next = fact.Path[i+1].Func
		}
		pos := c.places.Line(filepath.Join(c.dirOf(s.Pkg, fn), s.File), s.Line)
		if pos.IsValid() && len(list) < maxSteps {
			list = append(list, analysis.RelatedInformation{Pos: pos, Message: fmt.Sprintf("%s calls %s", s.Func, next)})
		}
	}
	return list
}

// dirOf is the folder of a package that fn's package is or imports, told by
// the position of something that it declares.
func (c *checker) dirOf(path string, fn *types.Func) string {
	seen := make(map[*types.Package]bool)
	var find func(p *types.Package) string
	find = func(p *types.Package) string {
		if p == nil || seen[p] {
			return ""
		}
		seen[p] = true
		if p.Path() == path {
			for _, name := range p.Scope().Names() {
				if pos := p.Scope().Lookup(name).Pos(); pos.IsValid() {
					return filepath.Dir(c.pass.Fset.PositionFor(pos, false).Filename)
				}
			}
		}
		for _, imp := range p.Imports() {
			if dir := find(imp); dir != "" {
				return dir
			}
		}
		return ""
	}
	return find(fn.Pkg())
}

// shortName is fn's name with its receiver's or package's.
func shortName(fn *types.Func) string {
	if recv := fn.Signature().Recv(); recv != nil {
		return fmt.Sprintf("(%s).%s", typeName(recv.Type()), fn.Name())
	}
	return fn.Pkg().Name() + "." + fn.Name()
}
