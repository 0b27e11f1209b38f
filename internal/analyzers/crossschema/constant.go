package crossschema

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"sort"
	"strconv"
	"strings"

	"github.com/fractl/fractl/internal/analyzers/internal/sqltext"
)

// goTexts lists the constant texts of a file that are SQL, in order. info may
// lack what could not be type-checked.
func goTexts(fset *token.FileSet, file *ast.File, info *types.Info) []text {
	c := &collector{fset: fset, info: info}
	ast.Walk(c, file)
	return c.list
}

// collector visits the expressions of a file, with what they stand in.
type collector struct {
	fset *token.FileSet
	info *types.Info
	list []text
	// context is the name that a text is given or given to: of a constant, a
	// variable, a field, a function that is called.
	context string
}

// in is a collector for what is inside something that has a name.
func (c *collector) in(name string, nodes ...ast.Node) {
	outer := c.context
	c.context = name
	for _, n := range nodes {
		if n != nil {
			ast.Walk(c, n)
		}
	}
	c.context = outer
}

func (c *collector) Visit(n ast.Node) ast.Visitor {
	switch n := n.(type) {
	case *ast.ImportSpec:
		return nil
	case *ast.Field:
		if n.Type != nil {
			ast.Walk(c, n.Type) // not its tag
		}
		return nil
	case *ast.ValueSpec:
		for i, v := range n.Values {
			name := ""
			if i < len(n.Names) {
				name = n.Names[i].Name
			}
			c.in(name, v)
		}
		return nil
	case *ast.AssignStmt:
		for i, v := range n.Rhs {
			name := ""
			if i < len(n.Lhs) {
				name = last(n.Lhs[i])
			}
			c.in(name, v)
		}
		for _, v := range n.Lhs {
			ast.Walk(c, v)
		}
		return nil
	case *ast.KeyValueExpr:
		c.in(last(n.Key), n.Value)
		return nil
	case *ast.FuncDecl:
		c.tableName(n)
	case *ast.CallExpr:
		c.call(n)
		return nil
	case *ast.BasicLit:
		c.text(n)
		return nil
	case *ast.BinaryExpr:
		if n.Op == token.ADD && c.text(n) {
			return nil
		}
	}
	return c
}

// last is the last name of an expression: that of a variable, field or function.
func last(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.IndexExpr:
		return last(e.X)
	case *ast.IndexListExpr:
		return last(e.X)
	}
	return ""
}

// tableName takes a method TableName, by which mappers learn the table of a
// type. A table without a schema counts as made by them.
func (c *collector) tableName(n *ast.FuncDecl) {
	if n.Name.Name != "TableName" || n.Recv == nil || n.Body == nil || len(n.Body.List) != 1 {
		return
	}
	ret, ok := n.Body.List[0].(*ast.ReturnStmt)
	if !ok || len(ret.Results) != 1 {
		return
	}
	name, ok := c.constant(ret.Results[0])
	if !ok || name == "" {
		return
	}
	u := sqltext.Use{Access: sqltext.Create, Temporary: true, End: len(name)}
	u.Table = name
	if schema, table, ok := strings.Cut(name, "."); ok {
		u.Schema, u.Table, u.Access = schema, table, sqltext.Read
	}
	pos := c.fset.PositionFor(ret.Results[0].Pos(), false)
	c.list = append(c.list, text{value: name, uses: []sqltext.Use{u}, start: pos,
		span: func(int, int) (token.Position, token.Position) {
			return pos, c.fset.PositionFor(ret.Results[0].End(), false)
		}})
}

// call visits a call. The constants that Sprintf puts into a text are part of
// it.
func (c *collector) call(n *ast.CallExpr) {
	ast.Walk(c, n.Fun)
	args := n.Args
	if isSprintf(n) {
		if t := c.format(n); c.add(t) {
			args = args[1:]
		}
		c.in("", nodes(args)...)
		return
	}
	c.in(last(n.Fun), nodes(args)...)
}

func nodes(list []ast.Expr) []ast.Node {
	var all []ast.Node
	for _, e := range list {
		all = append(all, e)
	}
	return all
}

func isSprintf(n *ast.CallExpr) bool {
	sel, ok := n.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "Sprintf" || len(n.Args) == 0 {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && x.Name == "fmt"
}

// piece is a part of a text that stands in one place.
type piece struct {
	// at is where it begins in the text.
	at       int
	pos, end token.Pos
	// lit is the source of a literal; "" for what comes from elsewhere.
	lit string
}

// folded is a text with the places of its parts.
type folded struct {
	value  strings.Builder
	pieces []piece
}

func (f *folded) put(value string, pos, end token.Pos, lit string) {
	f.pieces = append(f.pieces, piece{f.value.Len(), pos, end, lit})
	f.value.WriteString(value)
}

// text takes an expression that is a string; what is not constant in it is a
// hole. It reports whether it has been looked at whole.
func (c *collector) text(e ast.Expr) bool {
	var f folded
	if !c.fold(&f, e) {
		return false
	}
	c.add(&f)
	// Calls inside a sum have texts of their own.
	ast.Inspect(e, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			ast.Walk(c, call)
			return false
		}
		return true
	})
	return true
}

