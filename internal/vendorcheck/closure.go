package vendorcheck

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vendorcheck/gofile"
	"github.com/fractl/fractl/internal/vendorcheck/modulestxt"
)

// closure is what the packages of the main modules and their tests import, and
// what that imports in turn, under every choice of build tags: the packages that
// 'go mod vendor' vendors.
type closure struct {
	// reached are the packages outside of the main modules, each with the place
	// of one import of it.
	reached map[string]importer
	// broken is true where a file of a main module has no head of a Go file, or a
	// package is missing, so that not all imports are known.
	broken bool
}

// importer is where an import stands.
type importer struct {
	file string // relative to the root
	line int
}

// importsOf computes the closure of a build.
func (c *checker) importsOf(b *build, l *list, v *vendored) (*closure, error) {
	cl := &closure{reached: map[string]importer{}}
	own := map[string]bool{} // packages of the main modules
	var queue []string
	add := func(imp string, at importer) {
		if _, known := cl.reached[imp]; known || imp == "C" || imp == "unsafe" || own[imp] || isStandard(b, l, imp) {
			return
		}
		cl.reached[imp] = at
		queue = append(queue, imp)
	}
	var found []imported
	for _, m := range b.mains {
		list, err := c.mainImports(m, own, cl)
		if err != nil {
			return nil, err
		}
		found = append(found, list...)
	}
	for _, f := range found {
		add(f.path, f.at)
	}
	for _, m := range b.mains {
		for _, t := range m.file.Tool {
			add(t.Path, importer{m.name, t.Syntax.Start.Line})
		}
	}
	folders := v.goFolders()
	name := c.rel(l.dir)
	for len(queue) > 0 {
		pkg := queue[0]
		queue = queue[1:]
		// What one that is not there would import is not known.
		cl.broken = cl.broken || l.packages[pkg] != nil && folders[pkg] == nil
		for _, f := range folders[pkg] {
			if strings.HasSuffix(f.path, "_test.go") || f.info.Ignored || !counts(path.Base(f.path)) {
				continue
			}
			for _, imp := range f.info.Imports {
				add(imp.Path, importer{path.Join(name, f.path), imp.Line})
			}
		}
	}
	return cl, nil
}

// counts reports whether the go command looks at a Go file of that name.
func counts(base string) bool { return base[0] != '_' && base[0] != '.' }

// goFolders are the Go files below the vendor folder by their folder.
func (v *vendored) goFolders() map[string][]*vendoredFile {
	folders := map[string][]*vendoredFile{}
	for _, f := range v.files {
		if strings.HasSuffix(f.path, ".go") {
			dir := path.Dir(f.path)
			folders[dir] = append(folders[dir], f)
		}
	}
	return folders
}

// imported is an import path with its place.
type imported struct {
	path string
	at   importer
}

// mainImports reads the imports of all packages of a main module and of their
// tests, and notes the packages in own.
func (c *checker) mainImports(m *goMod, own map[string]bool, cl *closure) (list []imported, err error) {
	var ignored []string
	for _, i := range m.file.Ignore {
		ignored = append(ignored, i.Path)
	}
	err = filepath.WalkDir(m.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := filepath.ToSlash(strings.TrimPrefix(name[len(m.dir):], string(filepath.Separator)))
		if d.IsDir() {
			if rel == "" {
				return c.ctx.Err()
			}
			base := d.Name()
			if base == "testdata" || !counts(base) || base == "vendor" || ignoredDir(rel, ignored) || isThere(filepath.Join(name, "go.mod")) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || !counts(d.Name()) || !d.Type().IsRegular() {
			return nil
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		info := gofile.Read(src)
		cl.broken = cl.broken || info.Broken
		if info.Ignored {
			return nil
		}
		own[path.Join(m.path(), path.Dir(rel))] = true
		for _, imp := range info.Imports {
			list = append(list, imported{imp.Path, importer{c.rel(name), imp.Line}})
		}
		return nil
	})
	return list, err
}

// ignoredDir reports whether an ignore directive covers a folder: one that begins
// with ./ names it from the module's root, another at any depth.
func ignoredDir(rel string, ignored []string) bool {
	return slices.ContainsFunc(ignored, func(pattern string) bool {
		if from, ok := strings.CutPrefix(pattern, "./"); ok {
			return rel == from
		}
		return rel == pattern || strings.HasSuffix(rel, "/"+pattern)
	})
}

// isStandard reports whether an import path is of the standard library: its
// first element has no dot, and it is of no module that the build names.
func isStandard(b *build, l *list, imp string) bool {
	first, _, _ := strings.Cut(imp, "/")
	if strings.Contains(first, ".") || l.packages[imp] != nil {
		return false
	}
	for _, m := range b.mains {
		if isBelow(imp, m.path()) || slices.ContainsFunc(m.file.Require, func(r *modfile.Require) bool { return isBelow(imp, r.Mod.Path) }) {
			return false
		}
	}
	return true
}

// imports reports packages that are imported and not vendored, and those that
// are vendored and not imported.
func (c *checker) imports(b *build, l *list, cl *closure, gone map[string]bool) {
	var missing, idle []string
	for imp := range cl.reached {
		if l.packages[imp] == nil && !knownGone(imp, gone, l.torn) && !c.inMains(b, imp) {
			missing = append(missing, imp)
		}
	}
	slices.Sort(missing)
	for _, imp := range missing {
		at := cl.reached[imp]
		where := place{file: at.file, line: at.line, col: 1, endLine: at.line, endCol: 1}
		c.report(ModulesTxtRule, finding.Error, where, b.repair,
			fmt.Sprintf("package %s is imported here, but %s does not list it", imp, l.name))
	}
	if cl.broken || slices.ContainsFunc(l.file.Problems, func(p modulestxt.Problem) bool { return !p.Cosmetic }) {
		return // what is not there, or cannot be read, has told enough
	}
	for _, m := range l.file.Modules {
		idle = idle[:0]
		line := 0
		for _, p := range m.Packages {
			if _, ok := cl.reached[p.Path]; !ok {
				if len(idle) == 0 {
					line = p.Line
				}
				idle = append(idle, p.Path)
			}
		}
		switch {
		case len(idle) == 0 || gone[m.Mod.Path] || c.inMains(b, idle[0]):
		case len(idle) == len(m.Packages):
			c.report(ModulesTxtRule, finding.Warning, l.place(m.Line), b.repair, fmt.Sprintf("nothing imports a package of %s any more", named(m.Mod)))
		default:
			text := "nothing imports package " + idle[0]
			if more := len(idle) - 1; more > 0 {
				text += fmt.Sprintf(" any more, nor %d others of %s", more, named(m.Mod))
			} else {
				text += " any more"
			}
			c.report(ModulesTxtRule, finding.Warning, l.place(line), b.repair, text)
		}
	}
}

// inMains reports whether an import path lies below a main module's.
func (c *checker) inMains(b *build, imp string) bool {
	return slices.ContainsFunc(b.mains, func(m *goMod) bool { return isBelow(imp, m.path()) })
}
