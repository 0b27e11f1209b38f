// Package uses finds the code of a module that would no longer compile once some
// of its files are gone or replaced: before anything is touched, and without the
// go command, the modules that it requires, or any other package at hand.
package uses

import (
	"bytes"
	"cmp"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Use is a place in a file of the second state.
type Use struct {
	// File is the path of the file, as in the map that it came from.
	File string
	Line int
	// What says what is used, or what the type checker says about it.
	What string
}

// Lost compares two states of a module's Go files, which map slash-separated
// paths relative to the module's folder to contents. It returns, sorted, each
// import of a package that is gone, and each fault that the type checker finds
// in the second state of a package and not in the first.
//
// Types of other packages are unknown to it: what depends on them is taken to be
// right. Files that do not parse are left to the compiler.
func Lost(modPath string, before, after map[string][]byte) []Use {
	l := lost{modPath: modPath, before: before, after: after}
	l.imports()
	l.types()
	slices.SortFunc(l.found, func(a, b Use) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.What, b.What))
	})
	return slices.Compact(l.found)
}

type lost struct {
	modPath       string
	before, after map[string][]byte
	found         []Use
}

// stays reports whether a file is the same in both states.
func (l *lost) stays(name string) bool {
	old, ok := l.before[name]
	content, still := l.after[name]
	return ok && still && bytes.Equal(old, content)
}

// imports finds the imports of packages that are gone.
func (l *lost) imports() {
	gone := packages(l.before)
	for dir := range packages(l.after) {
		delete(gone, dir)
	}
	if len(gone) == 0 {
		return
	}
	paths := map[string]bool{}
	for dir := range gone {
		paths[path.Join(l.modPath, dir)] = true
	}
	for name, src := range l.after {
		if !containsAny(src, paths) {
			continue
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, src, parser.ImportsOnly)
		if err != nil {
			continue
		}
		for _, spec := range file.Imports {
			if p, err := strconv.Unquote(spec.Path.Value); err == nil && paths[p] {
				l.found = append(l.found, Use{name, fset.Position(spec.Pos()).Line, "imports " + p})
			}
		}
	}
}

// packages are the folders that hold Go files other than tests.
func packages(files map[string][]byte) map[string]bool {
	dirs := map[string]bool{}
	for name := range files {
		if !strings.HasSuffix(name, "_test.go") {
			dirs[path.Dir(name)] = true
		}
	}
	return dirs
}

// containsAny is a quick look that spares most files a parse.
func containsAny(src []byte, paths map[string]bool) bool {
	for p := range paths {
		if bytes.Contains(src, []byte(p)) {
			return true
		}
	}
	return false
}

// types finds what the type checker says about what has changed.
func (l *lost) types() {
	dirs := map[string]bool{}
	for name := range l.before {
		if !l.stays(name) {
			dirs[path.Dir(name)] = true
		}
	}
	for name := range l.after {
		if _, ok := l.before[name]; !ok {
			dirs[path.Dir(name)] = true
		}
	}
	for dir := range dirs {
		known := map[Use]bool{}
		for _, u := range check(dir, l.before) {
			known[u] = true
		}
		if len(known) == 0 && !holds(dir, l.before) {
			continue // a new package, which is somebody else's to check
		}
		for _, u := range check(dir, l.after) {
			if !known[u] && (l.stays(u.File) || certain(u.What)) {
				l.found = append(l.found, u)
			}
		}
	}
}

// certain reports whether a fault is one that does not come from types that are
// unknown here. A file that was there shows those in both states.
func certain(what string) bool {
	return strings.Contains(what, "redeclared") || strings.Contains(what, "undefined")
}

// holds reports whether a folder has any of the files.
func holds(dir string, files map[string][]byte) bool {
	for name := range files {
		if path.Dir(name) == dir {
			return true
		}
	}
	return false
}

// check type-checks the packages of one folder, each by itself.
func check(dir string, files map[string][]byte) []Use {
	fset := token.NewFileSet()
	packages := map[string][]*ast.File{}
	for name, src := range files {
		if path.Dir(name) != dir {
			continue
		}
		if file, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution); err == nil {
			packages[file.Name.Name] = append(packages[file.Name.Name], file)
		}
	}
	var found []Use
	for name, list := range packages {
		slices.SortFunc(list, func(a, b *ast.File) int {
			return cmp.Compare(fset.Position(a.Pos()).Filename, fset.Position(b.Pos()).Filename)
		})
		config := types.Config{
			Importer:    nothing{},
			FakeImportC: true,
			Error: func(err error) {
				var e types.Error
				// What begins with a tab goes on with the fault before it.
				if errors.As(err, &e) && !e.Soft && !strings.HasPrefix(e.Msg, "could not import ") && e.Msg[0] != '\t' {
					at := fset.Position(e.Pos)
					found = append(found, Use{at.Filename, at.Line, e.Msg})
				}
			},
		}
		// The faults come through Error.
		_, _ = config.Check(name, fset, list, nil)
	}
	return found
}

// nothing is an importer that knows no package; the type checker then believes
// whatever is said of one.
type nothing struct{}

func (nothing) Import(p string) (*types.Package, error) { return nil, errors.New("not looked at") }
