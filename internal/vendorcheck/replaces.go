package vendorcheck

import (
	"fmt"
	"path/filepath"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vendorcheck/modulestxt"
)

// replaceDrift compares the replace directives with the list. gone are the
// module paths whose absence from the list is reported already.
func (c *checker) replaceDrift(b *build, l *list, gone map[string]bool) {
	d := &drift{lines: map[*modfile.Replace][]*modulestxt.Module{}, at: map[*modfile.Replace]*replacement{}}
	d.directives(b, l)
	d.list(b, l)
	for _, r := range d.order {
		path := r.rep.Old.Path
		if l.torn[path] || gone[path] && c.wants(RequireDriftRule) {
			continue
		}
		c.replaceDiffers(b, l, r, d.lines[r.rep], d.takeSurplus(path))
	}
	for _, m := range d.surplus {
		if m != nil && !l.torn[m.Mod.Path] {
			c.replaceUnasked(b, l, m)
		}
	}
	c.sharedTarget(b, l)
}

// sharedTarget reports two modules of the build that are replaced by one and
// the same, which the go command refuses outside workspaces: checkMultiplePaths
// of cmd/go/internal/modload/load.go.
func (c *checker) sharedTarget(b *build, l *list) {
	if b.work != nil {
		return
	}
	first := map[module.Version]string{}
	look := func(m module.Version) {
		to, r := m, b.replacement(m)
		if r != nil {
			to = r.New
		}
		prev, ok := first[to]
		switch {
		case !ok:
			first[to] = m.Path
		case prev != m.Path && r != nil:
			c.report(ReplaceDriftRule, finding.Error, at(r.file, r.rep.Syntax), "give each module a replacement of its own",
				fmt.Sprintf("%s, but %s comes from there already: the go command refuses two modules in one", directive(r.rep), prev))
		}
	}
	highest := map[string]string{}
	for _, r := range b.requires() {
		if v, ok := highest[r.mod.Path]; !ok || semver.Compare(v, r.mod.Version) < 0 {
			highest[r.mod.Path] = r.mod.Version
		}
	}
	for _, r := range b.requires() {
		if highest[r.mod.Path] == r.mod.Version && l.selectedOr(r.mod) == r.mod.Version {
			look(r.mod)
		}
	}
	for _, e := range l.used {
		if e.Mod.Version != "" && l.selected[e.Mod.Path] == e.Mod.Version {
			look(e.Mod)
		}
	}
}

// selectedOr is the version of m's path that provides packages, or that of m
// where none does.
func (l *list) selectedOr(m module.Version) string {
	if v, ok := l.selected[m.Path]; ok {
		return v
	}
	return m.Version
}

// drift collects what does not agree, by the directive that is the cause.
type drift struct {
	order []*replacement
	at    map[*modfile.Replace]*replacement
	lines map[*modfile.Replace][]*modulestxt.Module // that differ from it
	// surplus are the first lines of each module path that are replaced in the
	// list and by no directive; nil once taken.
	surplus []*modulestxt.Module
}

func (d *drift) add(r *replacement, m *modulestxt.Module) {
	if d.at[r.rep] == nil {
		d.at[r.rep] = r
		d.order = append(d.order, r)
	}
	if m == nil {
		return
	}
	for _, have := range d.lines[r.rep] {
		if have == m {
			return
		}
	}
	d.lines[r.rep] = append(d.lines[r.rep], m)
}

// directives looks up the key that each directive is written with, which is
// all that the go command itself compares.
func (d *drift) directives(b *build, l *list) {
	seen := map[module.Version]bool{}
	check := func(list []*modfile.Replace) {
		for _, r := range list {
			if seen[r.Old] {
				continue
			}
			seen[r.Old] = true
			want := b.replacement(r.Old)
			if want == nil {
				continue // a module of the workspace
			}
			var got module.Version
			e := l.meta[r.Old]
			if e != nil {
				got = e.new
			}
			switch {
			case got == want.New:
			case got.Path != "":
				d.add(want, e.lineOfNew(l))
			case b.lax() && (r.Old.Version == "" || l.selected[r.Old.Path] != r.Old.Version):
				// Below go 1.14 such lines are not written.
			case e != nil:
				d.add(want, e.Module)
			default:
				d.add(want, nil)
			}
		}
	}
	for _, m := range b.mains {
		check(m.file.Replace)
	}
	if b.work != nil {
		check(b.work.file.Replace)
	}
}

