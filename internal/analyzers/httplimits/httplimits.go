package httplimits

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"maps"
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
	Name:      "httplimits",
	Doc:       analyzerdoc.Must(doc, "httplimits"),
	URL:       "https://pkg.go.dev/github.com/fractl/fractl/internal/analyzers/httplimits",
	Requires:  []*analysis.Analyzer{inspect.Analyzer},
	FactTypes: []analysis.Fact{new(borrows)},
	Run:       run,
}

func run(pass *analysis.Pass) (any, error) {
	if origin.Foreign(pass) {
		return nil, nil
	}
	c := &checker{pass: pass, info: pass.TypesInfo, root: pass.ResultOf[inspect.Analyzer].(*inspector.Inspector).Root(), set: make(map[types.Object]map[string]bool)}
	c.survey()
	c.exportBorrows()
	for _, v := range c.values() {
		switch v.typ {
		case "Server":
			c.checkServer(v)
		case "Client":
			c.checkClient(v)
		case "Transport":
			c.checkTransport(v)
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
	// contexts: the package makes requests with a context.
	contexts bool
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
	for r := range c.root.Preorder((*ast.RangeStmt)(nil)) {
		n := r.Node().(*ast.RangeStmt)
		id, ok := n.Value.(*ast.Ident)
		list := c.object(n.X)
		if !ok || list == nil || len(c.set[c.info.ObjectOf(id)]) == 0 {
			continue
		}
		// What is done to each is done to what the list holds.
		if c.set[list] == nil {
			c.set[list] = make(map[string]bool)
		}
		maps.Copy(c.set[list], c.set[c.info.ObjectOf(id)])
	}
	for sel := range c.root.Preorder((*ast.SelectorExpr)(nil)) {
		switch sel.Node().(*ast.SelectorExpr).Sel.Name {
		case "NewRequestWithContext", "WithContext":
			c.contexts = c.contexts || !c.isTest(sel)
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

func (c *checker) checkServer(v value) {
	fields, known := c.fields(v)
	if fields == nil || !known {
		return
	}
	loopback := c.loopbackAddr(v.elts)
	if !fields["ReadHeaderTimeout"] && !fields["ReadTimeout"] {
		category := header
		if loopback {
			category = local
		}
		c.report(category, v.at, v.pos, v.end, "the server waits without end for the header of a request: it has neither ReadHeaderTimeout nor ReadTimeout", "set ReadHeaderTimeout, ReadTimeout, WriteTimeout and IdleTimeout")
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
	c.report(category, v.at, v.pos, v.end, "the server has no "+strings.Join(missing, ", no "), "set "+strings.Join(missing, " and "))
}

// loopbackAddr reports whether a server is bound to this machine by its constant
// address.
func (c *checker) loopbackAddr(elts []ast.Expr) bool {
	for _, e := range elts {
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

// checkClient reports a client without Timeout: a warning where it makes requests
// without a context, or where nothing in the package makes one with.
func (c *checker) checkClient(v value) {
	fields, known := c.fields(v)
	if fields == nil || !known || fields["Timeout"] {
		return
	}
	if name := c.asksWithout(v); name != "" {
		c.report(client, v.at, v.pos, v.end, fmt.Sprintf("the client has no Timeout, and %s makes requests without a context: they may wait without end", name), "set Timeout, or make requests by http.NewRequestWithContext")
		return
	}
	category := client
	if c.contexts {
		category = kept
	}
	c.report(category, v.at, v.pos, v.end, "the client has no Timeout: a request without a context of its own may wait without end", "set Timeout, or make each request by http.NewRequestWithContext")
}

// asksWithout is the method by which a client makes requests without a context.
func (c *checker) asksWithout(v value) string {
	at := enclosing.Parens(v.at)
	if at.ParentEdgeKind() == edge.UnaryExpr_X {
		at = enclosing.Parens(at.Parent())
	}
	if at.ParentEdgeKind() == edge.SelectorExpr_X {
		if name := at.Parent().Node().(*ast.SelectorExpr).Sel.Name; withoutContext[name] {
			return name
		}
	}
	holder, _ := c.holder(v.at)
	if holder == nil {
		return ""
	}
	for sel := range c.root.Preorder((*ast.SelectorExpr)(nil)) {
		n := sel.Node().(*ast.SelectorExpr)
		if withoutContext[n.Sel.Name] && c.httpType(c.info.TypeOf(n.X)) == "Client" && c.object(n.X) == holder {
			return n.Sel.Name
		}
	}
	return ""
}

func (c *checker) checkTransport(v value) {
	fields, known := c.fields(v)
	if fields == nil || !known || fields["IdleConnTimeout"] || fields["DisableKeepAlives"] {
		return
	}
	c.report(transport, v.at, v.pos, v.end, "the transport keeps idle connections for ever: it has no IdleConnTimeout", "set IdleConnTimeout, or clone http.DefaultTransport")
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
	if fn, ok := c.info.Uses[sel.Sel].(*types.Func); ok && fn.Pkg() != nil && fn.Pkg().Path() == "net/http" && fn.Signature().Recv() == nil &&
		withoutContext[fn.Name()] && enclosing.Parens(at).ParentEdgeKind() != edge.CallExpr_Fun {
		c.report(client, at, sel.Pos(), sel.End(), fmt.Sprintf("http.%s may wait without end: it has neither a time limit nor a context", fn.Name()), "make the request by http.NewRequestWithContext, and a client with Timeout")
		return
	}
	v, ok := c.info.Uses[sel.Sel].(*types.Var)
	if !ok || v.Pkg() == nil || v.Pkg().Path() != "net/http" || v.Name() != "DefaultClient" && v.Name() != "DefaultTransport" {
		return
	}
	if at.ParentEdgeKind() == edge.SelectorExpr_X && at.Parent().Node().(*ast.SelectorExpr).Sel.Name == "Clone" || c.asserted(at) {
		return // a copy is made of it
	}
	if ctx, ok := reach.At(c.pass.Pkg, c.info, at, ""); !ok || ctx.Testing {
		if c.ofClient(at) {
			return // the client has a limit, or is reported
		}
		c.report(kept, at, sel.Pos(), sel.End(), fmt.Sprintf("http.%s has no time limit and is shared with everyone in the process", v.Name()), "use one of your own, with its limits")
		return
	}
	c.report(request, at, sel.Pos(), sel.End(), fmt.Sprintf("http.%s has no time limit and is shared with everyone in the process, and this serves a caller", v.Name()), "use a client of your own, with Timeout")
}

// ofClient reports whether a transport is that of a client's literal.
func (c *checker) ofClient(at inspector.Cursor) bool {
	at = enclosing.Parens(at)
	return at.ParentEdgeKind() == edge.KeyValueExpr_Value && at.Parent().ParentEdgeKind() == edge.CompositeLit_Elts &&
		c.httpType(c.info.TypeOf(at.Parent().Parent().Node().(*ast.CompositeLit))) == "Client"
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
