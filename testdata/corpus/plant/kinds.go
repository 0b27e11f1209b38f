package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// kind is one way of making a fault.
type kind struct {
	rule string
	// places are where a package can have it.
	places func(*module, *packages.Package) []plant
	// prepare, where set, changes what the faults need besides.
	prepare func(m *module, write func(name, content string) error) error
}

func kinds() []kind {
	return []kind{
		{rule: "chanleak", places: closes},
		{rule: "crossimport", places: imports, prepare: twoFractions},
		{rule: "crossschema", places: tables, prepare: otherTable},
		{rule: "ctxbreak", places: contexts},
		{rule: "ctxlessdb", places: queries},
		{rule: "httplimits", places: limits},
		{rule: "poolescape", places: puts},
		{rule: "timerleak", places: stops, prepare: oldTimers},
		{rule: "unsafeshare", places: addresses},
	}
}

// params are the parameters of a function, but not those of literals in it.
func params(pkg *packages.Package, fn *ast.FuncDecl) map[types.Object]bool {
	set := make(map[types.Object]bool)
	for _, f := range fn.Type.Params.List {
		for _, name := range f.Names {
			set[pkg.TypesInfo.Defs[name]] = true
		}
	}
	return set
}

func isContext(t types.Type) bool {
	return t != nil && types.TypeString(t, nil) == "context.Context"
}

// contexts passes a fresh context where a parameter is passed on.
func contexts(_ *module, pkg *packages.Package) (list []plant) {
	functions(pkg, func(f *ast.File, fn *ast.FuncDecl) {
		name := imported(pkg, f, "context")
		if name == "" {
			return
		}
		own := params(pkg, fn)
		inspect(fn.Body, func(n ast.Node) {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return
			}
			id, ok := call.Args[0].(*ast.Ident)
			if ok && own[pkg.TypesInfo.Uses[id]] && isContext(pkg.TypesInfo.TypeOf(id)) {
				list = append(list, place(pkg, fn, call, "a fresh context", span(pkg, id.Pos(), id.End(), name+".Background()")))
			}
		})
	})
	return list
}

// queries drops the context of a call to a database.
func queries(_ *module, pkg *packages.Package) (list []plant) {
	names := []string{"QueryContext", "QueryRowContext", "ExecContext", "PrepareContext", "PingContext", "GetContext", "SelectContext", "QueryxContext", "QueryRowxContext", "NamedExecContext"}
	functions(pkg, func(_ *ast.File, fn *ast.FuncDecl) {
		own := params(pkg, fn)
		inspect(fn.Body, func(n ast.Node) {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			id, ok2 := call.Args[0].(*ast.Ident)
			if !ok || !ok2 || !slices.Contains(names, sel.Sel.Name) || !own[pkg.TypesInfo.Uses[id]] {
				return
			}
			short := strings.TrimSuffix(sel.Sel.Name, "Context")
			if obj, _, _ := types.LookupFieldOrMethod(pkg.TypesInfo.TypeOf(sel.X), true, pkg.Types, short); obj == nil {
				return
			}
			to := call.Args[0].End()
			if len(call.Args) > 1 {
				to = call.Args[1].Pos()
			}
			list = append(list, place(pkg, fn, call, "no context", span(pkg, sel.Sel.Pos(), sel.Sel.End(), short), span(pkg, call.Args[0].Pos(), to, "")))
		})
	})
	return list
}

// stops drops the Stop of a timer or ticker that the function makes for itself.
func stops(_ *module, pkg *packages.Package) (list []plant) {
	functions(pkg, func(_ *ast.File, fn *ast.FuncDecl) {
		for obj, made := range locals(pkg, fn, "time.NewTicker", "time.NewTimer") {
			edits, whole := calls(pkg, fn, obj, func(call *ast.CallExpr) bool {
				sel, ok := call.Fun.(*ast.SelectorExpr)
				return ok && sel.Sel.Name == "Stop" && uses(pkg, sel.X, obj)
			})
			if len(edits) > 0 && whole {
				list = append(list, place(pkg, fn, made, "no Stop of "+obj.Name(), edits...))
			}
		}
	})
	return list
}

