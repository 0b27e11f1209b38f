package vendorcheck

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vendorcheck/gitrepo"
)

// leftOut reports vendored files that git would leave out of the repository: a
// clean clone does not have them. One finding for each line of a .gitignore.
func (p *proving) leftOut() {
	top := gitrepo.Root(p.v.dir)
	if top == "" {
		return
	}
	tracked, err := gitrepo.Tracked(top)
	if err != nil {
		return // whatever git does with it
	}
	ignores := gitrepo.NewIgnores(top)
	base := strings.TrimPrefix(strings.ReplaceAll(strings.TrimPrefix(p.v.dir, top), "\\", "/"), "/")
	byLine := map[gitrepo.Match][]string{}
	var order []gitrepo.Match
	for _, f := range p.v.files {
		name := path.Join(base, f.path)
		if tracked[name] {
			continue
		}
		if m, ok := ignores.Ignored(name); ok {
			if byLine[m] == nil {
				order = append(order, m)
			}
			byLine[m] = append(byLine[m], f.path)
		}
	}
	for _, m := range order {
		list := byLine[m]
		sev := finding.Note
		switch {
		case p.opt.Strict:
			sev = finding.Error
		case slices.ContainsFunc(list, isCode):
			sev = finding.Warning
		}
		shown := strings.Join(list[:min(len(list), 3)], ", ")
		if more := len(list) - 3; more > 0 {
			shown += fmt.Sprintf(" and %d more", more)
		}
		file := p.rel(path.Join(top, m.File))
		p.report(VendorContentRule, sev, place{file: file, line: m.Line, col: 1, endLine: m.Line, endCol: 1 + len(m.Text)},
			"run 'git add -f' on them, or add a line '!/"+path.Join(base, "**")+"'",
			fmt.Sprintf("%q makes git leave out vendored files, which a clean clone lacks: %s", m.Text, shown))
	}
}
