package vendorcheck

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vendorcheck/modulestxt"
)

// listState reports a list that is not there, cannot be read or holds nothing,
// and returns whether there is something to compare. Everything that would be
// missing from such a list has one cause.
func (c *checker) listState(b *build, l *list) bool {
	_, where := b.goVersion()
	where.line, where.col, where.endLine, where.endCol = 0, 0, 0, 0
	switch {
	case l.missing:
		// Without dependencies 'go mod vendor' writes no list.
		if b.depends() {
			c.report(ModulesTxtRule, finding.Error, where, b.repair, l.name+" is missing")
		}
		return false
	case l.broken != "":
		c.report(ModulesTxtRule, finding.Error, l.place(0), "remove vendor/, then "+b.repair, l.name+" "+l.broken)
		return false
	case len(l.file.Modules) == 0:
		c.listProblems(b, l)
		if b.depends() {
			c.report(ModulesTxtRule, finding.Error, l.place(0), b.repair, l.name+" names no module")
		}
		return false
	}
	return true
}

// listProblems reports the lines that the go command would not have written.
// One that it reads as it is meant is a warning; one that it skips without a
// word is an error.
func (c *checker) listProblems(b *build, l *list) {
	for i, p := range l.file.Problems {
		sev := finding.Error
		if p.Cosmetic {
			sev = finding.Warning
		}
		message := p.Text
		if i == modulestxt.MaxProblems-1 && l.file.Dropped > 0 {
			message += fmt.Sprintf("; %d further lines are no better", l.file.Dropped)
			sev = finding.Error
		}
		c.report(ModulesTxtRule, sev, l.place(p.Line), b.repair, message)
	}
}

// listLines reports lines that are well formed and cannot be true together.
func (c *checker) listLines(b *build, l *list) {
	first := map[module.Version]*modulestxt.Module{}
	providers := map[string]*modulestxt.Module{} // of packages, by module path
	packages := map[string]modulestxt.Package{}
	for _, m := range l.file.Modules {
		if m.Mod.Version != "" && len(m.Packages) == 0 && !m.Explicit && m.New.Path == "" && l.meta[m.Mod].packages == 0 && !l.meta[m.Mod].explicit {
			c.report(ModulesTxtRule, finding.Error, l.place(m.Line), b.repair,
				fmt.Sprintf("%s has neither a package nor a mark nor a replacement: nothing asks for the line", named(m.Mod)))
		}
		if prev := first[m.Mod]; prev != nil {
			c.report(ModulesTxtRule, finding.Error, l.place(m.Line), b.repair,
				fmt.Sprintf("%s stands twice, first in %s", named(m.Mod), l.at(prev.Line)), l.related(prev))
		} else {
			first[m.Mod] = m
		}
		if m.Mod.Version == "" && len(m.Packages) > 0 {
			c.report(ModulesTxtRule, finding.Error, l.place(m.Packages[0].Line), b.repair,
				fmt.Sprintf("package %s stands under the replacement of every version of %s, which holds none", m.Packages[0].Path, m.Mod.Path), l.related(m))
		}
		second := false
		if len(m.Packages) > 0 && m.Mod.Version != "" {
			if prev := providers[m.Mod.Path]; prev != nil && prev.Mod != m.Mod {
				second = true
				c.report(ModulesTxtRule, finding.Error, l.place(m.Line), b.repair,
					fmt.Sprintf("packages of both %s and, in %s, %s", named(m.Mod), l.at(prev.Line), named(prev.Mod)), l.related(prev))
			}
			providers[m.Mod.Path] = m
		}
		for _, p := range m.Packages {
			if !isBelow(p.Path, m.Mod.Path) {
				c.report(ModulesTxtRule, finding.Error, l.place(p.Line), b.repair,
					fmt.Sprintf("package %s stands under module %s, which cannot hold it", p.Path, named(m.Mod)), l.related(m))
			}
			if prev, ok := packages[p.Path]; ok {
				if second {
					continue // the module is the cause
				}
				c.report(ModulesTxtRule, finding.Error, l.place(p.Line), b.repair,
					fmt.Sprintf("package %s stands twice, first in %s", p.Path, l.at(prev.Line)))
			} else {
				packages[p.Path] = p
			}
		}
	}
}

// listOrder reports the first line that stands where the go command would not
// have put it: modules by path and version, then replacements without effect
// in the order of the files. Below go 1.14 the order was another.
func (c *checker) listOrder(b *build, l *list) {
	if b.olderThan("1.14") {
		return
	}
	var prev *modulestxt.Module
	var tail *modulestxt.Module
	for _, m := range l.file.Modules {
		if len(m.Packages) == 0 && !m.Explicit && m.New.Path != "" {
			tail = m
			continue
		}
		switch {
		case tail != nil:
			c.outOfOrder(b, l, m.Line, named(m.Mod), named(tail.Mod)+", which is a mere replacement")
			return
		case prev != nil && compareMods(prev.Mod, m.Mod) > 0:
			c.outOfOrder(b, l, m.Line, named(m.Mod), named(prev.Mod))
			return
		}
		prev = m
		if i := firstUnsorted(m.Packages); i > 0 {
			c.outOfOrder(b, l, m.Packages[i].Line, m.Packages[i].Path, m.Packages[i-1].Path)
			return
		}
	}
}

func (c *checker) outOfOrder(b *build, l *list, line int, what, after string) {
	c.report(ModulesTxtRule, finding.Warning, l.place(line), b.repair,
		fmt.Sprintf("%s stands after %s: not the order of '%s'", what, after, b.vendorCommand()))
}

// vendorCommand is the command that writes the list.
func (b *build) vendorCommand() string {
	if b.work != nil {
		return "go work vendor"
	}
	return "go mod vendor"
}

// firstUnsorted is the index of the first package below the one before it, or 0.
func firstUnsorted(list []modulestxt.Package) int {
	for i := 1; i < len(list); i++ {
		if list[i].Path < list[i-1].Path {
			return i
		}
	}
	return 0
}

func compareMods(a, b module.Version) int {
	if n := strings.Compare(a.Path, b.Path); n != 0 {
		return n
	}
	return semver.Compare(a.Version, b.Version)
}

// tools reports tool directives whose package is not vendored: 'go tool' fails
// on them.
func (c *checker) tools(b *build, l *list) {
	for _, m := range b.mains {
		for _, t := range m.file.Tool {
			// A path whose first element has no dot may be of the standard library.
			first, _, _ := strings.Cut(t.Path, "/")
			if l.packages[t.Path] != nil || !strings.Contains(first, ".") ||
				slices.ContainsFunc(b.mains, func(m *goMod) bool { return isBelow(t.Path, m.path()) }) {
				continue
			}
			c.report(ModulesTxtRule, finding.Error, at(m.name, t.Syntax), b.repair,
				fmt.Sprintf("tool %s is not vendored: %s does not list it", t.Path, l.name))
		}
	}
}

// isBelow reports whether an import path is root or lies below it.
func isBelow(p, root string) bool {
	rest, ok := strings.CutPrefix(p, root)
	return ok && (rest == "" || rest[0] == '/')
}
