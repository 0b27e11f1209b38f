package vendorcheck

import (
	"fmt"
	"go/version"
	"path/filepath"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"github.com/fractl/fractl/internal/finding"
)

// workspaceDrift reports what the go command refuses of a workspace before it
// looks at vendor/: replaces that contradict each other, a replace of a module
// of the workspace, a go line below that of a module. It is
// makeMainModules of cmd/go/internal/modload/init.go. vendored tells whether
// there is a vendor folder that would be lost by it.
func (c *checker) workspaceDrift(b *build, vendored bool) {
	w := b.work
	byWork := map[string]bool{}
	for _, r := range w.file.Replace {
		byWork[r.Old.Path] = true
		if r.Old.Version == "" && b.isMain(r.Old.Path) {
			c.report(ReplaceDriftRule, finding.Error, at(w.name, r.Syntax),
				"run 'go work edit -dropreplace="+r.Old.Path+"', or replace one version only",
				fmt.Sprintf("%s replaces a module of the workspace: the go command refuses that", directive(r)))
		}
	}
	c.contradictions(w.file.Replace, w.name)

	type origin struct {
		rep *modfile.Replace
		mod *goMod
		to  module.Version
	}
	first := map[module.Version]origin{}
	told := map[*modfile.Replace]bool{}
	for _, m := range b.mains {
		c.twice(m)
		if vendored {
			c.olderWorkspace(w, m)
		}
		for _, r := range m.file.Replace {
			if byWork[r.Old.Path] {
				continue
			}
			to := r.New
			if to.Version == "" && !filepath.IsAbs(to.Path) {
				to.Path = filepath.Join(m.dir, to.Path)
			}
			prev, ok := first[r.Old]
			if !ok {
				first[r.Old] = origin{r, m, to}
				continue
			}
			if prev.mod == m || prev.to == to {
				continue
			}
			told[r] = true
			other := at(prev.mod.name, prev.rep.Syntax)
			c.report(ReplaceDriftRule, finding.Error, at(m.name, r.Syntax),
				fmt.Sprintf("let both replace it by the same, or settle it with 'go work edit -replace=%s=…'", keyText(r.Old)),
				fmt.Sprintf("%s contradicts %s:%d, which says => %s: the go command refuses the workspace", directive(r), other.file, other.line, named(prev.rep.New)),
				finding.Related{File: other.file, Line: other.line, Message: directive(prev.rep)})
		}
	}
	c.clashes(b, told)
}

// clashes reports a replace of one version that another go.mod spells in other
// words. The go command compares the words, each relative to its own go.mod,
// and takes them for a contradiction even where they mean one folder.
func (c *checker) clashes(b *build, told map[*modfile.Replace]bool) {
	for i, m := range b.mains {
		for _, r := range m.file.Replace {
			if r.Old.Version == "" || told[r] || lookup(b.work.file.Replace, r.Old) != nil {
				continue
			}
			var prev *modfile.Replace
			var file string
			for _, before := range b.mains[:i] {
				if p := lookup(before.file.Replace, r.Old); p != nil {
					prev, file = p, before.name
				}
			}
			if prev == nil || prev.New == r.New {
				continue
			}
			other := at(file, prev.Syntax)
			c.report(ReplaceDriftRule, finding.Error, at(m.name, r.Syntax),
				fmt.Sprintf("settle it with 'go work edit -replace=%s=…'", keyText(r.Old)),
				fmt.Sprintf("%s, but %s:%d says => %s: the go command compares the words and refuses the workspace", directive(r), other.file, other.line, named(prev.New)),
				finding.Related{File: other.file, Line: other.line, Message: directive(prev)})
		}
	}
}

// keyText is the form in which 'go work edit -replace' takes a module.
func keyText(m module.Version) string {
	if m.Version == "" {
		return m.Path
	}
	return m.Path + "@" + m.Version
}

// twice reports, once for all builds, replaces of one go.mod that contradict
// each other.
func (c *checker) twice(m *goMod) {
	key := "twice: " + m.name
	if !c.reported[key] {
		c.reported[key] = true
		c.contradictions(m.file.Replace, m.name)
	}
}

// contradictions reports two replaces of one module with different targets in
// one file.
func (c *checker) contradictions(list []*modfile.Replace, file string) {
	first := map[module.Version]*modfile.Replace{}
	for _, r := range list {
		prev := first[r.Old]
		if prev == nil {
			first[r.Old] = r
			continue
		}
		if prev.New != r.New {
			other := at(file, prev.Syntax)
			c.report(ReplaceDriftRule, finding.Error, at(file, r.Syntax), "keep one of the two",
				fmt.Sprintf("%s contradicts %s:%d, which says => %s", directive(r), other.file, other.line, named(prev.New)),
				finding.Related{File: other.file, Line: other.line, Message: directive(prev)})
		}
	}
}

// olderWorkspace reports a go.work whose go line is below that of a module,
// which the go command refuses from go 1.21 on.
func (c *checker) olderWorkspace(w *goWork, m *goMod) {
	have, need := "1.18", m.goVersion() // 1.18 is what no go line means
	where := place{file: w.name}
	if g := w.file.Go; g != nil {
		have, where = g.Version, at(w.name, g.Syntax)
	}
	if need == "" || version.Compare("go"+need, "go"+have) <= 0 || version.Compare("go"+need, "go1.21") < 0 {
		return
	}
	line := at(m.name, m.file.Go.Syntax)
	c.report(VendorBypassRule, finding.Error, where, "run 'go work use' to raise it",
		fmt.Sprintf("go %s is below the go %s of %s: the go command refuses the workspace, and vendor/ with it", have, need, m.name),
		finding.Related{File: line.file, Line: line.line, Message: "go " + need})
}
