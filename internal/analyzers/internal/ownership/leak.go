package ownership

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/cfg"

	"github.com/fractl/fractl/internal/analyzers/internal/enclosing"
	"github.com/fractl/fractl/internal/analyzers/internal/flow"
)

// Exit is where a value is lost that was not released.
type Exit struct {
	// Node is the return statement (a synthetic one at the closing brace where
	// control runs off the end), or the assignment that overwrites the value.
	Node ast.Node
	// Overwritten tells the second case.
	Overwritten bool
}

// Query is what Leak needs to know.
type Query struct {
	Info *types.Info
	// Var holds the value; nil where no variable does.
	Var  *types.Var
	Fate Fate
	// Made is the expression that makes the value.
	Made inspector.Cursor
	// Body is the body of the function that Made stands in.
	Body *ast.BlockStmt
	// Infinite reports whether a range over x never ends by itself; nil means
	// that each one may.
	Infinite func(x ast.Expr) bool
}

// Leak looks for a path from q.Made to the function's end or to an assignment
// to the variable (made again, in a loop), on which none of the releases lies.
// ok is false where there is no such path: each one releases the value, or
// none ends.
//
// A release below an if or switch that does not leave the function counts for
// the whole statement: its condition is taken to go with the value's.
func Leak(q Query) (exit Exit, ok bool) {
	s := search{Query: q, seen: make(map[*cfg.Block]bool)}
	for _, r := range q.Fate.Releases {
		s.spans = append(s.spans, s.hoist(r))
	}
	ast.Inspect(q.Body, func(n ast.Node) bool {
		if c, ok := n.(*ast.CommClause); ok && c.Comm != nil {
			s.comms = append(s.comms, c.Comm)
		}
		return true
	})
	g := cfg.New(q.Body, func(call *ast.CallExpr) bool { return flow.MayReturn(q.Info, call) })
	for _, b := range g.Blocks {
		for i, n := range b.Nodes {
			if enclosing.Within(q.Made.Node(), n) {
				if ret, ok := n.(*ast.ReturnStmt); ok {
					return Exit{ret, false}, true
				}
				return s.from(b, i+1)
			}
		}
	}
	return Exit{}, false
}

type search struct {
	Query
	// spans are the statements that count as releasing.
	spans []ast.Node
	// comms are the communications of select clauses: the graph has all of a
	// select's in the block before it, but only the chosen one takes place.
	comms []ast.Node
	seen  map[*cfg.Block]bool
}

// from walks on at node i of b, in source order, so that the first exit found
// is the same each time.
func (s *search) from(b *cfg.Block, i int) (Exit, bool) {
	if clause, ok := b.Stmt.(*ast.CommClause); ok && b.Kind == cfg.KindSelectCaseBody && clause.Comm != nil && s.releases(clause.Comm) {
		return Exit{}, false
	}
	for _, n := range b.Nodes[i:] {
		if !s.communicates(n) && s.releases(n) {
			return Exit{}, false
		}
		if s.overwrites(n) {
			return Exit{n, true}, true
		}
		if ret, ok := n.(*ast.ReturnStmt); ok {
			return Exit{ret, false}, !s.released()
		}
	}
	for k, next := range b.Succs {
		if s.seen[next] || s.dead(b, k) {
			continue
		}
		s.seen[next] = true
		if exit, ok := s.from(next, 0); ok {
			return exit, true
		}
	}
	return Exit{}, false
}

func (s *search) releases(n ast.Node) bool {
	for _, span := range s.spans {
		// Either the node lies in the statement that releases, or the
		// releasing expression lies in the node.
		if enclosing.Within(n, span) || enclosing.Within(span, n) {
			return true
		}
	}
	return false
}

// released reports whether a function that was deferred before the value was made
// releases what the variable holds at the end.
func (s *search) released() bool {
	for _, d := range s.Fate.AtEnd {
		if d.End() <= s.Made.Node().Pos() {
			return true
		}
	}
	return false
}

func (s *search) communicates(n ast.Node) bool {
	for _, comm := range s.comms {
		if enclosing.Within(n, comm) {
			return true
		}
	}
	return false
}

func (s *search) overwrites(n ast.Node) bool {
	for _, o := range s.Fate.Overwrites {
		if o.Pos() == n.Pos() && o.End() == n.End() {
			return true
		}
	}
	return enclosing.Within(s.Made.Node(), n)
}

// dead reports whether the edge k out of b is never taken: the end of an
// infinite range, or the side of a nil test on which v is nil, which it is not
// on a path from where it was made.
func (s *search) dead(b *cfg.Block, k int) bool {
	if loop, ok := b.Stmt.(*ast.RangeStmt); ok && b.Kind == cfg.KindRangeLoop {
		return k == 1 && s.Infinite != nil && s.Infinite(loop.X)
	}
	if s.Var == nil || len(b.Succs) != 2 || len(b.Nodes) == 0 {
		return false
	}
	cond, ok := b.Nodes[len(b.Nodes)-1].(ast.Expr)
	if !ok {
		return false
	}
	equal, ok := IsNilTest(s.Info, cond, s.Var)
	return ok && (k == 0) == equal
}

// hoist returns the outermost if or switch around the release that made does
// not stand in and that control runs on after, else the release itself.
func (s *search) hoist(release ast.Node) ast.Node {
	at, ok := s.Made.Inspector().Root().FindByPos(release.Pos(), release.End())
	if !ok {
		return release
	}
	span := release
	for c := at; c.Node() != nil; c = c.Parent() {
		switch n := c.Node().(type) {
		case *ast.FuncLit, *ast.FuncDecl:
			return span
		case *ast.BlockStmt:
			if parent, ok := c.Parent().Node().(*ast.IfStmt); ok && !c.Parent().Contains(s.Made) {
				if flow.Terminates(s.Info, n.List) {
					return span
				}
				span = parent
			}
		case *ast.CaseClause:
			if sw := c.Parent().Parent(); !sw.Contains(s.Made) {
				if flow.Terminates(s.Info, n.Body) {
					return span
				}
				span = sw.Node()
			}
		case *ast.CommClause, *ast.ForStmt, *ast.RangeStmt:
			return span
		}
	}
	return span
}
