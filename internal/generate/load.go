package generate

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"

	"github.com/fractl/fractl/internal/generate/mockgen"
	"github.com/fractl/fractl/internal/generate/mockmake"
	"github.com/fractl/fractl/internal/workspace"
)

// loadTypes type-checks the packages of the mocks that are to be made from types,
// once for all of them: from source, without the bodies of functions, so that
// nothing is compiled. What has errors is left to mockgen.
func (e *Engine) loadTypes(ctx context.Context, needs func(*Item) bool) {
	byModule := make(map[*workspace.Module][]string)
	for _, item := range e.Items {
		switch {
		case !needs(item):
		case item.Kind != Mock:
			return // it may change what the types are
		case item.Mock.Mode == mockgen.Package && item.Version == mockmake.Version && item.module != nil && item.Mock.Flags["build_flags"] == "":
			importPath := item.Mock.ImportPath
			if importPath == "." {
				importPath, _ = importPathOf(item.Dir)
			}
			byModule[item.module] = append(byModule[item.module], importPath)
		}
	}
	e.loaded = make(map[string]*types.Package)
	for m, paths := range byModule {
		slices.Sort(paths)
		pkgs, err := packages.Load(&packages.Config{
			Context: ctx, Dir: e.ws.Abs(m.Dir), Env: e.env, ParseFile: parseWithoutBodies,
			Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedDeps | packages.NeedTypes | packages.NeedTypesSizes | packages.NeedSyntax,
		}, slices.Compact(paths)...)
		if err != nil {
			continue
		}
		for _, pkg := range pkgs {
			if pkg.Types != nil && sound(pkg) {
				e.loaded[pkg.PkgPath] = pkg.Types
			}
		}
	}
}

// sound reports whether a package has no errors but for imports that only bodies
// use.
func sound(pkg *packages.Package) bool {
	return !slices.ContainsFunc(pkg.Errors, func(err packages.Error) bool {
		return err.Kind != packages.TypeError || !strings.Contains(err.Msg, "imported and not used") && !strings.Contains(err.Msg, "imported as ")
	})
}

func parseWithoutBodies(fset *token.FileSet, name string, src []byte) (*ast.File, error) {
	f, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if f == nil {
		return nil, err
	}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
			fn.Body = &ast.BlockStmt{Lbrace: fn.Body.Lbrace, Rbrace: fn.Body.Rbrace}
			if fn.Type.Results != nil && len(fn.Type.Results.List) > 0 {
				fn.Body = nil // an empty one would lack its return
			}
		}
	}
	return f, err
}