// list looks at each line of the list, of whatever version: the go command
// asks of a line only that some directive applies to it.
func (d *drift) list(b *build, l *list) {
	surplus := map[string]bool{}
	for _, m := range l.file.Modules {
		want := b.replacement(m.Mod)
		got := l.meta[m.Mod].new
		switch {
		case want == nil && got.Path != "":
			if !surplus[m.Mod.Path] {
				surplus[m.Mod.Path] = true
				d.surplus = append(d.surplus, m)
			}
		case want != nil && got != want.New:
			d.add(want, m)
		}
	}
}

// takeSurplus hands out the surplus line of a path, or nil.
func (d *drift) takeSurplus(path string) *modulestxt.Module {
	for i, m := range d.surplus {
		if m != nil && m.Mod.Path == path {
			d.surplus[i] = nil
			return m
		}
	}
	return nil
}

// lineOfNew is the line that gives the entry's replacement.
func (e *entry) lineOfNew(l *list) *modulestxt.Module {
	for _, m := range l.paths[e.Mod.Path] {
		if m.Line == e.newLine {
			return m
		}
	}
	return e.Module
}

// replaceDiffers reports a directive that the list lacks or has otherwise.
func (c *checker) replaceDiffers(b *build, l *list, r *replacement, lines []*modulestxt.Module, instead *modulestxt.Module) {
	if instead != nil {
		lines = append(lines, instead)
	}
	var related []finding.Related
	for _, m := range lines {
		related = append(related, l.related(m))
	}
	// What the go command would write: in the line that differs or, where there
	// is none, in one of its own.
	expected := finding.Related{File: l.name, Message: "expected: # " + named(r.rep.Old) + " => " + named(r.New)}
	if len(lines) > 0 && lines[0] != instead {
		expected.Line = lines[0].Line
		expected.Message = "expected: # " + named(lines[0].Mod) + " => " + named(r.New)
	}
	related = append(related, expected)

	what := directive(r.rep)
	var message string
	switch {
	case len(lines) == 0:
		message = fmt.Sprintf("%s is missing from %s", what, l.name)
	case lines[0] == instead && instead != nil:
		message = fmt.Sprintf("%s, but %s replaces %s by %s", what, l.at(instead.Line), named(instead.Mod), named(instead.New))
	case lines[0].New.Path == "":
		message = fmt.Sprintf("%s, but %s does not replace %s", what, l.at(lines[0].Line), named(lines[0].Mod))
	default:
		m := lines[0]
		message = fmt.Sprintf("%s, but %s says => %s", what, l.at(m.Line), named(m.New))
		if r.New.Path != r.rep.New.Path {
			message += fmt.Sprintf(" and not => %s", named(r.New))
		}
		if b.sameFolder(r.New, m.New) {
			message += ": the same folder, but the go command compares the text"
		}
	}
	c.report(ReplaceDriftRule, finding.Error, at(r.file, r.rep.Syntax), b.repair, message, related...)
}

// replaceUnasked reports a line of the list that no directive asks for. The
// finding stands where the directive is missing: at the require of the module,
// else at the line that names the main module or the workspace's version.
func (c *checker) replaceUnasked(b *build, l *list, m *modulestxt.Module) {
	_, side := b.goVersion()
	if b.work == nil {
		side = at(b.mains[0].name, b.mains[0].file.Module.Syntax)
	}
	for _, r := range b.requires() {
		if r.mod.Path == m.Mod.Path {
			side = r.where[0]
			break
		}
	}
	by := named(l.meta[m.Mod].new)
	c.report(ReplaceDriftRule, finding.Error, side, b.repair,
		fmt.Sprintf("%s is not replaced in %s, but %s says => %s", named(m.Mod), b.files(), l.at(m.Line), by),
		l.related(m))
}

// sameFolder reports whether two spellings of a target mean one folder.
func (b *build) sameFolder(x, y module.Version) bool {
	if x.Version != "" || y.Version != "" {
		return false
	}
	abs := func(p string) string {
		p = filepath.FromSlash(p)
		if !filepath.IsAbs(p) {
			p = filepath.Join(b.dir, p)
		}
		return filepath.Clean(p)
	}
	return abs(x.Path) == abs(y.Path)
}
