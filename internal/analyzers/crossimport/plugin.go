package crossimport

import (
	"go/scanner"
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
	fset := token.NewFileSet()
	f := fset.AddFile(s.rel, -1, len(s.src))
	var scan scanner.Scanner
	scan.Init(f, s.src, func(token.Position, string) {}, 0)
	var list []reference
	// The tokens before a literal: plugin . Open (
	before := []string{name, ".", "Open", "("}
	if name == "." {
		before = []string{"Open", "("}
	}
	matched := 0
	for {
		pos, tok, lit := scan.Scan()
		if tok == token.EOF {
			return list
		}
		if matched == len(before) && tok == token.STRING {
			if p, err := strconv.Unquote(lit); err == nil && p != "" {
				at := f.Offset(pos)
				list = append(list, reference{kind: pluginRef, start: at, end: at + len(lit), path: p, isPath: true, text: p})
			}
		}
		text := lit
		if tok.IsOperator() {
			text = tok.String()
		}
		switch {
		case matched < len(before) && text == before[matched]:
			matched++
		case text == before[0]:
			matched = 1
		default:
			matched = 0
		}
	}
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
