package mockgen

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

// Interfaces are the names that a folder's files declare as interfaces, or by
// another type that may be one, sorted; tests are left out.
func Interfaces(dir string) []string {
	var list []string
	names, _ := filepath.Glob(filepath.Join(escape(dir), "*.go"))
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			continue
		}
		for _, d := range f.Decls {
			gen, ok := d.(*ast.GenDecl)
			if !ok || gen.Tok != token.TYPE {
				continue
			}
			for _, spec := range gen.Specs {
				ts := spec.(*ast.TypeSpec)
				switch ts.Type.(type) {
				case *ast.InterfaceType, *ast.Ident, *ast.SelectorExpr, *ast.IndexExpr, *ast.IndexListExpr:
					list = append(list, ts.Name.Name)
				}
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
