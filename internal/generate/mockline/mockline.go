// Package mockline plans the go:generate line of a mock: where it goes, what it
// says, and how a test uses what it makes.
package mockline

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/mod/semver"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/generate/mockgen"
	"github.com/fractl/fractl/internal/workspace"
)

// Line is the line of one mock.
type Line struct {
	// File is where it goes, relative to the root, and Text the line. At is the
	// byte in front of which it goes; the file may be new.
	File string
	Text string
	At   int
	New  bool
	// Interface is what it mocks, Output the file that it makes.
	Interface string
	Output    string
	// Package is the name of the package that gets the mock.
	Package string
	// TypeParams is how many type parameters the interface has.
	TypeParams int
	// Methods are those that the interface itself declares.
	Methods []Method
}

// Method is one method of an interface.
type Method struct {
	Name             string
	Params, Results  int
	Variadic, Opaque bool
}

// Plan plans the line for PACKAGE.INTERFACE, as seen from the folder here. The
// interface of another fraction is refused; that of a contract or of another
// module gets its line in the package of the folder.
func Plan(ws *workspace.Workspace, here, arg string) (*Line, error) {
	dot := strings.LastIndexByte(arg, '.')
	if dot <= 0 || dot == len(arg)-1 || strings.ContainsAny(arg[dot:], "/\\") {
		return nil, fault.New(arg, "does not name an interface", "write PACKAGE.INTERFACE, such as ./internal/store.Repository")
	}
	pkg, name := arg[:dot], arg[dot+1:]
	dir, importPath, err := locate(ws, here, pkg)
	if err != nil {
		return nil, err
	}
	own := ws.FractionOf(ws.Rel(here))
	if dir != "" {
		to := ws.FractionOf(dir)
		open := ws.IsContract(dir) || ws.IsShared(dir)
		if own != nil && to != nil && to != own && !open {
			return nil, fault.New(arg, fmt.Sprintf("is an interface of fraction %s, and this is fraction %s", to.Name, own.Name),
				fmt.Sprintf("mock the contract of %s instead: fractl mock %s.INTERFACE", to.Name, contractOf(ws, to)))
		}
		if !open {
			return inPlace(ws, dir, name, arg)
		}
	}
	return elsewhere(ws, here, dir, importPath, name, arg)
}

// locate finds the folder, relative to the root, and the import path of a
// package; dir is "" for one that is not of the workspace.
func locate(ws *workspace.Workspace, here, pkg string) (dir, importPath string, err error) {
	if pkg == "." || strings.HasPrefix(pkg, "./") || strings.HasPrefix(pkg, "../") {
		abs := filepath.Join(here, filepath.FromSlash(pkg))
		if info, err := os.Stat(abs); err != nil || !info.IsDir() {
			return "", "", fault.New(pkg, "no such folder", "name the package by its folder or its import path")
		}
		dir = ws.Rel(abs)
		m := ws.ModuleOf(dir)
		if m == nil {
			return "", "", fault.New(pkg, "is of no module of this workspace", "name a package of one of them")
		}
		return dir, path.Join(m.Path, strings.TrimPrefix(strings.TrimPrefix(dir, m.Dir), "/")), nil
	}
	if dir, ok := ws.PackageDir(pkg); ok {
		if _, err := os.Stat(ws.Abs(dir)); err != nil {
			return "", "", fault.New(pkg, "no such package in this workspace", "name the package by its folder or its import path")
		}
		return dir, pkg, nil
	}
	if info, err := os.Stat(filepath.Join(here, filepath.FromSlash(pkg))); err == nil && info.IsDir() {
		return "", "", fault.New(pkg, "is a folder here and no import path", "write ./"+pkg)
	}
	return "", pkg, nil
}

// contractOf is the folder of a fraction's contract, or where it would be.
func contractOf(ws *workspace.Workspace, to *workspace.Fraction) string {
	root := "contracts"
	if ws.Manifest != nil && len(ws.Manifest.Contracts) > 0 {
		root = ws.Manifest.Contracts[0]
	}
	return "./" + path.Join(root, to.Name, "v1")
}

// inPlace plans a line right above the interface.
func inPlace(ws *workspace.Workspace, dir, name, arg string) (*Line, error) {
	known := mockgen.Interfaces(ws.Abs(dir))
	found, err := find(ws.Abs(dir), name)
	if err != nil {
		return nil, err
	}
	if found == nil {
		hint := "its interfaces are " + strings.Join(known, ", ")
		if len(known) == 0 {
			hint = "it has no interfaces"
		}
		if near := workspace.Nearest(name, known); near != "" {
			hint = "did you mean " + near + "?"
		}
		return nil, fault.New(arg, "no interface "+name+" in package "+dir, hint)
	}
	output := "mock_" + snake(name) + "_test.go"
	what := "."
	if m := ws.ModuleOf(dir); m != nil && older(m, "v0.5.0") {
		what = path.Join(m.Path, strings.TrimPrefix(strings.TrimPrefix(dir, m.Dir), "/"))
	}
	return &Line{
		File: path.Join(dir, found.file), At: found.at, Interface: name, Output: path.Join(dir, output), Package: found.pkg, TypeParams: found.params, Methods: found.methods,
		Text: fmt.Sprintf("//go:generate go tool mockgen -typed -destination=%s -package=%s %s %s", output, found.pkg, what, name),
	}, nil
}

// older reports whether a module requires a mockgen before a version.
func older(m *workspace.Module, version string) bool {
	for _, r := range m.File.Require {
		if r.Mod.Path == mockgen.ModulePath {
			return semver.Compare(r.Mod.Version, version) < 0
		}
	}
	return false
}

