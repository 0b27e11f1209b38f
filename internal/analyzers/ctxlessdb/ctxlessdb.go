package ctxlessdb

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

	"github.com/fractl/fractl/internal/analyzers/internal/analyzerdoc"
	"github.com/fractl/fractl/internal/analyzers/internal/origin"
	"github.com/fractl/fractl/internal/analyzers/internal/place"
	"github.com/fractl/fractl/internal/analyzers/internal/reach"
)

// Analyzer reports database calls without a context.
var Analyzer = &analysis.Analyzer{
	Name:      "ctxlessdb",
	Doc:       analyzerdoc.Must(doc, "ctxlessdb"),
	URL:       "https://pkg.go.dev/github.com/fractl/fractl/internal/analyzers/ctxlessdb",
	Requires:  []*analysis.Analyzer{inspect.Analyzer},
	FactTypes: []analysis.Fact{new(ctxlessDB)},
	Run:       run,
}

func run(pass *analysis.Pass) (any, error) {
	if origin.Foreign(pass) {
		return nil, nil
	}
	c := &checker{
		pass:   pass,
		info:   pass.TypesInfo,
		root:   pass.ResultOf[inspect.Analyzer].(*inspector.Inspector).Root(),
		places: place.New(pass.Fset),
		sinks:  make(map[sinkKey]*sink),

		sessions: make(map[*types.Named]bool),
	}
	for sel := range c.root.Preorder((*ast.SelectorExpr)(nil)) {
		if s := c.sinkOf(sel.Node().(*ast.SelectorExpr)); s != nil {
			c.checkSink(sel, s)
		}
	}
	for call := range c.root.Preorder((*ast.CallExpr)(nil)) {
		c.checkSession(call)
	}
	c.checkWrappers()
	return nil, nil
}

// checker is one pass over one package.
type checker struct {
	pass   *analysis.Pass
	info   *types.Info
	root   inspector.Cursor
	places *place.Files
	// sinks remembers what each method is; most are nil.
	sinks map[sinkKey]*sink
	// migrations are the functions that a migration library is given; nil
	// until first asked for.
	migrations map[types.Object]bool
	// sessions remembers which types are sessions, and values what variables
	// and fields that hold one are given; nil until first asked for.
	sessions map[*types.Named]bool
	values   map[*types.Var][]inspector.Cursor
}

// checkSink reports one use of a method that has a sibling with a context.
func (c *checker) checkSink(sel inspector.Cursor, s *sink) {
	ctx, inReach := c.reach(sel)
	if ctx.Nil {
		return // what is left to do where there is no context
	}
	if inReach && s.method.Pkg().Path() != "database/sql" && through(sel.Node().(*ast.SelectorExpr).X, ctx) {
		return // a session of a library that has its context in itself
	}
	category := c.category(sel, ctx, inReach)
	d := analysis.Diagnostic{
		Pos: sel.Node().Pos(), End: sel.Node().End(), Category: label(category),
		Message: fmt.Sprintf("%s is called without a context", s.name),
	}
	switch {
	case s.mirror:
		d.Message += fmt.Sprintf(", and its interface has no %s", s.sibling)
	case inReach:
		d.Message += fmt.Sprintf(": use %s", s.sibling)
	default:
		d.Message += fmt.Sprintf("; there is %s", s.sibling)
	}
	if inReach {
		d.Message += "; " + c.inReach(ctx)
		d.Related = append(d.Related, analysis.RelatedInformation{Pos: ctx.Decl, Message: "the context in reach"})
	}
	if fix, ok := c.fix(sel, s, ctx); ok && inReach && category == direct || ok && inReach && category == inTest {
		d.SuggestedFixes = []analysis.SuggestedFix{fix}
	} else if hint := c.hint(category, s, ctx); hint != "" {
		d.Related = append(d.Related, analysis.RelatedInformation{Pos: d.Pos, Message: "hint: " + hint})
	}
	if call := sel.Parent(); !isCall(sel) || call.ParentEdgeKind() == edge.DeferStmt_Call {
		// "is called" is not said of a method value.
		if !isCall(sel) {
			d.Message = strings.Replace(d.Message, "is called without a context", "is taken as a function without a context", 1)
		}
	}
	c.pass.Report(d)
	if category == noContext || category == generated && !inReach {
		c.leaveFact(sel, s.name, nil)
	}
}

