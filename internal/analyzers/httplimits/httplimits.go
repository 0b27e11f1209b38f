package httplimits

import (
	"fmt"
	"go/ast"
	"go/constant"
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

// Analyzer reports HTTP servers and clients without time limits.
var Analyzer = &analysis.Analyzer{
	Name:     "httplimits",
	Doc:      analyzerdoc.Must(doc, "httplimits"),
	URL:      "https://pkg.go.dev/github.com/fractl/fractl/internal/analyzers/httplimits",
	Requires: []*analysis.Analyzer{inspect.Analyzer},
	Run:      run,
}

func run(pass *analysis.Pass) (any, error) {
	if origin.Foreign(pass) {
		return nil, nil
	}
	c := &checker{pass: pass, info: pass.TypesInfo, root: pass.ResultOf[inspect.Analyzer].(*inspector.Inspector).Root(), set: make(map[types.Object]map[string]bool)}
	c.survey()
	for lit := range c.root.Preorder((*ast.CompositeLit)(nil)) {
		switch c.httpType(c.info.TypeOf(lit.Node().(*ast.CompositeLit))) {
		case "Server":
			c.checkServer(lit)
		case "Client":
			c.checkClient(lit)
		case "Transport":
			c.checkTransport(lit)
		}
	}
	for call := range c.root.Preorder((*ast.CallExpr)(nil)) {
		c.checkCall(call)
	}
	for sel := range c.root.Preorder((*ast.SelectorExpr)(nil)) {
		c.checkDefault(sel)
	}
	return nil, c.checkProxies()
}

// checker is one pass over one package.
type checker struct {
	pass *analysis.Pass
	info *types.Info
	root inspector.Cursor
	// set are the fields of variables and fields that the package assigns to.
	set map[types.Object]map[string]bool
	// streams: the package sets deadlines of its own, flushes, or takes over
	// connections.
	streams bool
}

// httpType is the name of a type of net/http, or of what a pointer points to, or "".
func (c *checker) httpType(t types.Type) string {
	if t == nil {
		return ""
	}
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil || named.Obj().Pkg().Path() != "net/http" {
		return ""
	}
	return named.Obj().Name()
}

// survey gathers what is assigned to fields of servers, clients and transports.
func (c *checker) survey() {
	for a := range c.root.Preorder((*ast.AssignStmt)(nil)) {
		for _, lhs := range a.Node().(*ast.AssignStmt).Lhs {
			sel, ok := ast.Unparen(lhs).(*ast.SelectorExpr)
			if !ok || c.httpType(c.info.TypeOf(sel.X)) == "" {
				continue
			}
			if obj := c.object(sel.X); obj != nil {
				if c.set[obj] == nil {
					c.set[obj] = make(map[string]bool)
				}
				c.set[obj][sel.Sel.Name] = true
			}
		}
	}
	for sel := range c.root.Preorder((*ast.SelectorExpr)(nil)) {
		switch sel.Node().(*ast.SelectorExpr).Sel.Name {
		case "SetReadDeadline", "SetWriteDeadline", "Flush", "Flusher", "Hijack", "Hijacker", "NewResponseController", "TimeoutHandler", "Upgrade":
			if !c.isTest(sel) {
				c.streams = true
			}
		}
	}
}

// object is the variable or field that an expression denotes, or nil.
func (c *checker) object(e ast.Expr) types.Object {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return c.info.ObjectOf(e)
	case *ast.SelectorExpr:
		return c.info.Uses[e.Sel]
	case *ast.StarExpr:
		return c.object(e.X)
	case *ast.UnaryExpr:
		if e.Op == token.AND {
			return c.object(e.X)
		}
	}
	return nil
}

// fields are the fields that a literal gives a value other than zero, and those
// that are assigned later. known is false where the value goes to code that may
// assign more.
func (c *checker) fields(lit inspector.Cursor) (fields map[string]bool, known bool) {
	fields = make(map[string]bool)
	n := lit.Node().(*ast.CompositeLit)
	for _, e := range n.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return nil, false // by position: everything has a value
		}
		key, ok := kv.Key.(*ast.Ident)
		if tv := c.info.Types[kv.Value]; ok && (tv.Value == nil || constant.Sign(numeric(tv.Value)) != 0) {
			fields[key.Name] = true
		}
	}
	holder, known := c.holder(lit)
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

