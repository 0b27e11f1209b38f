package crossimport

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"strconv"
	"strings"

	"github.com/fractl/fractl/internal/workspace"
)

// plugins reads the constant arguments of plugin.Open.
func (s *source) plugins() []reference {
	name := ""
	if s.ast != nil {
		for _, spec := range s.ast.Imports {
			if p, err := strconv.Unquote(spec.Path.Value); err == nil && p == "plugin" {
				name = "plugin"
				if spec.Name != nil {
					name = spec.Name.Name
				}
			}
		}
	}
	if name == "" {
		return nil
	}
	// As much of a file as parses is enough.
	fset := token.NewFileSet()
	f, _ := parser.ParseFile(fset, s.rel, s.src, parser.SkipObjectResolution)
	if f == nil {
		return nil
	}
	offset := func(pos token.Pos) int { return fset.PositionFor(pos, false).Offset }
	e := evaluator{constants: constants(f)}
	var list []reference
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) != 1 || !opensPlugin(call.Fun, name) {
			return true
		}
		if p, ok := e.text(call.Args[0], 8); ok && p != "" {
			list = append(list, reference{kind: pluginRef, start: offset(call.Args[0].Pos()), end: offset(call.Args[0].End()), path: p, isPath: true, text: p})
		}
		return true
	})
	return list
}

// opensPlugin reports whether a function is plugin.Open, by the name that the file
// has for the package.
func opensPlugin(fun ast.Expr, name string) bool {
	switch fun := ast.Unparen(fun).(type) {
	case *ast.Ident:
		return name == "." && fun.Name == "Open"
	case *ast.SelectorExpr:
		x, ok := fun.X.(*ast.Ident)
		return ok && x.Name == name && fun.Sel.Name == "Open"
	}
	return false
}

// constants are the constants that a file declares for its package, by name.
func constants(f *ast.File) map[string]ast.Expr {
	byName := make(map[string]ast.Expr)
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, spec := range g.Specs {
			if v, ok := spec.(*ast.ValueSpec); ok && len(v.Names) == len(v.Values) {
				for i, name := range v.Names {
					byName[name.Name] = v.Values[i]
				}
			}
		}
	}
	return byName
}

// evaluator gives the value of a text that stands in a file.
type evaluator struct{ constants map[string]ast.Expr }

// text looks so many steps deep: a constant may name itself in a file that does not
// build.
func (e evaluator) text(x ast.Expr, deep int) (string, bool) {
	if deep == 0 {
		return "", false
	}
	switch x := ast.Unparen(x).(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(x.Value)
		return s, err == nil && x.Kind == token.STRING
	case *ast.Ident:
		value, ok := e.constants[x.Name]
		if !ok {
			return "", false
		}
		return e.text(value, deep-1)
	case *ast.BinaryExpr:
		left, ok := e.text(x.X, deep-1)
		right, ok2 := e.text(x.Y, deep-1)
		return left + right, ok && ok2 && x.Op == token.ADD
	case *ast.CallExpr:
		sel, ok := ast.Unparen(x.Fun).(*ast.SelectorExpr)
		if !ok || sel.Sel.Name != "Join" {
			return "", false
		}
		if pkg, ok := sel.X.(*ast.Ident); !ok || pkg.Name != "filepath" && pkg.Name != "path" {
			return "", false
		}
		var parts []string
		for _, arg := range x.Args {
			part, ok := e.text(arg, deep-1)
			if !ok {
				return "", false
			}
			parts = append(parts, part)
		}
		return path.Join(parts...), true
	}
	return "", false
}

// plugin is the fraction whose plugin a file of fraction from opens. A path is
// relative to the folder that the program runs in, which is mostly that of the
// fraction or the root; a file in no fraction's folder is known by its name.
func (c *checker) plugin(from *workspace.Fraction, dir, file string) (*workspace.Fraction, bool) {
	file = path.Clean(strings.ReplaceAll(file, `\`, "/"))
	for _, base := range []string{dir, from.Dir, "."} {
		at := path.Join(base, file)
		if strings.HasPrefix(at, "../") || path.IsAbs(file) {
			continue
		}
		if to := c.ws.FractionOf(path.Dir(at)); to != nil && to != from && path.Dir(at) != "." {
			return to, true
		}
	}
	name := strings.TrimSuffix(path.Base(file), path.Ext(file))
	for _, to := range c.ws.Fractions {
		if to != from && path.Ext(file) == ".so" && to.Name == name {
			return to, true
		}
	}
	return nil, false
}
