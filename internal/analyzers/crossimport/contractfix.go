package crossimport

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/workspace"
)

// contractFix is the edit that imports to's contract instead of its package,
// where the contract has every name that the file uses of the package.
func (c *checker) contractFix(s *source, r reference, to *workspace.Fraction) []finding.Fix {
	dir := c.contract(to)
	if dir == "" || r.kind != importRef || !c.open(dir) {
		return nil
	}
	importPath, ok := c.importPath(dir)
	if !ok {
		return nil
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, s.rel, s.src, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil || ast.IsGenerated(file) {
		return nil
	}
	spec := specAt(fset, file, r)
	if spec == nil {
		return nil
	}
	local := localName(spec, r.path)
	if local == "" || local == "." || local == "_" {
		return nil
	}
	name, exported := contractNames(c.ws.Abs(dir))
	used := selected(file, local)
	if len(used) == 0 {
		return nil
	}
	for n := range used {
		if !exported[n] {
			return nil
		}
	}
	text := strconv.Quote(importPath)
	if local != name || path.Base(importPath) != name {
		text = local + " " + text
	}
	return []finding.Fix{{
		Message: "import " + importPath + " instead",
		Edits:   []finding.Edit{{File: s.rel, Start: r.start, End: r.end, New: []byte(text)}},
	}}
}

// importPath is the import path of a folder of the workspace.
func (c *checker) importPath(dir string) (string, bool) {
	m := c.ws.ModuleOf(dir)
	if m == nil {
		return "", false
	}
	rel := dir
	if m.Dir != "." {
		rel = strings.TrimPrefix(strings.TrimPrefix(dir, m.Dir), "/")
	}
	return path.Join(m.Path, rel), true
}

func specAt(fset *token.FileSet, file *ast.File, r reference) *ast.ImportSpec {
	for _, spec := range file.Imports {
		if fset.PositionFor(spec.Pos(), false).Offset == r.start {
			return spec
		}
	}
	return nil
}

// localName is what a file calls an import: by its own word, or by the last part
// of the path that is no version.
func localName(spec *ast.ImportSpec, importPath string) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	base := path.Base(importPath)
	if len(base) > 1 && base[0] == 'v' && strings.Trim(base[1:], "0123456789") == "" {
		base = path.Base(path.Dir(importPath))
	}
	return base
}

// selected are the names that a file uses of what it calls local.
func selected(file *ast.File, local string) map[string]bool {
	used := make(map[string]bool)
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == local {
				used[sel.Sel.Name] = true
			}
		}
		return true
	})
	return used
}

// contractNames are the name of the package in a folder and what it exports.
func contractNames(dir string) (name string, exported map[string]bool) {
	exported = make(map[string]bool)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", exported
	}
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, e.Name()), nil, parser.SkipObjectResolution)
		if err != nil {
			continue
		}
		name = f.Name.Name
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					exported[d.Name.Name] = d.Name.IsExported()
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						exported[spec.Name.Name] = spec.Name.IsExported()
					case *ast.ValueSpec:
						for _, n := range spec.Names {
							exported[n.Name] = n.IsExported()
						}
					}
				}
			}
		}
	}
	return name, exported
}