// holder is the variable or field that gets a literal. known is false where it
// goes elsewhere: it is returned, or an argument.
func (c *checker) holder(lit inspector.Cursor) (obj types.Object, known bool) {
	at := enclosing.Parens(lit)
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
		key, ok := at.Parent().Node().(*ast.KeyValueExpr).Key.(*ast.Ident)
		if !ok {
			return nil, true
		}
		return c.info.Uses[key], true
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
	if v, ok := obj.(*types.Var); ok && !v.IsField() && c.givenAway(v) {
		return obj, false
	}
	return obj, true
}

// givenAway reports whether a variable is an argument of a call that may set its
// fields: of anything but package net/http, what has it as an interface, and the
// functions of this package that do not.
func (c *checker) givenAway(v *types.Var) bool { return c.mayBeSet(v, make(map[*types.Var]bool)) }

func (c *checker) mayBeSet(v *types.Var, seen map[*types.Var]bool) bool {
	if seen[v] {
		return false
	}
	seen[v] = true
	for id := range c.root.Preorder((*ast.Ident)(nil)) {
		if c.info.Uses[id.Node().(*ast.Ident)] != v {
			continue
		}
		at := enclosing.Parens(id)
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
		case fn.Pkg() != c.pass.Pkg || sig.Variadic():
			return true
		case len(c.set[fn.Signature().Params().At(i)]) > 0, c.mayBeSet(fn.Signature().Params().At(i), seen):
			return true
		}
	}
	return false
}

func (c *checker) checkServer(lit inspector.Cursor) {
	fields, known := c.fields(lit)
	if fields == nil || !known {
		return
	}
	n := lit.Node().(*ast.CompositeLit)
	loopback := c.loopbackAddr(n)
	if !fields["ReadHeaderTimeout"] && !fields["ReadTimeout"] {
		category := header
		if loopback {
			category = local
		}
		c.report(category, lit, n.Pos(), head(n), "the server waits without end for the header of a request: it has neither ReadHeaderTimeout nor ReadTimeout", "set ReadHeaderTimeout, ReadTimeout, WriteTimeout and IdleTimeout")
		return
	}
	var missing []string
	if !fields["ReadTimeout"] && !c.streams {
		missing = append(missing, "ReadTimeout")
	}
	if !fields["WriteTimeout"] && !c.streams {
		missing = append(missing, "WriteTimeout")
	}
	if !fields["IdleTimeout"] && !fields["ReadTimeout"] {
		missing = append(missing, "IdleTimeout")
	}
	if len(missing) == 0 {
		return
	}
	category := server
	if loopback {
		category = local
	}
	c.report(category, lit, n.Pos(), head(n), "the server has no "+strings.Join(missing, ", no "), "set "+strings.Join(missing, " and "))
}

// loopbackAddr reports whether a server is bound to this machine by its constant
// address.
func (c *checker) loopbackAddr(lit *ast.CompositeLit) bool {
	for _, e := range lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if key, ok := kv.Key.(*ast.Ident); ok && key.Name == "Addr" {
			return c.isLoopback(kv.Value)
		}
	}
	return false
}

func (c *checker) isLoopback(e ast.Expr) bool {
	v := c.info.Types[e].Value
	if v == nil || v.Kind() != constant.String {
		return false
	}
	addr := constant.StringVal(v)
	return strings.HasPrefix(addr, "localhost:") || strings.HasPrefix(addr, "127.") || strings.HasPrefix(addr, "[::1]:")
}

// withoutContext are the methods of a client that make requests without a context.
var withoutContext = map[string]bool{"Get": true, "Head": true, "Post": true, "PostForm": true}

