package ctxbreak

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/fractl/fractl/internal/analyzers/internal/analyzerdoc"
	"github.com/fractl/fractl/internal/analyzers/internal/enclosing"
	"github.com/fractl/fractl/internal/analyzers/internal/origin"
	"github.com/fractl/fractl/internal/analyzers/internal/reach"
)

// Analyzer reports chains of contexts that break.
var Analyzer = &analysis.Analyzer{
	Name:      "ctxbreak",
	Doc:       analyzerdoc.Must(doc, "ctxbreak"),
	URL:       "https://pkg.go.dev/github.com/fractl/fractl/internal/analyzers/ctxbreak",
	Requires:  []*analysis.Analyzer{inspect.Analyzer},
	FactTypes: []analysis.Fact{new(freshInside), new(makesFresh), new(ignoresFunc)},
	Run:       run,
}

func run(pass *analysis.Pass) (any, error) {
	if origin.Foreign(pass) {
		return nil, nil
	}
	c := &checker{
		pass: pass, info: pass.TypesInfo,
		root:      pass.ResultOf[inspect.Analyzer].(*inspector.Inspector).Root(),
		detached:  make(map[string]map[int]bool),
		generated: make(map[*token.File]bool),
	}
	for _, f := range pass.Files {
		c.readComments(f)
	}
	c.exportIgnored()
	for call := range c.root.Preorder((*ast.CallExpr)(nil)) {
		n := call.Node().(*ast.CallExpr)
		if name := c.contextFunc(n); name == "Background" || name == "TODO" {
			c.checkFresh(call, name)
		}
		c.checkNil(call)
	}
	for assign := range c.root.Preorder((*ast.AssignStmt)(nil)) {
		c.checkDerived(assign)
	}
	c.checkFields()
	c.checkStored()
	c.checkPaths()
	return nil, nil
}

// checker is one pass over one package.
type checker struct {
	pass *analysis.Pass
	info *types.Info
	root inspector.Cursor
	// detached are the lines of each file that a detach comment covers.
	detached  map[string]map[int]bool
	generated map[*token.File]bool
}

// detachMark begins the comment that says that code is meant to have a context
// of its own. A reason has to follow.
const detachMark = "//fractl:detach "

func (c *checker) readComments(f *ast.File) {
	file := c.pass.Fset.File(f.FileStart)
	c.generated[file] = ast.IsGenerated(f)
	for _, group := range f.Comments {
		for _, comment := range group.List {
			if reason, ok := strings.CutPrefix(comment.Text, detachMark); ok && strings.TrimSpace(reason) != "" {
				lines := c.detached[file.Name()]
				if lines == nil {
					lines = make(map[int]bool)
					c.detached[file.Name()] = lines
				}
				line := file.Line(comment.Pos())
				lines[line], lines[line+1] = true, true
			}
		}
	}
}

// contextFunc is the name of the function of package context that a call calls,
// or "".
func (c *checker) contextFunc(call *ast.CallExpr) string {
	fn := typeutil.StaticCallee(c.info, call)
	if fn == nil || fn.Pkg() == nil || fn.Signature().Recv() != nil {
		return ""
	}
	if fn.Pkg().Path() == "context" || fn.Pkg().Path() == "golang.org/x/net/context" {
		return fn.Name()
	}
	return ""
}

