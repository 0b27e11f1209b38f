package httplimits

import (
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/fractl/fractl/internal/workspace"
)

// checkProxies compares for how long servers keep idle connections with what
// the manifest says of the proxy in front of the fraction. A proxy that sends a
// request over a connection which the server closes at that moment gets a reset
// for it, so the server has to be the more patient one.
func (c *checker) checkProxies() error {
	var limits []limit
	for lit := range c.root.Preorder((*ast.CompositeLit)(nil)) {
		if c.httpType(c.info.TypeOf(lit.Node().(*ast.CompositeLit))) == "Server" && !c.isTest(lit) {
			if l, ok := c.idleLimit(lit); ok {
				limits = append(limits, l)
			}
		}
	}
	if len(limits) == 0 {
		return nil
	}
	dir := filepath.Dir(c.pass.Fset.File(c.pass.Files[0].Package).Name())
	ws, err := workspace.Find(dir)
	if errors.Is(err, workspace.ErrNone) {
		return nil
	}
	if err != nil {
		return err
	}
	fraction := ws.FractionOf(ws.Rel(dir))
	if fraction == nil || fraction.KeepAlive == 0 {
		return nil
	}
	for _, l := range limits {
		if l.value <= fraction.KeepAlive {
			c.reportProxy(ws, fraction, l)
		}
	}
	return nil
}

// limit is for how long a server keeps idle connections.
type limit struct {
	value    time.Duration
	field    string
	pos, end token.Pos
	// set is where it gets its value, where that is elsewhere.
	set token.Pos
}

// idleLimit is what a literal of a server sets IdleTimeout to or, as net/http
// takes in its place, ReadTimeout; ok is false where that is not constant.
func (c *checker) idleLimit(lit inspector.Cursor) (l limit, ok bool) {
	byName := make(map[string]ast.Expr)
	for _, e := range lit.Node().(*ast.CompositeLit).Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return l, false
		}
		if key, ok := kv.Key.(*ast.Ident); ok {
			byName[key.Name] = kv.Value
		}
	}
	holder, _ := c.holder(lit)
	if c.set[holder]["IdleTimeout"] {
		return l, false
	}
	for _, name := range []string{"IdleTimeout", "ReadTimeout"} {
		e, ok := byName[name]
		if !ok {
			continue
		}
		value, set, ok := c.duration(e)
		if !ok {
			return l, false
		}
		if value != 0 {
			return limit{value, name, e.Pos(), e.End(), set}, true
		}
	}
	return l, false // for ever
}

// duration is the value of a constant, or of a field or variable which the
// package sets in one place, to a constant, such as a default.
func (c *checker) duration(e ast.Expr) (d time.Duration, set token.Pos, ok bool) {
	if d, ok := c.constant(e); ok {
		return d, token.NoPos, true
	}
	obj := c.object(e)
	if obj == nil || obj.Pkg() != c.pass.Pkg {
		return 0, token.NoPos, false
	}
	var values []ast.Expr
	for n := range c.root.Preorder((*ast.KeyValueExpr)(nil), (*ast.AssignStmt)(nil), (*ast.ValueSpec)(nil)) {
		if c.isTest(n) {
			continue
		}
		switch n := n.Node().(type) {
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && c.info.Uses[key] == obj {
				values = append(values, n.Value)
			}
		case *ast.AssignStmt:
			for i, lhs := range n.Lhs {
				if c.object(lhs) == obj && len(n.Lhs) == len(n.Rhs) {
					values = append(values, n.Rhs[i])
				}
			}
		case *ast.ValueSpec:
			for i, name := range n.Names {
				if c.info.Defs[name] == obj && i < len(n.Values) {
					values = append(values, n.Values[i])
				}
			}
		}
	}
	if len(values) != 1 {
		return 0, token.NoPos, false
	}
	d, ok = c.constant(values[0])
	return d, values[0].Pos(), ok
}

func (c *checker) constant(e ast.Expr) (time.Duration, bool) {
	tv := c.info.Types[e]
	if tv.Value == nil || !isDuration(tv.Type) {
		return 0, false
	}
	n, ok := constant.Int64Val(constant.ToInt(tv.Value))
	return time.Duration(n), ok
}

func isDuration(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "time" && named.Obj().Name() == "Duration"
}

func (c *checker) reportProxy(ws *workspace.Workspace, f *workspace.Fraction, l limit) {
	d := analysis.Diagnostic{
		Pos: l.pos, End: l.end, Category: label(proxy),
		Message: fmt.Sprintf("the server closes idle connections after %s, by %s, and its proxy keeps them for %s: requests on their way are reset", l.value, l.field, f.KeepAlive),
	}
	d.Related = append(d.Related, analysis.RelatedInformation{Pos: l.pos, Message: fmt.Sprintf("hint: set IdleTimeout to more than %s, or lower keep_alive at the proxy and in %s", f.KeepAlive, workspace.ManifestName)})
	if l.set.IsValid() {
		d.Related = append(d.Related, analysis.RelatedInformation{Pos: l.set, Message: "it is set here"})
	}
	if src, err := os.ReadFile(ws.Abs(workspace.ManifestName)); err == nil {
		file := c.pass.Fset.AddFile(ws.Abs(workspace.ManifestName), -1, len(src))
		file.SetLinesForContent(src)
		if f.KeepAliveLine <= file.LineCount() {
			d.Related = append(d.Related, analysis.RelatedInformation{Pos: file.LineStart(f.KeepAliveLine), Message: "the proxy of fraction " + f.Name})
		}
	}
	c.pass.Report(d)
}
