package exportdata

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const lowSrc = `package low

type List[T any] struct{ items []T }

func (l *List[T]) Add(x T) { l.items = append(l.items, x) }

type Names = List[string]
`

const midSrc = `package mid

import "low"

type Service struct {
	low.Names
	hidden int
}

//line other.go:7
func (s *Service) Run(f func(*low.List[int]) error) (n int, err error) { return 0, nil }

const Big = 1 << 80

var Default Service
`

func parse(t *testing.T, fset *token.FileSet, name, src string, imports map[string]*types.Package) (*types.Package, *token.File) {
	t.Helper()
	f, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	conf := types.Config{Importer: packages(imports)}
	pkg, err := conf.Check(f.Name.Name, fset, []*ast.File{f}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return pkg, fset.File(f.FileStart)
}

type packages map[string]*types.Package

func (p packages) Import(path string) (*types.Package, error) { return p[path], nil }

// describe tells all of a package that an importer sees, with files and lines;
// columns are not kept, nor what line comments say.
func describe(fset *token.FileSet, pkg *types.Package) string {
	var b strings.Builder
	tell := func(obj types.Object) {
		p := fset.PositionFor(obj.Pos(), false)
		fmt.Fprintf(&b, "%s at %s:%d\n", types.ObjectString(obj, nil), p.Filename, p.Line)
	}
	for _, name := range pkg.Scope().Names() {
		obj := pkg.Scope().Lookup(name)
		tell(obj)
		if named, ok := obj.Type().(*types.Named); ok {
			for m := range named.Methods() {
				tell(m)
			}
		}
	}
	return b.String()
}

func TestRoundTrip(t *testing.T) {
	root := filepath.FromSlash("/here/checkout")
	rename := func(name string) string {
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return name
		}
		return filepath.ToSlash(rel)
	}
	fset := token.NewFileSet()
	low, lowFile := parse(t, fset, filepath.Join(root, "low", "low.go"), lowSrc, nil)
	mid, midFile := parse(t, fset, filepath.Join(root, "mid", "mid.go"), midSrc, map[string]*types.Package{"low": low})
	lowData, err := Write(low, fset, []*token.File{lowFile}, rename)
	if err != nil {
		t.Fatal(err)
	}
	midData, err := Write(mid, fset, []*token.File{midFile}, rename)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := Write(mid, fset, []*token.File{midFile}, rename); string(again) != string(midData) {
		t.Error("written twice, the bytes differ")
	}
	if strings.Contains(string(lowData)+string(midData), "checkout") {
		t.Error("the data holds a path of this machine")
	}

	// On another machine, where a set has files already.
	elsewhere := filepath.FromSlash("/somewhere/else")
	locate := func(name string) string { return filepath.Join(elsewhere, filepath.FromSlash(name)) }
	fset2 := token.NewFileSet()
	fset2.AddFile("mine.go", -1, 100)
	imports := make(map[string]*types.Package)
	low2, err := Read(lowData, fset2, "low", imports, locate)
	if err != nil {
		t.Fatal(err)
	}
	mid2, err := Read(midData, fset2, "mid", imports, locate)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll(describe(fset, low)+describe(fset, mid), root, elsewhere)
	if diff := cmp.Diff(want, describe(fset2, low2)+describe(fset2, mid2)); diff != "" {
		t.Error(diff)
	}
	service := mid2.Scope().Lookup("Service").Type().Underlying().(*types.Struct)
	embedded := types.Unalias(service.Field(0).Type()).(*types.Named)
	if embedded.Obj().Pkg() != low2 {
		t.Error("mid has a low of its own")
	}
	// Its positions are nobody else's.
	mine := fset2.AddFile("more.go", -1, 100)
	if p := fset2.Position(mine.Pos(3)); filepath.Base(p.Filename) != "more.go" {
		t.Errorf("a new file has the positions of %s", p.Filename)
	}
}

func TestReadDamaged(t *testing.T) {
	fset := token.NewFileSet()
	low, file := parse(t, fset, "low.go", lowSrc, nil)
	data, err := Write(low, fset, []*token.File{file}, func(s string) string { return s })
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(data) {
		if _, err := Read(data[:n], token.NewFileSet(), "low", map[string]*types.Package{}, func(s string) string { return s }); err == nil && n < len(data)-1 {
			t.Fatalf("%d of %d bytes are enough", n, len(data))
		}
	}
}