// checkFresh reports a fresh context that goes to a call although one is in
// reach.
func (c *checker) checkFresh(at inspector.Cursor, name string) {
	ctx, ok := reach.At(c.pass.Pkg, c.info, at, c.version(at))
	if !ok {
		c.remember(at, name)
		return
	}
	if ctx.Outside && !c.attached(at, ctx) || ctx.Nil || c.excused(at, ctx) {
		return
	}
	use, derived := c.uses(at, ctx)
	if !use.Valid() {
		return
	}
	category := fresh
	if name == "TODO" {
		category = todo
	}
	if ctx.Testing || c.isTest(at) {
		category = inTest
	}
	d := analysis.Diagnostic{
		Pos: at.Node().Pos(), End: at.Node().End(), Category: label(category),
		Message: fmt.Sprintf("%s goes to %s, although %s", c.what(at, name), c.calleeName(use.Node().(*ast.CallExpr)), reached(ctx)),
		Related: []analysis.RelatedInformation{{Pos: ctx.Decl, Message: "the context in reach"}},
	}
	if derived.IsValid() {
		d.Related = append(d.Related, analysis.RelatedInformation{Pos: derived, Message: "it goes on in here"})
	}
	switch {
	case ctx.Expr != "" && c.plain(at, name) && !c.generated[c.pass.Fset.File(at.Node().Pos())]:
		d.SuggestedFixes = []analysis.SuggestedFix{{
			Message:   "Pass " + ctx.Expr,
			TextEdits: []analysis.TextEdit{{Pos: at.Node().Pos(), End: at.Node().End(), NewText: []byte(ctx.Expr)}},
		}}
	case ctx.Expr == "":
		d.Related = append(d.Related, analysis.RelatedInformation{Pos: d.Pos, Message: "hint: give the parameter a name and pass it on"})
	}
	c.pass.Report(d)
}

// plain reports whether a fresh context is nothing but that: one that a function
// of somebody else's makes may carry values.
func (c *checker) plain(at inspector.Cursor, name string) bool {
	call, ok := at.Node().(*ast.CallExpr)
	return !ok || c.contextFunc(call) == name
}

// what is a fresh context as a message calls it: it may come from elsewhere.
func (c *checker) what(at inspector.Cursor, name string) string {
	e := at.Node().(ast.Expr)
	if call, ok := e.(*ast.CallExpr); ok && c.contextFunc(call) == name {
		return "a fresh context." + name + "()"
	}
	return fmt.Sprintf("%s, a fresh context.%s(),", types.ExprString(e), name)
}

func reached(ctx reach.Context) string {
	if ctx.Expr == "" {
		return "the context parameter is in reach"
	}
	return ctx.Expr + " is in reach"
}

// uses follows a fresh context to the call that gets it: directly, through a
// child, or through one local variable. derived is where the variable is used.
// The zero Cursor says that it goes elsewhere, into a field for example, or that
// nothing can be said.
func (c *checker) uses(at inspector.Cursor, ctx reach.Context) (use inspector.Cursor, derived token.Pos) {
	var made inspector.Cursor // the last call that made a child
	for {
		at = enclosing.Parens(at)
		switch at.ParentEdgeKind() {
		case edge.CallExpr_Args:
			call := at.Parent()
			n := call.Node().(*ast.CallExpr)
			switch name := c.contextFunc(n); {
			case name == "" && reach.IsContext(c.info.TypeOf(n)):
				made = call // some other way to make a child
			case name == "" && givesContext(c.info.TypeOf(n)):
				return call, token.NoPos // with a span, say
			case name == "":
				return c.receiver(call, ctx), token.NoPos
			case at.ParentEdgeIndex() != 0 || name == "WithoutCancel":
				return inspector.Cursor{}, token.NoPos
			case name == "AfterFunc":
				return call, token.NoPos // it will never run
			case (name == "WithCancel" || name == "WithCancelCause") && !c.cancelDeferred(call):
				return inspector.Cursor{}, token.NoPos // with an end of its own
			case name == "WithValue":
				made = call
			}
			at = call // a child
		case edge.AssignStmt_Rhs, edge.ValueSpec_Values:
			if use, derived := c.usesOfVariable(at, ctx); use.Valid() {
				return use, derived
			}
			if made.Valid() && c.contextFunc(made.Node().(*ast.CallExpr)) == "" && c.replaces(at, ctx) {
				return made, token.NoPos
			}
			return inspector.Cursor{}, token.NoPos
		case edge.ReturnStmt_Results:
			if fn := enclosing.Function(at); made.Valid() && !c.mentions(fn, ctx) {
				return made, token.NoPos // the caller's context is dropped
			}
			return inspector.Cursor{}, token.NoPos
		default:
			return inspector.Cursor{}, token.NoPos
		}
	}
}

// givesContext reports whether a context is among several results.
func givesContext(t types.Type) bool {
	tuple, ok := t.(*types.Tuple)
	if !ok {
		return false
	}
	for v := range tuple.Variables() {
		if reach.IsContext(v.Type()) {
			return true
		}
	}
	return false
}

