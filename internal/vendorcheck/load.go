package vendorcheck

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"

	"golang.org/x/mod/modfile"
	"golang.org/x/sync/errgroup"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/workspace"
)

// goMod is a parsed go.mod, or the file that -modfile puts in its place.
type goMod struct {
	dir  string // the module's root, absolute
	name string // of the file, relative to the workspace root
	file *modfile.File
}

// path is the module path.
func (m *goMod) path() string { return m.file.Module.Mod.Path }

// goVersion is the go line, or "" where there is none.
func (m *goMod) goVersion() string {
	if m.file.Go == nil {
		return ""
	}
	return m.file.Go.Version
}

// goWork is a parsed go.work with its modules.
type goWork struct {
	dir   string // of the file, absolute
	name  string // relative to the workspace root
	file  *modfile.WorkFile
	mains []*goMod // in the order of the use lines
}

// preload parses the go.mod files of units, in parallel. What is wrong with one
// is found again, and told, when it is needed.
func (c *checker) preload(units []*unit) {
	mods := make([]*goMod, len(units))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, u := range units {
		if u.mod != "" {
			g.Go(func() error {
				mods[i], _ = c.parseMod(u.mod, u.dir)
				return nil
			})
		}
	}
	_ = g.Wait() // nothing in it fails
	for i, m := range mods {
		if m != nil {
			c.mods[units[i].mod] = m
		}
	}
}

// load parses the files of a unit.
func (c *checker) load(u *unit) error {
	var faults []error
	if u.mod != "" {
		_, err := c.readMod(u.mod, u.dir)
		faults = append(faults, err)
		if name := c.set.modFile(u.dir); name != "" {
			_, err := c.readMod(name, u.dir)
			faults = append(faults, err)
		}
	}
	if u.work != "" {
		_, err := c.readWork(u.work)
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// modOf is the go.mod that a build of the module in dir alone would use.
func (c *checker) modOf(u *unit) (*goMod, error) {
	if name := c.set.modFile(u.dir); name != "" {
		return c.readMod(name, u.dir)
	}
	return c.readMod(u.mod, u.dir)
}

// readMod parses the go.mod called name of the module in dir, once.
func (c *checker) readMod(name, dir string) (*goMod, error) {
	if m := c.mods[name]; m != nil {
		return m, nil
	}
	m, err := c.parseMod(name, dir)
	if err == nil {
		c.mods[name] = m
	}
	return m, err
}

// parseMod is readMod without memory. It is safe for concurrent use.
func (c *checker) parseMod(name, dir string) (*goMod, error) {
	rel := c.rel(name)
	data, err := readRegular(name)
	if err != nil {
		return nil, fault.New(rel, "cannot be read: "+cause(err), "")
	}
	file, err := modfile.Parse(rel, data, nil)
	if err != nil {
		return nil, workspace.SyntaxFault(rel, err)
	}
	if file.Module == nil {
		return nil, fault.New(rel, "no module line", "add 'module PATH' as its first line")
	}
	return &goMod{dir: dir, name: rel, file: file}, nil
}

// readWork parses the go.work called name and the go.mod of each of its
// modules, once.
func (c *checker) readWork(name string) (*goWork, error) {
	if w := c.works[name]; w != nil {
		return w, nil
	}
	rel := c.rel(name)
	data, err := readRegular(name)
	if err != nil {
		return nil, fault.New(rel, "cannot be read: "+cause(err), "")
	}
	file, err := modfile.ParseWork(rel, data, nil)
	if err != nil {
		return nil, workspace.SyntaxFault(rel, err)
	}
	w := &goWork{dir: filepath.Dir(name), name: rel, file: file}
	folders, paths := map[string]bool{}, map[string]string{}
	for _, use := range file.Use {
		dir := filepath.FromSlash(use.Path)
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(w.dir, dir)
		}
		line := use.Syntax.Start.Line
		if folders[dir] {
			return nil, fault.At(rel, line, fmt.Sprintf("use %s stands twice", use.Path), "keep one of the two")
		}
		folders[dir] = true
		mod := filepath.Join(dir, "go.mod")
		if !isThere(mod) {
			return nil, fault.At(rel, line, fmt.Sprintf("use %s: no go.mod in that folder", use.Path),
				"run 'go work edit -dropuse="+use.Path+"', or make the module")
		}
		m, err := c.readMod(mod, dir)
		if err != nil {
			return nil, err
		}
		if other, ok := paths[m.path()]; ok {
			return nil, fault.At(rel, line, fmt.Sprintf("module %s stands in the workspace twice, in %s and in %s", m.path(), other, use.Path), "drop one of the two use lines")
		}
		paths[m.path()] = use.Path
		w.mains = append(w.mains, m)
	}
	c.works[name] = w
	return w, nil
}

// at is the position of a directive.
func at(file string, l *modfile.Line) place {
	if l == nil {
		return place{file: file}
	}
	return place{
		file: file, line: l.Start.Line, col: l.Start.LineRune,
		endLine: l.End.Line, endCol: l.Start.LineRune + l.End.Byte - l.Start.Byte,
	}
}