// checkClient reports a client without Timeout that makes requests without a
// context.
func (c *checker) checkClient(lit inspector.Cursor) {
	fields, known := c.fields(lit)
	if fields == nil || !known || fields["Timeout"] {
		return
	}
	holder, _ := c.holder(lit)
	if holder == nil {
		return
	}
	for sel := range c.root.Preorder((*ast.SelectorExpr)(nil)) {
		n := sel.Node().(*ast.SelectorExpr)
		if withoutContext[n.Sel.Name] && c.httpType(c.info.TypeOf(n.X)) == "Client" && c.object(n.X) == holder {
			l := lit.Node().(*ast.CompositeLit)
			c.report(client, lit, l.Pos(), head(l), fmt.Sprintf("the client has no Timeout, and %s makes requests without a context: they may wait without end", n.Sel.Name), "set Timeout, or make requests by http.NewRequestWithContext")
			return
		}
	}
}

func (c *checker) checkTransport(lit inspector.Cursor) {
	fields, known := c.fields(lit)
	if fields == nil || !known || fields["IdleConnTimeout"] || fields["DisableKeepAlives"] {
		return
	}
	n := lit.Node().(*ast.CompositeLit)
	c.report(transport, lit, n.Pos(), head(n), "the transport keeps idle connections for ever: it has no IdleConnTimeout", "set IdleConnTimeout, or clone http.DefaultTransport")
}

// checkCall reports functions of net/http that can have no limit.
func (c *checker) checkCall(at inspector.Cursor) {
	call := at.Node().(*ast.CallExpr)
	fn := typeutil.StaticCallee(c.info, call)
	if fn == nil || fn.Pkg() == nil || fn.Pkg().Path() != "net/http" {
		return
	}
	if fn.Signature().Recv() != nil {
		return
	}
	switch fn.Name() {
	case "ListenAndServe", "ListenAndServeTLS", "Serve", "ServeTLS":
		category := header
		if strings.HasPrefix(fn.Name(), "Listen") && c.isLoopback(call.Args[0]) {
			category = local
		}
		c.report(category, at, call.Pos(), call.Fun.End(), fmt.Sprintf("http.%s serves without any time limit", fn.Name()), "make an http.Server with its limits and call its method")
	case "Get", "Head", "Post", "PostForm":
		c.report(client, at, call.Pos(), call.Fun.End(), fmt.Sprintf("http.%s may wait without end: it has neither a time limit nor a context", fn.Name()), "make the request by http.NewRequestWithContext, and a client with Timeout")
	}
}

// checkDefault reports the shared client and transport where a context is in reach.
func (c *checker) checkDefault(at inspector.Cursor) {
	sel := at.Node().(*ast.SelectorExpr)
	v, ok := c.info.Uses[sel.Sel].(*types.Var)
	if !ok || v.Pkg() == nil || v.Pkg().Path() != "net/http" || v.Name() != "DefaultClient" && v.Name() != "DefaultTransport" {
		return
	}
	if at.ParentEdgeKind() == edge.SelectorExpr_X && at.Parent().Node().(*ast.SelectorExpr).Sel.Name == "Clone" || c.asserted(at) {
		return // a copy is made of it
	}
	ctx, ok := reach.At(c.pass.Pkg, c.info, at, "")
	if !ok || ctx.Testing {
		return
	}
	c.report(request, at, sel.Pos(), sel.End(), fmt.Sprintf("http.%s has no time limit and is shared with everyone in the process, and this serves a caller", v.Name()), "use a client of your own, with Timeout")
}

// asserted reports whether DefaultTransport is taken as a *http.Transport, mostly
// to clone it.
func (c *checker) asserted(at inspector.Cursor) bool {
	return enclosing.Parens(at).ParentEdgeKind() == edge.TypeAssertExpr_X
}

func (c *checker) isTest(at inspector.Cursor) bool {
	return strings.HasSuffix(c.pass.Fset.File(at.Node().Pos()).Name(), "_test.go")
}

func (c *checker) report(category string, at inspector.Cursor, pos, end token.Pos, message, hint string) {
	if c.isTest(at) {
		return // it ends with the test
	}
	c.pass.Report(analysis.Diagnostic{Pos: pos, End: end, Category: label(category), Message: message,
		Related: []analysis.RelatedInformation{{Pos: pos, Message: "hint: " + hint}}})
}