// replaces reports whether an assigned value takes the place of the context in
// reach.
func (c *checker) replaces(value inspector.Cursor, ctx reach.Context) bool {
	n, ok := value.Parent().Node().(*ast.AssignStmt)
	if !ok || len(n.Lhs) != len(n.Rhs) {
		return false
	}
	id, ok := n.Lhs[value.ParentEdgeIndex()].(*ast.Ident)
	if !ok {
		return false
	}
	obj := c.info.ObjectOf(id)
	return obj != nil && obj.Pos() == ctx.Decl
}

// cancelDeferred reports whether the cancel function that a call gives is
// deferred in the same function: the child ends with it, and so goes nowhere
// that the caller's context could not.
func (c *checker) cancelDeferred(call inspector.Cursor) bool {
	n, ok := call.Parent().Node().(*ast.AssignStmt)
	if !ok || len(n.Lhs) != 2 {
		return false
	}
	id, ok := n.Lhs[1].(*ast.Ident)
	fn := enclosing.Function(call)
	if !ok || !fn.Valid() {
		return false
	}
	v := c.info.ObjectOf(id)
	for d := range fn.Preorder((*ast.DeferStmt)(nil)) {
		if enclosing.Function(d) != fn {
			continue
		}
		if fun, ok := d.Node().(*ast.DeferStmt).Call.Fun.(*ast.Ident); ok && v != nil && c.info.Uses[fun] == v {
			return true
		}
	}
	return false
}

// receiver is the call itself, unless it is one that nobody would give the
// caller's context. A function that has no other use for its context has
// forgotten it, even where what it starts goes on.
func (c *checker) receiver(call inspector.Cursor, ctx reach.Context) inspector.Cursor {
	n := call.Node().(*ast.CallExpr)
	name := c.calleeName(n)
	bounded := strings.HasSuffix(name, ".DialContext") || ctx.Expr != "" && ctx.Holder == ctx.Expr && !c.mentions(enclosing.Function(call), ctx)
	if tidiesUp(name) || !bounded && (outlives(name) || longLived(c.info.TypeOf(n))) || call.ParentEdgeKind() == edge.GoStmt_Call || call.ParentEdgeKind() == edge.DeferStmt_Call {
		return inspector.Cursor{}
	}
	if tv, ok := c.info.Types[call.Node().(*ast.CallExpr).Fun]; ok && tv.IsType() {
		return inspector.Cursor{} // a conversion
	}
	return call
}

// usesOfVariable finds the calls that get a variable which holds a fresh context:
// if all of them stand in the same function, it is the first.
func (c *checker) usesOfVariable(value inspector.Cursor, ctx reach.Context) (use inspector.Cursor, derived token.Pos) {
	none := inspector.Cursor{}
	var id *ast.Ident
	switch n := value.Parent().Node().(type) {
	case *ast.AssignStmt:
		index := value.ParentEdgeIndex()
		if len(n.Lhs) != len(n.Rhs) {
			index = 0
		}
		id, _ = n.Lhs[index].(*ast.Ident)
	case *ast.ValueSpec:
		index := value.ParentEdgeIndex()
		if len(n.Names) != len(n.Values) {
			index = 0
		}
		id = n.Names[index]
	}
	if id == nil || id.Name == "_" {
		return none, token.NoPos
	}
	v, ok := c.info.ObjectOf(id).(*types.Var)
	if !ok || v.IsField() || v.Parent() == c.pass.Pkg.Scope() {
		return none, token.NoPos
	}
	fn := enclosing.Function(value)
	if !fn.Valid() || v.Pos() < fn.Node().Pos() || isParameter(v, fn) {
		return none, token.NoPos // it outlives the function, or is what the caller gave
	}
	bound := c.cancelDeferred(value)
	for ref := range fn.Preorder((*ast.Ident)(nil)) {
		if ref.Node() == id || c.info.Uses[ref.Node().(*ast.Ident)] != v {
			continue
		}
		if enclosing.Function(ref) != fn && !bound {
			return none, token.NoPos // a goroutine or a stored function has it
		}
		at := enclosing.Parens(ref)
		switch at.ParentEdgeKind() {
		case edge.CallExpr_Args:
			call := at.Parent()
			if c.contextFunc(call.Node().(*ast.CallExpr)) != "" {
				return none, token.NoPos // too far to follow
			}
			if r := c.receiver(call, ctx); !use.Valid() && r.Valid() {
				use, derived = r, ref.Node().Pos()
			} else if !r.Valid() {
				return none, token.NoPos // detached for this, and so for the others
			}
		case edge.SelectorExpr_X:
		case edge.AssignStmt_Lhs:
			return none, token.NoPos // it is also something else
		default:
			return none, token.NoPos
		}
	}
	return use, derived
}

