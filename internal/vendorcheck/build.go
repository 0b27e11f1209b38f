package vendorcheck

import (
	"fmt"
	"go/version"
	"path/filepath"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// build is one way in which the go command can build from a vendor folder: a
// module alone, or a workspace.
type build struct {
	dir   string // holds vendor/, absolute
	work  *goWork
	mains []*goMod
	// repair is the command that writes vendor/ anew, with the folder to run
	// it in.
	repair string
}

// moduleBuild is the build of the module at u alone.
func (c *checker) moduleBuild(u *unit) (*build, error) {
	m, err := c.modOf(u)
	if err != nil {
		return nil, err
	}
	b := &build{dir: u.dir, mains: []*goMod{m}}
	command := "go mod vendor"
	if active, _, err := c.set.activeWork(u.dir); err == nil && active != "" {
		command = "GOWORK=off " + command // in a workspace the command refuses
	}
	b.repair = c.command(command, u.dir)
	return b, nil
}

// workBuild is the build of the workspace at u.
func (c *checker) workBuild(u *unit) (*build, error) {
	w, err := c.readWork(u.work)
	if err != nil {
		return nil, err
	}
	b := &build{dir: u.dir, work: w, mains: w.mains}
	command := "go work vendor"
	if active, _, err := c.set.activeWork(u.dir); err == nil && active != u.work {
		command = "GOWORK=auto " + command
	}
	b.repair = c.command(command, u.dir)
	return b, nil
}

// command words a command with the folder to run it in.
func (c *checker) command(command, dir string) string {
	rel := c.rel(dir)
	if rel == "." {
		rel = "the root"
	}
	return fmt.Sprintf("run '%s' in %s", command, rel)
}

// goVersion is the go line that governs the build, or "" where there is none,
// and its position.
func (b *build) goVersion() (string, place) {
	if b.work != nil {
		if g := b.work.file.Go; g != nil {
			return g.Version, at(b.work.name, g.Syntax)
		}
		return "", place{file: b.work.name}
	}
	m := b.mains[0]
	if m.file.Go != nil {
		return m.file.Go.Version, at(m.name, m.file.Go.Syntax)
	}
	return "", at(m.name, m.file.Module.Syntax)
}

// olderThan reports whether the go line is below v; no go line is below all.
func (b *build) olderThan(v string) bool {
	have, _ := b.goVersion()
	return version.Compare("go"+have, "go"+v) < 0
}

// lax reports whether modules.txt lists neither what is required nor all that
// is replaced: for a module whose go line is below 1.14.
func (b *build) lax() bool { return b.work == nil && b.olderThan("1.14") }

// complete reports whether go.mod has to require each module that provides a
// package: for a module whose go line is 1.17 or above.
func (b *build) complete() bool { return b.work == nil && !b.olderThan("1.17") }

func (b *build) isMain(path string) bool {
	for _, m := range b.mains {
		if m.path() == path {
			return true
		}
	}
	return false
}

// list is what the go.mod and go.work files name together: for messages.
func (b *build) files() string {
	switch {
	case b.work == nil:
		return b.mains[0].name
	case len(b.mains) == 1:
		return b.work.name + " or " + b.mains[0].name
	}
	return fmt.Sprintf("%s or the go.mod files of its %d modules", b.work.name, len(b.mains))
}

// replacement is a replace directive in effect.
type replacement struct {
	// New is what it gives, as modules.txt has to spell it: in a workspace a
	// path is relative to go.work.
	New  module.Version
	rep  *modfile.Replace
	file string // that holds it, relative to the root
	base string // the folder that a relative path in it starts from
}

// replacement is the directive that applies to m, whose version may be empty
// for "every version"; nil where none does. It is replacementFrom of
// cmd/go/internal/modload/modfile.go: go.work goes before the go.mod files, an
// exact version before every version, and of several go.mod files the last
// counts.
func (b *build) replacement(m module.Version) *replacement {
	if m.Version == "" && b.isMain(m.Path) {
		return nil
	}
	if b.work != nil {
		if r := lookup(b.work.file.Replace, m); r != nil {
			return &replacement{New: r.New, rep: r, file: b.work.name, base: b.work.dir}
		}
	}
	var found *replacement
	for _, main := range b.mains {
		r := lookup(main.file.Replace, m)
		if r == nil {
			continue
		}
		if found != nil && r.Old.Version != "" && found.rep.New != r.New {
			break // a conflict, which is reported as such
		}
		found = &replacement{New: b.spelled(r.New, main.dir), rep: r, file: main.name, base: main.dir}
	}
	return found
}

// lookup finds the directive of one file that applies to m. Where a file holds
// two of one module the last counts.
func lookup(list []*modfile.Replace, m module.Version) *modfile.Replace {
	var exact, all *modfile.Replace
	for _, r := range list {
		switch r.Old {
		case m:
			exact = r
		case module.Version{Path: m.Path}:
			all = r
		}
	}
	if exact != nil {
		return exact
	}
	return all
}

// spelled is how modules.txt spells the target of a replace in the go.mod of
// folder dir.
func (b *build) spelled(to module.Version, dir string) module.Version {
	if b.work == nil || to.Version != "" || filepath.IsAbs(to.Path) {
		return to
	}
	rel, err := filepath.Rel(b.work.dir, filepath.Join(dir, to.Path))
	if err != nil {
		rel = filepath.Join(dir, to.Path)
	}
	if !modfile.IsDirectoryPath(rel) {
		rel = "./" + filepath.ToSlash(rel)
	}
	return module.Version{Path: rel}
}

// named is "path version", or the path alone.
func named(m module.Version) string {
	if m.Version == "" {
		return m.Path
	}
	return m.Path + " " + m.Version
}

// directive is the text of a replace directive.
func directive(r *modfile.Replace) string {
	return "replace " + named(r.Old) + " => " + named(r.New)
}
