package vet

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/packages"

	"github.com/fractl/fractl/internal/cache"
	"github.com/fractl/fractl/internal/vet/apihash"
)

// node is one package in one variant, to be type-checked.
type node struct {
	pkg *packages.Package
	// deps are keyed by the import path as the source spells it.
	deps map[string]*node
	// ours is true for a package of the workspace, unit for one whose
	// findings are wanted.
	ours, unit bool
	// imported: another package of the run imports it.
	imported bool
	// mixed: packages of the workspace are among those that it reaches.
	mixed bool
	// cyclic: it is in a cycle of imports, or imports such a package. It is
	// not looked at: go list has said why.
	cyclic bool
	// key identifies a package that is not ours across groups.
	key string
	// env and config are those of the package's build.
	env    *goEnv
	config string

	// unitKey is the key of the package by itself, closure that with all that
	// it imports; keyed is false where there are none.
	unitKey, closure cache.Key
	keyed            bool

	// done is closed when what follows is final: all that importers need of
	// the package to know whether their results still hold.
	done   chan struct{}
	result unitResult
	wires  []wireFact
	api    apihash.Table
	hasC   bool     // see cgo
	kept   *variant // where the result was known
	byName factsByName

	// ready is closed when the types and facts are there. That is so only
	// where an importer has to be analysed.
	ready  chan struct{}
	wanted bool
	types  *types.Package
	facts  factStore

	// syntax is dropped when the last rule is done with it.
	files    []*ast.File
	info     *types.Info
	typeErrs []types.Error
	broken   bool // it does not parse or type-check
}

// imports are the import paths of n's dependencies, sorted.
func (n *node) imports() []string {
	list := make([]string, 0, len(n.deps))
	for imp := range n.deps {
		list = append(list, imp)
	}
	slices.Sort(list)
	return list
}

// goVersion is the language version of the package's module, or "".
func (n *node) goVersion() string {
	if n.pkg.Module == nil || n.pkg.Module.GoVersion == "" {
		return ""
	}
	return "go" + n.pkg.Module.GoVersion
}

// parse reads the files of the package. Without bodies only the declarations
// are kept, and nothing is said of errors.
func (n *node) parse(fset *token.FileSet, read func(string) ([]byte, error), p *problems, bodies bool) {
	mode := parser.SkipObjectResolution
	if bodies {
		mode |= parser.ParseComments
	}
	for _, name := range n.pkg.GoFiles {
		src, err := read(name)
		if err == nil {
			var f *ast.File
			if f, err = parser.ParseFile(fset, name, src, mode); f != nil {
				if !bodies {
					strip(f)
				}
				n.files = append(n.files, f)
			}
		}
		if err != nil {
			n.broken = true
			if bodies {
				p.parsed(name, err)
			}
		}
	}
}

// strip drops what no importer can see: bodies become empty blocks (with none
// at all the type checker misses the body of a generic function), and the
// elements of composite literals go where they decide neither a type nor a
// constant. Tables of Unicode or of time zones are most of some packages.
func strip(f *ast.File) {
	for _, decl := range f.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Body != nil {
				d.Body = &ast.BlockStmt{Lbrace: d.Body.Lbrace, Rbrace: d.Body.Rbrace}
			}
		case *ast.GenDecl:
			if d.Tok != token.VAR {
				continue
			}
			for _, spec := range d.Specs {
				for _, v := range spec.(*ast.ValueSpec).Values {
					stripValue(v)
				}
			}
		}
	}
}

func stripValue(v ast.Expr) {
	switch v := v.(type) {
	case *ast.UnaryExpr:
		stripValue(v.X)
	case *ast.ParenExpr:
		stripValue(v.X)
	case *ast.FuncLit:
		v.Body = &ast.BlockStmt{Lbrace: v.Body.Lbrace, Rbrace: v.Body.Rbrace}
	case *ast.CompositeLit:
		if a, ok := v.Type.(*ast.ArrayType); ok {
			if _, counted := a.Len.(*ast.Ellipsis); counted {
				return // the number of elements is part of the type
			}
		}
		v.Elts = nil
	}
}