// isParameter reports whether a variable is a parameter or a named result.
func isParameter(v *types.Var, fn inspector.Cursor) bool {
	typ := enclosing.Type(fn)
	return typ.Pos() <= v.Pos() && v.Pos() < typ.End()
}

// checkNil reports nil that is passed for a context.
func (c *checker) checkNil(at inspector.Cursor) {
	call := at.Node().(*ast.CallExpr)
	if len(call.Args) == 0 {
		return
	}
	if fn, ok := typeutil.Callee(c.info, call).(*types.Func); !ok || fn == nil {
		return // a function value, that may have no use for its context
	}
	sig, ok := types.Unalias(c.info.TypeOf(call.Fun)).Underlying().(*types.Signature)
	if !ok {
		return
	}
	for i, arg := range call.Args {
		if i >= sig.Params().Len() || sig.Variadic() && i >= sig.Params().Len()-1 || !reach.IsContext(sig.Params().At(i).Type()) {
			continue
		}
		tv := c.info.Types[arg]
		if !tv.IsNil() {
			continue
		}
		category := nilCtx
		if c.isTest(at) {
			category = inTest
		}
		d := analysis.Diagnostic{Pos: arg.Pos(), End: arg.End(), Category: label(category),
			Message: fmt.Sprintf("nil goes to %s for a context: the first use of it panics", c.calleeName(call))}
		instead := ""
		if ctx, ok := reach.At(c.pass.Pkg, c.info, at, c.version(at)); ok && ctx.Expr != "" && !ctx.Nil && !ctx.Outside {
			instead = ctx.Expr
		} else if name := c.importName(at); name != "" {
			instead = name + ".TODO()"
		}
		if instead != "" && !c.generated[c.pass.Fset.File(arg.Pos())] {
			d.SuggestedFixes = []analysis.SuggestedFix{{Message: "Pass " + instead,
				TextEdits: []analysis.TextEdit{{Pos: arg.Pos(), End: arg.End(), NewText: []byte(instead)}}}}
		}
		c.pass.Report(d)
	}
}

// importName is the name of package context in the file at a place, or "".
func (c *checker) importName(at inspector.Cursor) string {
	for f := range at.Enclosing((*ast.File)(nil)) {
		for _, spec := range f.Node().(*ast.File).Imports {
			if spec.Path.Value == `"context"` {
				if spec.Name == nil {
					return "context"
				}
				if spec.Name.Name != "_" && spec.Name.Name != "." {
					return spec.Name.Name
				}
			}
		}
	}
	return ""
}

// calleeName is the text of what is called.
func (c *checker) calleeName(call *ast.CallExpr) string {
	text := types.ExprString(ast.Unparen(call.Fun))
	if len(text) > 60 {
		text = text[strings.LastIndexByte(text, '.')+1:]
	}
	return text
}

// isTest reports whether a place is in a test, or in a function that is given one.
func (c *checker) isTest(at inspector.Cursor) bool {
	if strings.HasSuffix(c.pass.Fset.File(at.Node().Pos()).Name(), "_test.go") {
		return true
	}
	for fn := enclosing.Function(at); fn.Valid(); fn = enclosing.Function(fn) {
		for _, field := range enclosing.Type(fn).Params.List {
			named, ok := types.Unalias(deref(c.info.TypeOf(field.Type))).(*types.Named)
			if ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "testing" {
				return true
			}
		}
	}
	return false
}

// version is the language version of the file at a place.
func (c *checker) version(at inspector.Cursor) string {
	for f := range at.Enclosing((*ast.File)(nil)) {
		return c.info.FileVersions[f.Node().(*ast.File)]
	}
	return ""
}