// fold appends an expression. It is false for what has no literal in it.
func (c *collector) fold(f *folded, e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		value, err := strconv.Unquote(e.Value)
		if e.Kind != token.STRING || err != nil {
			return false
		}
		f.put(value, e.Pos(), e.End(), e.Value)
		return true
	case *ast.ParenExpr:
		return c.fold(f, e.X)
	case *ast.BinaryExpr:
		if e.Op != token.ADD {
			break
		}
		left := c.fold(f, e.X)
		return c.fold(f, e.Y) || left
	}
	value, ok := c.constant(e)
	if !ok {
		value = string(sqltext.Hole)
	}
	f.put(value, e.Pos(), e.End(), "")
	return false
}

// constant is the value of an expression that is a constant string.
func (c *collector) constant(e ast.Expr) (string, bool) {
	tv, ok := c.info.Types[e]
	if !ok || tv.Value == nil || tv.Value.Kind() != constant.String {
		return "", false
	}
	return constant.StringVal(tv.Value), true
}

// format is the text that Sprintf makes, with a hole for each argument that is
// no constant. A format that counts its arguments itself is left as it is: the
// verbs are holes.
func (c *collector) format(n *ast.CallExpr) *folded {
	var whole, f folded
	if !c.fold(&whole, n.Args[0]) {
		return nil
	}
	value, arg := whole.value.String(), 1
	if strings.Contains(value, "%[") || strings.Contains(value, "%*") {
		return &whole
	}
	for i, p := range whole.pieces {
		end := len(value)
		if i+1 < len(whole.pieces) {
			end = whole.pieces[i+1].at
		}
		part := value[p.at:end]
		from := 0
		for at := 0; at+1 < len(part); at++ {
			if part[at] != '%' {
				continue
			}
			if part[at+1] == '%' {
				at++
				continue
			}
			if filled, ok := c.argument(n.Args, arg); ok && (part[at+1] == 's' || part[at+1] == 'v') {
				f.put(part[from:at], p.pos, p.end, p.source(from))
				f.put(filled, n.Args[arg].Pos(), n.Args[arg].End(), "")
				from = at + 2
			}
			arg++
			at++
		}
		f.put(part[from:], p.pos, p.end, p.source(from))
	}
	return &f
}

func (c *collector) argument(args []ast.Expr, i int) (string, bool) {
	if i >= len(args) {
		return "", false
	}
	return c.constant(args[i])
}

// source is the literal of what is left of a piece from byte from on. Places
// behind what was filled in are that of the literal.
func (p piece) source(from int) string {
	if from > 0 {
		return ""
	}
	return p.lit
}

// add keeps a text that is SQL.
func (c *collector) add(f *folded) bool {
	if f == nil {
		return false
	}
	value := f.value.String()
	if !c.likely(value) {
		return false
	}
	uses, ok := sqltext.Statements(value)
	if !ok {
		return false
	}
	t := text{value: value, uses: uses, start: c.fset.PositionFor(f.pieces[0].pos, false)}
	pieces := f.pieces
	t.span = func(from, to int) (start, end token.Position) {
		i := sort.Search(len(pieces), func(i int) bool { return pieces[i].at > from })
		p := pieces[max(i-1, 0)]
		return c.fset.PositionFor(p.place(from), false), c.fset.PositionFor(p.behind(to), false)
	}
	c.list = append(c.list, t)
	return true
}

// place is where byte offset of the text stands in the source.
func (p piece) place(offset int) token.Pos {
	if p.lit == "" {
		return p.pos
	}
	offset -= p.at
	if p.lit[0] == '`' {
		return min(p.pos+1+token.Pos(offset), p.end)
	}
	rest := p.lit[1 : len(p.lit)-1]
	for read := 0; read < offset && rest != ""; {
		r, multibyte, tail, err := strconv.UnquoteChar(rest, '"')
		if err != nil {
			break
		}
		read++
		if multibyte {
			read += len(string(r)) - 1
		}
		rest = tail
	}
	return p.pos + token.Pos(len(p.lit)-1-len(rest))
}

// behind is where the source goes on behind what ends at byte offset.
func (p piece) behind(offset int) token.Pos {
	if p.lit == "" {
		return p.end
	}
	return p.place(offset)
}

// likely rules out words that could be a statement but say what a function
// does: without a sign in them, and not in capitals, they only count where the
// name they are given says so.
func (c *collector) likely(value string) bool {
	if strings.ContainsAny(value, "*=();<>,?'\"`\n.$0123456789") {
		return true
	}
	word, _, _ := strings.Cut(strings.TrimSpace(value), " ")
	if word == strings.ToUpper(word) {
		return true
	}
	name := strings.ToLower(c.context)
	for _, part := range []string{"query", "exec", "prepare", "select", "sql", "stmt", "raw", "queue", "insert", "delete", "update", "named", "rebind"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return name == "get" || name == "q"
}
