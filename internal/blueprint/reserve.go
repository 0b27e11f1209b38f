package blueprint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"strconv"
	"strings"

	"github.com/fractl/fractl/internal/blueprint/names"
)

// placeholder is a resource whose forms no template uses for anything else.
const placeholder = "zyxitem"

// checkResource refuses a resource one of whose forms is also the name of
// something else in the code of the fraction: it renders the fraction with a
// resource that clashes with nothing, and looks at what that declares.
func (s skeleton) checkResource(resource string) error {
	neutral, err := names.Resource(placeholder, nil)
	if err != nil {
		return err
	}
	s.data.Resource = neutral
	files, err := s.render()
	if err != nil {
		return err
	}
	taken := map[string]bool{}
	for _, f := range files {
		for _, elem := range strings.Split(path.Dir(f.Path), "/") {
			taken[elem] = true
		}
		if strings.HasSuffix(f.Path, ".go") && !s.ofPiece(f.Path) {
			declared(f.Content, taken)
		}
	}
	var list []string
	for name := range taken {
		list = append(list, name)
	}
	if _, err := names.Resource(resource, list); err != nil {
		return asResource(err)
	}
	return nil
}

// ofPiece reports whether a path is that of a piece's copy, in which nothing
// depends on the resource.
func (s skeleton) ofPiece(name string) bool {
	for _, p := range s.picks {
		if within(name, path.Join("internal", p.Name)) {
			return true
		}
	}
	return false
}

// declared adds the names that a Go file declares: packages, imports, functions,
// types, variables and parameters; not fields and methods, which stand behind a
// dot.
func declared(src []byte, names map[string]bool) {
	file, err := parser.ParseFile(token.NewFileSet(), "", src, parser.SkipObjectResolution)
	if err != nil {
		return // rendering has parsed it already
	}
	add := func(list ...*ast.Ident) {
		for _, id := range list {
			names[id.Name] = true
		}
	}
	add(file.Name)
	for _, imp := range file.Imports {
		if imp.Name != nil {
			add(imp.Name)
		} else if p, err := strconv.Unquote(imp.Path.Value); err == nil {
			names[path.Base(p)] = true
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv == nil {
				add(n.Name)
			} else {
				for _, f := range n.Recv.List {
					add(f.Names...)
				}
			}
		case *ast.TypeSpec:
			add(n.Name)
		case *ast.ValueSpec:
			add(n.Names...)
		case *ast.FuncType:
			for _, list := range []*ast.FieldList{n.Params, n.Results} {
				if list != nil {
					for _, f := range list.List {
						add(f.Names...)
					}
				}
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				for _, e := range n.Lhs {
					if id, ok := e.(*ast.Ident); ok {
						add(id)
					}
				}
			}
		case *ast.RangeStmt:
			for _, e := range []ast.Expr{n.Key, n.Value} {
				if id, ok := e.(*ast.Ident); ok {
					add(id)
				}
			}
		}
		return true
	})
}