// through reports whether the receiver of a call is the value that yields the
// context, or what one of its methods gives: session.SQL().Exec(q), where
// session.Context() is the context in reach.
func through(x ast.Expr, ctx reach.Context) bool {
	switch x := ast.Unparen(x).(type) {
	case *ast.Ident:
		return ctx.Holder != ctx.Expr && x.Name == ctx.Holder
	case *ast.CallExpr:
		sel, ok := ast.Unparen(x.Fun).(*ast.SelectorExpr)
		return ok && through(sel.X, ctx)
	}
	return false
}

// inReach says of the context in reach how to name it.
func (c *checker) inReach(ctx reach.Context) string {
	if ctx.Expr == "" {
		return fmt.Sprintf("the unnamed parameter of line %d gives a context", c.pass.Fset.Position(ctx.Decl).Line)
	}
	return ctx.Expr + " is in reach"
}

func (c *checker) hint(category string, s *sink, ctx reach.Context) string {
	switch {
	case s.mirror:
		return "give the interface " + s.sibling
	case category == deferred:
		return "pass context.WithoutCancel of it, with a timeout: a deferred call may come after its end"
	case category == goroutine:
		return "pass context.WithoutCancel of it if the work is to outlive the caller"
	case category == direct && ctx.Expr == "":
		return "name the parameter and pass it on"
	case category == noContext:
		return "give this function a context parameter"
	}
	return ""
}

// category says which kind of report one at the cursor is.
func (c *checker) category(at inspector.Cursor, ctx reach.Context, inReach bool) string {
	switch {
	case c.isTest(at.Node().Pos()) || ctx.Testing:
		return inTest
	case c.isGenerated(at.Node().Pos()):
		return generated
	case c.exempt(at):
		return exempt
	case !inReach:
		return noContext
	case isDeferred(at):
		return deferred
	case ctx.Outside || isGo(at):
		return goroutine
	}
	return direct
}

func (c *checker) reach(at inspector.Cursor) (reach.Context, bool) {
	version := ""
	for f := range at.Enclosing((*ast.File)(nil)) {
		version = c.info.FileVersions[f.Node().(*ast.File)]
	}
	return reach.At(c.pass.Pkg, c.info, at, version)
}

// fix appends Context to the method's name and passes the context; nothing
// else. BeginTx takes nil for its options, as Begin does.
func (c *checker) fix(sel inspector.Cursor, s *sink, ctx reach.Context) (analysis.SuggestedFix, bool) {
	if ctx.Expr == "" || s.mirror || s.loose || !isCall(sel) || s.method == nil && s.sibling == "" {
		return analysis.SuggestedFix{}, false
	}
	call := sel.Parent().Node().(*ast.CallExpr)
	name := sel.Node().(*ast.SelectorExpr).Sel
	arg, at := ctx.Expr, call.Rparen
	switch {
	case s.options:
		arg += ", nil"
	case len(call.Args) > 0:
		arg, at = arg+", ", call.Args[0].Pos()
	}
	return analysis.SuggestedFix{
		Message: fmt.Sprintf("Call %s with %s", s.sibling, ctx.Expr),
		TextEdits: []analysis.TextEdit{
			{Pos: name.Pos(), End: name.End(), NewText: []byte(s.sibling)},
			{Pos: at, End: at, NewText: []byte(arg)},
		},
	}, true
}

func (c *checker) isTest(pos token.Pos) bool {
	return strings.HasSuffix(c.pass.Fset.File(pos).Name(), "_test.go")
}

func (c *checker) isGenerated(pos token.Pos) bool {
	for _, f := range c.pass.Files {
		if f.FileStart <= pos && pos < f.FileEnd {
			return ast.IsGenerated(f)
		}
	}
	return false
}

// isCall reports whether the selector is what a call calls.
func isCall(sel inspector.Cursor) bool { return sel.ParentEdgeKind() == edge.CallExpr_Fun }