// elsewhere plans a line in the package of a folder, for an interface that is
// declared where no line of ours can be.
func elsewhere(ws *workspace.Workspace, here, dir, importPath, name, arg string) (*Line, error) {
	var methods []Method
	params := 0
	if dir != "" {
		found, err := find(ws.Abs(dir), name)
		if err != nil {
			return nil, err
		}
		if found == nil {
			known := mockgen.Interfaces(ws.Abs(dir))
			hint := "its interfaces are " + strings.Join(known, ", ")
			if near := workspace.Nearest(name, known); near != "" {
				hint = "did you mean " + near + "?"
			}
			return nil, fault.New(arg, "no interface "+name+" in package "+dir, hint)
		}
		methods, params = found.methods, found.params
	}
	pkg, err := packageName(here)
	if err != nil {
		return nil, err
	}
	output := "mock_" + snake(name) + "_test.go"
	rel := ws.Rel(here)
	l := &Line{
		File: path.Join(rel, "generate.go"), Interface: name, Output: path.Join(rel, output), Package: pkg, TypeParams: params, Methods: methods,
		Text: fmt.Sprintf("//go:generate go tool mockgen -typed -destination=%s -package=%s %s %s", output, pkg, importPath, name),
	}
	src, err := os.ReadFile(ws.Abs(l.File))
	switch {
	case os.IsNotExist(err):
		l.New = true
	case err != nil:
		return nil, err
	default:
		l.At = len(src)
	}
	return l, nil
}

// packageName is that of the Go files of a folder.
func packageName(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, e.Name()), nil, parser.PackageClauseOnly)
		if err == nil {
			return f.Name.Name, nil
		}
	}
	return "", fault.New(".", "there is no Go package in this folder", "run it in the folder of the package that uses the mock")
}

// declaration is where an interface is declared.
type declaration struct {
	file, pkg string
	at        int
	params    int
	methods   []Method
}

// find looks for an interface in the files of a folder, tests excluded.
func find(dir, name string) (*declaration, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, filepath.Join(dir, e.Name()), nil, parser.ParseComments|parser.SkipObjectResolution)
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
				if ts.Name.Name != name {
					continue
				}
				pos := gen.Pos()
				if gen.Doc != nil {
					pos = gen.Doc.Pos()
				}
				return &declaration{e.Name(), f.Name.Name, fset.Position(pos).Offset, ts.TypeParams.NumFields(), methods(ts.Type)}, nil
			}
		}
	}
	return nil, nil
}

func methods(t ast.Expr) []Method {
	it, ok := t.(*ast.InterfaceType)
	if !ok {
		return nil
	}
	var list []Method
	for _, field := range it.Methods.List {
		ft, ok := field.Type.(*ast.FuncType)
		if !ok {
			continue
		}
		for _, name := range field.Names {
			m := Method{Name: name.Name, Params: ft.Params.NumFields(), Results: ft.Results.NumFields()}
			if ft.Results != nil {
				for _, r := range ft.Results.List {
					// Only what nil does for can be returned without knowing more.
					switch x := r.Type.(type) {
					case *ast.StarExpr, *ast.InterfaceType, *ast.ArrayType, *ast.MapType, *ast.ChanType, *ast.FuncType:
					case *ast.Ident:
						m.Opaque = m.Opaque || x.Name != "error" && x.Name != "any"
					default:
						m.Opaque = true
					}
				}
			}
			list = append(list, m)
		}
	}
	return list
}

// snake is a name in small letters with underscores: UserStore is user_store,
// HTTPClient http_client.
func snake(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// Apply is the content of the file with the line in it.
func (l *Line) Apply(src []byte) []byte {
	if l.New {
		return []byte("package " + l.Package + "\n\n" + l.Text + "\n")
	}
	text := l.Text + "\n"
	if l.At == len(src) {
		if len(src) > 0 && src[len(src)-1] != '\n' {
			text = "\n" + text
		}
		return slices.Concat(src, []byte("\n"+text))
	}
	return slices.Concat(src[:l.At], []byte(text), []byte("\n"), src[l.At:])
}

// Skeleton is a short test that uses the mock.
func (l *Line) Skeleton() string {
	v := strings.ToLower(l.Interface[:1]) + l.Interface[1:]
	if token.IsKeyword(v) || v == l.Package {
		v = "mock"
	}
	types := ""
	if l.TypeParams > 0 {
		types = "[" + strings.TrimSuffix(strings.Repeat("any, ", l.TypeParams), ", ") + "]"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "func TestWith%s(t *testing.T) {\n\tctrl := gomock.NewController(t)\n\t%s := NewMock%s%s(ctrl)\n", strings.ToUpper(l.Interface[:1])+l.Interface[1:], v, l.Interface, types)
	if len(l.Methods) > 0 {
		m := l.Methods[0]
		args := strings.TrimSuffix(strings.Repeat("gomock.Any(), ", m.Params), ", ")
		call := fmt.Sprintf("\t%s.EXPECT().%s(%s)", v, m.Name, args)
		if m.Results > 0 && !m.Opaque {
			call += ".Return(" + strings.TrimSuffix(strings.Repeat("nil, ", m.Results), ", ") + ")"
		}
		fmt.Fprintln(&b, call)
	}
	fmt.Fprintf(&b, "\n\t// Hand %s to what is tested, and call that here.\n}\n", strconv.Quote(v))
	return b.String()
}
