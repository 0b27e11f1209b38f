package ctxbreak

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
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
		} else if name := c.freshValue(n); name != "" {
			c.checkFresh(call, name)
		}
		c.checkNil(call)
	}
	for assign := range c.root.Preorder((*ast.AssignStmt)(nil)) {
		c.checkDerived(assign)
	}
	c.checkFields()
	held := c.freshVariables()
	c.checkStored(held)
	c.checkUnused(held)
	c.checkRequests()
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
	case c.replaces(at, ctx):
		// "ctx = ctx" would be no help.
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
