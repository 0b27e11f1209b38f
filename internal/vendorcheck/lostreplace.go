package vendorcheck

import (
	"fmt"
	"path/filepath"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/fractl/fractl/internal/finding"
)

// lostReplaces reports replace and exclude directives in the go.mod of another
// module that do not reach the module at u, which uses it: the go command looks
// at those of the main module only.
// others are the modules of the repository by path.
func (c *checker) lostReplaces(u *unit, others map[string]*goMod) error {
	consumer, err := c.modOf(u)
	if err != nil {
		return err
	}
	b := &build{dir: u.dir, mains: []*goMod{consumer}}
	c.chained(consumer)
	for _, r := range consumer.file.Require {
		dep := c.dependency(b, r.Mod, others)
		if dep == nil || dep.dir == consumer.dir {
			continue
		}
		for _, lost := range dep.file.Replace {
			c.lostReplace(b, consumer, r, dep, lost)
		}
		for _, x := range dep.file.Exclude {
			if v := selectedIn(consumer, x.Mod.Path); v == x.Mod.Version {
				c.report(LostReplaceRule, finding.Warning, at(dep.name, x.Syntax), fmt.Sprintf("repeat it in %s, or drop it", consumer.name),
					fmt.Sprintf("exclude %s has no effect in %s, which selects that version", named(x.Mod), consumer.name), relatedTo(consumer, r))
			}
		}
	}
	return nil
}

// dependency is the go.mod of a required module that lies in the repository: one
// that a folder replaces, or a module of the workspace; nil for others.
func (c *checker) dependency(b *build, m module.Version, others map[string]*goMod) *goMod {
	if r := b.replacement(m); r != nil {
		if r.rep.New.Version != "" {
			return nil
		}
		dir := r.folder()
		dep, err := c.readMod(filepath.Join(dir, "go.mod"), dir)
		if err != nil {
			return nil // told elsewhere, if it matters
		}
		return dep
	}
	return others[m.Path]
}

// lostReplace reports one directive, if what the dependency is built with alone
// is not what the consumer has.
func (c *checker) lostReplace(b *build, consumer *goMod, r *modfile.Require, dep *goMod, lost *modfile.Replace) {
	path := lost.Old.Path
	version := selectedIn(consumer, path)
	if version == "" || lost.Old.Version != "" && selectedIn(dep, path) != lost.Old.Version {
		return // without effect here or there
	}
	want := absolute(lost.New, dep.dir)
	has := module.Version{Path: path, Version: version}
	text := "uses " + named(has)
	if by := b.replacement(has); by != nil {
		has = absolute(by.rep.New, consumer.dir)
		text = "replaces it by " + named(by.rep.New)
	}
	if has == want {
		return
	}
	c.report(LostReplaceRule, finding.Warning, at(dep.name, lost.Syntax), fmt.Sprintf("repeat it in %s, or require the version that is meant", consumer.name),
		fmt.Sprintf("%s has no effect in %s, which requires %s and %s", directive(lost), consumer.name, dep.path(), text), relatedTo(consumer, r))
}

// chained reports a replacement whose target is replaced itself, which the go
// command does not follow.
func (c *checker) chained(m *goMod) {
	for _, r := range m.file.Replace {
		if r.New.Version == "" {
			continue
		}
		if next := lookup(m.file.Replace, r.New); next != nil && next != r && next.New != r.New {
			c.report(LostReplaceRule, finding.Warning, at(m.name, r.Syntax), fmt.Sprintf("replace %s by %s", named(r.Old), named(next.New)),
				fmt.Sprintf("%s, and %s: the second is not applied to the first", directive(r), directive(next)),
				finding.Related{File: m.name, Line: next.Syntax.Start.Line, Message: directive(next)})
		}
	}
}

// selectedIn is the highest version of a module that a go.mod requires, or "".
// From go 1.17 on that is the selected one.
func selectedIn(m *goMod, path string) string {
	v := ""
	for _, r := range m.file.Require {
		if r.Mod.Path == path && (v == "" || semver.Compare(v, r.Mod.Version) < 0) {
			v = r.Mod.Version
		}
	}
	return v
}

// absolute makes the path of a local target absolute.
func absolute(to module.Version, dir string) module.Version {
	if to.Version == "" && !filepath.IsAbs(to.Path) {
		to.Path = filepath.Join(dir, filepath.FromSlash(to.Path))
	}
	return to
}

func relatedTo(m *goMod, r *modfile.Require) finding.Related {
	return finding.Related{File: m.name, Line: r.Syntax.Start.Line, Message: "require " + named(r.Mod)}
}
