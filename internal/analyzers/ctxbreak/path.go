package ctxbreak

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
const maxSteps = 5

// freshInside is the fact of a function that has no context in reach and passes a
// fresh one on, directly or through others.
type freshInside struct {
	// Path begins in the function itself and ends at the call that gets it.
	Path []step
}

// step is one call on the path. It has no absolute file name: a fact does not
// depend on where the tree lies.
type step struct {
	Pkg, Func, Callee, File string
	Line                    int
}

func (*freshInside) AFact() {}

func (f *freshInside) String() string {
	var names []string
	for _, s := range f.Path {
		names = append(names, s.Func)
	}
	return fmt.Sprintf("fresh(%s > %s)", strings.Join(names, " > "), f.Path[len(f.Path)-1].Callee)
}

// makesFresh is the fact of a function that has no context in reach and returns a
// fresh one, or a child of it.
type makesFresh struct {
	// Name is Background or TODO.
	Name string
}

func (*makesFresh) AFact() {}

func (f *makesFresh) String() string { return "makes " + f.Name }

// remember leaves a fact about a fresh context that is made where there is none
// to pass on: whoever calls the function may have one.
func (c *checker) remember(at inspector.Cursor, name string) {
	fn := c.functionOf(at)
	if fn == nil || c.isTest(at) {
		return
	}
	if c.returned(at) {
		if !c.pass.ImportObjectFact(fn, new(makesFresh)) {
			c.pass.ExportObjectFact(fn, &makesFresh{Name: name})
		}
		return
	}
	if use, _ := c.uses(at, reach.Context{}); use.Valid() {
		c.leave(fn, use, nil)
	}
}

// functionOf is the declared function that a place is part of; nil where a
// function that may run at another time stands between, or one that has a reason.
func (c *checker) functionOf(at inspector.Cursor) *types.Func {
	if c.excused(at, reach.Context{}) {
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

// returned reports whether a fresh context, or a child of it without an end, is
// what the function returns.
func (c *checker) returned(at inspector.Cursor) bool {
	for {
		at = enclosing.Parens(at)
		switch at.ParentEdgeKind() {
		case edge.ReturnStmt_Results:
			return true
		case edge.CallExpr_Args:
			call := at.Parent()
			if at.ParentEdgeIndex() != 0 || !reach.IsContext(c.info.TypeOf(call.Node().(*ast.CallExpr))) {
				return false
			}
			at = call
		default:
			return false
		}
	}
}

// leave gives a function the fact, with the steps that follow its own.
func (c *checker) leave(fn *types.Func, call inspector.Cursor, rest []step) bool {
	if len(rest) >= maxSteps || c.pass.ImportObjectFact(fn, new(freshInside)) {
		return false
	}
	pos := c.pass.Fset.Position(call.Node().Pos())
	first := step{Pkg: c.pass.Pkg.Path(), Func: fn.Name(), Callee: c.calleeName(call.Node().(*ast.CallExpr)), File: filepath.Base(pos.Filename), Line: pos.Line}
	c.pass.ExportObjectFact(fn, &freshInside{Path: append([]step{first}, rest...)})
	return true
}

// checkPaths follows calls of functions that have the fact: one that has no
// context in reach passes the fact on to its own function, one that has one is
// reported.
func (c *checker) checkPaths() {
	var calls []inspector.Cursor
	for call := range c.root.Preorder((*ast.CallExpr)(nil)) {
		if fn := typeutil.StaticCallee(c.info, call.Node().(*ast.CallExpr)); fn != nil && fn.Pkg() != nil {
			calls = append(calls, call)
		}
	}
	for range maxSteps {
		changed := false
		for _, call := range calls {
			fact, ok := c.factOf(call)
			if !ok {
				continue
			}
			if _, inReach := reach.At(c.pass.Pkg, c.info, call, c.version(call)); inReach || c.isTest(call) {
				continue
			}
			if fn := c.functionOf(call); fn != nil && c.leave(fn, call, fact.Path) {
				changed = true
			}
		}
		if !changed {
			break
		}
	}
	for _, call := range calls {
		if fact, ok := c.factOf(call); ok {
			c.reportPath(call, fact)
		}
	}
}

func (c *checker) factOf(call inspector.Cursor) (*freshInside, bool) {
	var fact freshInside
	fn := typeutil.StaticCallee(c.info, call.Node().(*ast.CallExpr)).Origin()
	return &fact, c.pass.ImportObjectFact(fn, &fact)
}

// reportPath reports a call that leads to a fresh context although one is in
// reach.
func (c *checker) reportPath(call inspector.Cursor, fact *freshInside) {
	ctx, ok := reach.At(c.pass.Pkg, c.info, call, c.version(call))
	if !ok || ctx.Nil || ctx.Outside || c.isTest(call) || ctx.Testing || c.excused(call, ctx) || !c.receiver(call, ctx).Valid() || ctx.HandedOver(call.Node().(*ast.CallExpr)) {
		return
	}
	n := call.Node().(*ast.CallExpr)
	last := fact.Path[len(fact.Path)-1]
	d := analysis.Diagnostic{
		Pos: n.Fun.Pos(), End: n.Fun.End(), Category: label(callee),
		Message: fmt.Sprintf("%s passes a fresh context to %s, although %s", c.calleeName(n), last.Callee, reached(ctx)),
		Related: []analysis.RelatedInformation{{Pos: ctx.Decl, Message: "the context in reach"}},
	}
	for _, s := range fact.Path {
		// Only files of this pass have places.
		for _, f := range c.pass.Files {
			file := c.pass.Fset.File(f.FileStart)
			if s.Pkg == c.pass.Pkg.Path() && filepath.Base(file.Name()) == s.File && s.Line <= file.LineCount() {
				d.Related = append(d.Related, analysis.RelatedInformation{Pos: file.LineStart(s.Line), Message: s.Func + " calls " + s.Callee})
			}
		}
		if s.Pkg != c.pass.Pkg.Path() {
			d.Related = append(d.Related, analysis.RelatedInformation{Pos: n.Pos(), Message: fmt.Sprintf("%s calls %s at %s:%d of package %s", s.Func, s.Callee, s.File, s.Line, s.Pkg)})
		}
	}
	d.Related = append(d.Related, analysis.RelatedInformation{Pos: d.Pos, Message: "hint: give it a context parameter"})
	c.pass.Report(d)
}