// closes drops the close of a channel that the function makes and ranges over.
func closes(_ *module, pkg *packages.Package) (list []plant) {
	functions(pkg, func(_ *ast.File, fn *ast.FuncDecl) {
		for obj, made := range locals(pkg, fn, "make") {
			ranged, other := false, false
			inspect(fn.Body, func(n ast.Node) {
				if r, ok := n.(*ast.RangeStmt); ok && uses(pkg, r.X, obj) {
					ranged = true
				}
				if call, ok := n.(*ast.CallExpr); ok {
					for _, a := range call.Args {
						if fun, ok := call.Fun.(*ast.Ident); uses(pkg, a, obj) && (!ok || fun.Name != "close" && fun.Name != "len" && fun.Name != "cap") {
							other = true // whoever gets it may close it
						}
					}
				}
				switch n := n.(type) {
				case *ast.ReturnStmt:
					for _, e := range n.Results {
						other = other || uses(pkg, e, obj)
					}
				case *ast.KeyValueExpr:
					other = other || uses(pkg, n.Value, obj)
				case *ast.AssignStmt:
					for _, e := range n.Rhs {
						other = other || uses(pkg, e, obj)
					}
				}
			})
			edits, whole := calls(pkg, fn, obj, func(call *ast.CallExpr) bool {
				id, ok := call.Fun.(*ast.Ident)
				return ok && id.Name == "close" && uses(pkg, call.Args[0], obj)
			})
			if ranged && !other && len(edits) > 0 && whole {
				list = append(list, place(pkg, fn, made, "no close of "+obj.Name(), edits...))
			}
		}
	})
	return list
}

// puts gives an object back at once instead of at the end.
func puts(_ *module, pkg *packages.Package) (list []plant) {
	functions(pkg, func(_ *ast.File, fn *ast.FuncDecl) {
		inspect(fn.Body, func(n ast.Node) {
			d, ok := n.(*ast.DeferStmt)
			if !ok || len(d.Call.Args) != 1 {
				return
			}
			sel, ok := d.Call.Fun.(*ast.SelectorExpr)
			id, ok2 := d.Call.Args[0].(*ast.Ident)
			if !ok || !ok2 || sel.Sel.Name != "Put" || !strings.HasSuffix(types.TypeString(pkg.TypesInfo.TypeOf(sel.X), nil), "sync.Pool") {
				return
			}
			used := false
			inspect(fn.Body, func(n ast.Node) {
				if later, ok := n.(*ast.Ident); ok && later.Pos() > d.End() && pkg.TypesInfo.Uses[later] == pkg.TypesInfo.Uses[id] {
					used = true
				}
			})
			if used {
				list = append(list, place(pkg, fn, d, "an early Put", span(pkg, d.Pos(), d.Call.Pos(), "")))
			}
		})
	})
	return list
}

// limits drops the limit for headers of a server.
func limits(_ *module, pkg *packages.Package) (list []plant) {
	functions(pkg, func(_ *ast.File, fn *ast.FuncDecl) {
		inspect(fn.Body, func(n ast.Node) {
			lit, ok := n.(*ast.CompositeLit)
			if !ok || types.TypeString(pkg.TypesInfo.TypeOf(lit), nil) != "net/http.Server" {
				return
			}
			var edits []edit
			for _, e := range lit.Elts {
				kv, ok := e.(*ast.KeyValueExpr)
				if !ok {
					return
				}
				if key := kv.Key.(*ast.Ident).Name; key == "ReadHeaderTimeout" || key == "ReadTimeout" {
					if pkg.TypesInfo.Types[kv.Value].Value != nil {
						// What it names stays in use, so that the file still compiles.
						edits = append(edits, span(pkg, kv.Value.Pos(), kv.Value.Pos(), "0 * "))
						continue
					}
					edits = append(edits, span(pkg, kv.Value.Pos(), kv.Value.End(), "0"))
				}
			}
			if len(edits) > 0 {
				list = append(list, place(pkg, fn, lit, "no limit for headers", edits...))
			}
		})
	})
	return list
}