// check type-checks the package. Those that it imports must be done.
func (n *node) check(fset *token.FileSet, sizes types.Sizes, p *problems, bodies bool) {
	n.checkWith(fset, sizes, p, importer(n.deps), bodies)
}

// checkWith is check with imports from anywhere.
func (n *node) checkWith(fset *token.FileSet, sizes types.Sizes, p *problems, imp types.Importer, bodies bool) {
	n.hasC = n.cgo()
	unwanted := n.unresolved()
	conf := &types.Config{
		GoVersion:        n.goVersion(),
		Importer:         imp,
		Sizes:            sizes,
		FakeImportC:      true,
		IgnoreFuncBodies: !bodies,
		Error: func(err error) {
			e, ok := err.(types.Error)
			if !ok || !bodies {
				n.broken = true
				return
			}
			n.broken = true
			n.typeErrs = append(n.typeErrs, e)
			if len(n.typeErrs) <= maxErrors && !slices.ContainsFunc(unwanted, func(s string) bool { return strings.HasPrefix(e.Msg, s) }) {
				p.typed(e)
			}
		},
	}
	if bodies {
		n.info = &types.Info{
			Types:        make(map[ast.Expr]types.TypeAndValue),
			Defs:         make(map[*ast.Ident]types.Object),
			Uses:         make(map[*ast.Ident]types.Object),
			Implicits:    make(map[ast.Node]types.Object),
			Instances:    make(map[*ast.Ident]types.Instance),
			Scopes:       make(map[ast.Node]*types.Scope),
			Selections:   make(map[*ast.SelectorExpr]*types.Selection),
			FileVersions: make(map[*ast.File]string),
		}
	}
	n.types, _ = conf.Check(n.pkg.PkgPath, fset, n.files, n.info) // errors went to conf.Error
	n.types.SetName(n.pkg.Name)
}

// unresolved are the beginnings of type errors that only repeat what go list
// said of an import.
func (n *node) unresolved() []string {
	var list []string
	for imp, d := range n.deps {
		if d.missing() {
			list = append(list, "could not import "+imp+" ")
		}
	}
	if len(n.pkg.Errors) > 0 {
		// go/packages leaves out what would close a cycle of imports.
		for _, f := range n.files {
			for _, spec := range f.Imports {
				if imp, err := strconv.Unquote(spec.Path.Value); err == nil && n.deps[imp] == nil {
					list = append(list, "could not import "+imp+" ")
				}
			}
		}
	}
	return list
}

// importer resolves the imports of one package.
type importer map[string]*node

func (m importer) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	n, ok := m[path]
	switch {
	case !ok:
		return nil, fmt.Errorf("go list did not name it")
	case n.types == nil || n.missing():
		return nil, fmt.Errorf("it could not be loaded")
	}
	return n.types, nil
}

// missing reports whether go list found no package, and has said so.
func (n *node) missing() bool { return len(n.pkg.GoFiles) == 0 && len(n.pkg.Errors) > 0 }

// cgo reports whether the package, or one that it imports, has types of C.
func (n *node) cgo() bool {
	own := slices.ContainsFunc(n.files, func(f *ast.File) bool {
		return slices.ContainsFunc(f.Imports, func(s *ast.ImportSpec) bool { return s.Path.Value == `"C"` })
	})
	if own {
		return true
	}
	for _, d := range n.deps {
		if d.hasC {
			return true
		}
	}
	return false
}

// drop lets go of the syntax.
func (n *node) drop() { n.files, n.info, n.typeErrs = nil, nil, nil }

// module is the module of the package as analyzers see it.
func (n *node) module() *analysis.Module {
	m := n.pkg.Module
	if m == nil {
		return nil
	}
	return &analysis.Module{Path: m.Path, Version: m.Version, GoVersion: m.GoVersion, Main: m.Main, Dir: m.Dir, GoMod: m.GoMod}
}
