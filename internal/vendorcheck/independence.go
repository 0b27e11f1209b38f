package vendorcheck

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/fractl/fractl/internal/finding"
)

// independence reports what keeps a module from building alone, with GOWORK=off:
// imports that only the workspace provides, and versions that the workspace
// raises or replaces.
func (c *checker) independence(u *unit, active string) error {
	m, err := c.modOf(u)
	if err != nil {
		return err
	}
	alone := &build{dir: u.dir, mains: []*goMod{m}}
	if alone.complete() {
		if err := c.unprovided(m); err != nil {
			return err
		}
	}
	if active == "" {
		return nil
	}
	w, err := c.readWork(active)
	if err != nil {
		return err
	}
	if !slices.Contains(w.mains, m) {
		return nil
	}
	c.otherThanAlone(alone, &build{dir: w.dir, work: w, mains: w.mains}, m)
	return nil
}

// unprovided reports packages that a module imports and that no module which it
// requires can provide. From go 1.17 on go.mod names them all.
func (c *checker) unprovided(m *goMod) error {
	own := map[string]bool{}
	list, err := c.mainImports(m, own, &closure{})
	if err != nil {
		return unreadable(c.rel(m.dir), err)
	}
	told := map[string]bool{}
	for _, imp := range list {
		first, _, _ := strings.Cut(imp.path, "/")
		if told[imp.path] || isBelow(imp.path, m.path()) || !strings.Contains(first, ".") ||
			slices.ContainsFunc(m.file.Require, func(r *modfile.Require) bool { return isBelow(imp.path, r.Mod.Path) }) {
			continue
		}
		told[imp.path] = true
		c.report(IndependenceRule, finding.Error, place{file: imp.at.file, line: imp.at.line, col: 1, endLine: imp.at.line, endCol: 1},
			"run 'GOWORK=off go mod tidy' in the folder of "+m.name,
			fmt.Sprintf("package %s is imported here, and %s requires no module that provides it: it does not build alone", imp.path, m.name))
	}
	return nil
}

// otherThanAlone reports, in one finding, the modules that a build in the
// workspace takes in another version, or from elsewhere, than a build alone.
func (c *checker) otherThanAlone(alone, together *build, m *goMod) {
	highest := map[string]string{}
	for _, r := range together.requires() {
		if v, ok := highest[r.mod.Path]; !ok || semver.Compare(v, r.mod.Version) < 0 {
			highest[r.mod.Path] = r.mod.Version
		}
	}
	var words []string
	sev := finding.Note
	for _, r := range m.file.Require {
		if together.isMain(r.Mod.Path) || selectedIn(m, r.Mod.Path) != r.Mod.Version {
			continue
		}
		here, there := r.Mod, r.Mod
		there.Version = highest[r.Mod.Path]
		if by := alone.replacement(here); by != nil {
			here = absolute(by.rep.New, by.base)
		}
		if by := together.replacement(there); by != nil {
			there = absolute(by.rep.New, by.base)
		}
		if here == there {
			continue
		}
		if here.Path != there.Path {
			sev = finding.Warning // not a newer version, but something else
		}
		words = append(words, fmt.Sprintf("%s is %s alone and %s in the workspace", r.Mod.Path, c.chosen(here, r.Mod.Path), c.chosen(there, r.Mod.Path)))
	}
	if len(words) == 0 {
		return
	}
	const most = 4
	text := strings.Join(words[:min(len(words), most)], ", ")
	if more := len(words) - most; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	where := at(m.name, m.file.Module.Syntax)
	c.report(IndependenceRule, sev, where, "run 'go work sync', and test with GOWORK=off", "other code than in the workspace: "+text)
}

// chosen words what provides a module.
func (c *checker) chosen(by module.Version, path string) string {
	if by.Path == path {
		return by.Version
	}
	return "from " + c.target(by)
}