// addresses hands out the address of a parameter as a number.
func addresses(_ *module, pkg *packages.Package) (list []plant) {
	functions(pkg, func(f *ast.File, fn *ast.FuncDecl) {
		name := imported(pkg, f, "unsafe")
		if name == "" || pkg.Name == "main" {
			return
		}
		at := edit{at: pkg.Fset.Position(fn.End()).Offset}
		at.end = at.at
		at.text = fmt.Sprintf("; func Planted%d(p *int) uintptr { return uintptr(%s.Pointer(p)) }", fn.Pos(), name)
		list = append(list, place(pkg, fn, fn, "an address", at))
	})
	return list
}

var tableName = regexp.MustCompile("^([\"`]\\s*(?:SELECT|INSERT|UPDATE|DELETE)\\b[^;(%%]*?\\b(?:FROM|INTO|UPDATE|JOIN)\\s+)([a-z_][a-z_0-9]*)\\b")

// tables replaces a table's name by that of another fraction's.
func tables(_ *module, pkg *packages.Package) (list []plant) {
	functions(pkg, func(_ *ast.File, fn *ast.FuncDecl) {
		inspect(fn.Body, func(n ast.Node) {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return
			}
			if m := tableName.FindStringSubmatchIndex(lit.Value); m != nil && len(lit.Value) > m[5] && strings.ContainsRune(" \n\t\"`(", rune(lit.Value[m[5]])) {
				at := lit.Pos() + token.Pos(m[4])
				list = append(list, place(pkg, fn, lit, "another's table", span(pkg, at, at+token.Pos(m[5]-m[4]), "planted_users")))
			}
		})
	})
	return list
}

// otherTable makes the module a fraction beside one that owns a table.
func otherTable(m *module, write func(name, content string) error) error {
	if err := write(filepath.Join(m.dir, "planted", "users.sql"), "CREATE TABLE planted_users (id int);\n"); err != nil {
		return err
	}
	dirs, err := folders(m)
	if err != nil {
		return err
	}
	manifest := "version: 1\nmodule: " + m.path + "\nfractions:\n  planted: {dir: planted}\n"
	for _, d := range dirs {
		manifest += fmt.Sprintf("  %s: {dir: %s}\n", d, d)
	}
	return write(filepath.Join(m.dir, "fractl.yaml"), manifest)
}

// folders are the folders of the root that may be fractions.
func folders(m *module) (list []string, err error) {
	entries, err := os.ReadDir(m.dir)
	for _, e := range entries {
		if e.IsDir() && regexp.MustCompile(`^[a-z][a-z0-9]*$`).MatchString(e.Name()) && e.Name() != "vendor" && e.Name() != "testdata" && e.Name() != "planted" {
			list = append(list, e.Name())
		}
	}
	return list, err
}

// imports adds the import of another fraction to a file.
func imports(m *module, pkg *packages.Package) (list []plant) {
	for _, f := range pkg.Syntax {
		pos := pkg.Fset.Position(f.Package)
		rel, err := filepath.Rel(m.dir, pos.Filename)
		if err != nil || !strings.Contains(rel, "/") || strings.HasPrefix(rel, "..") {
			continue
		}
		if dir, _, _ := strings.Cut(rel, "/"); !regexp.MustCompile(`^[a-z][a-z0-9]*$`).MatchString(dir) {
			continue
		}
		at := pkg.Fset.Position(f.Name.End()).Offset
		list = append(list, plant{
			file: pos.Filename, what: "another's package", line: pos.Line, from: pos.Line, to: pos.Line,
			edits: []edit{{at, at, "; import _ \"" + m.path + "/planted/inner\""}},
		})
	}
	return list
}

// twoFractions makes the folders of the root fractions beside another one.
func twoFractions(m *module, write func(name, content string) error) error {
	if err := write(filepath.Join(m.dir, "planted", "inner", "inner.go"), "package inner\n"); err != nil {
		return err
	}
	return otherTable(m, write)
}

// oldTimers gives the module the meaning of timers in which every one that is
// not stopped is kept.
func oldTimers(m *module, write func(name, content string) error) error {
	name := filepath.Join(m.dir, "go.mod")
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if err := write(name, string(data)); err != nil {
		return err
	}
	cmd := exec.Command("go", "mod", "edit", "-godebug=asynctimerchan=1")
	cmd.Dir, cmd.Env = m.dir, environment()
	return cmd.Run()
}
