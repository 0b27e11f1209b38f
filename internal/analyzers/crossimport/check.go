package crossimport

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/workspace"
)

// checker decides for one workspace what may reach what. It is safe for
// concurrent use.
type checker struct {
	ws *workspace.Workspace

	mu      sync.Mutex
	folders map[string]*folder
	hints   map[string]string
}

func newChecker(ws *workspace.Workspace) *checker {
	return &checker{ws: ws, folders: make(map[string]*folder), hints: make(map[string]string)}
}

// violation is one place where a fraction reaches another. start and end are
// offsets in the file.
type violation struct {
	start, end int
	message    string
	hint       string
	related    []finding.Related
	fixes      []finding.Fix
}

// severity is that of every finding: what was found by layout alone may be
// wrong about the cut.
func (c *checker) severity() finding.Severity {
	if c.ws.Declared() {
		return finding.Error
	}
	return finding.Warning
}

// file checks one file, given by its path relative to the root. A file that
// does not parse is checked as far as it does.
func (c *checker) file(rel string, src []byte) []violation {
	dir := path.Dir(rel)
	from := c.ws.FractionOf(dir)
	open := c.open(dir)
	if from == nil && !open {
		return nil // of no fraction: it counts where a fraction imports it
	}
	s := parseSource(rel, src)
	var list []violation
	for _, r := range s.references() {
		if open && (from == nil || c.ws.Declared()) {
			list = append(list, c.leak(dir, from, r)...)
			continue
		}
		list = append(list, c.reference(from, s, r)...)
	}
	slices.SortStableFunc(list, func(a, b violation) int { return cmp.Compare(a.start, b.start) })
	return list
}

// reference checks one reference of a file of fraction from.
func (c *checker) reference(from *workspace.Fraction, s *source, r reference) []violation {
	if r.kind == pluginRef {
		return c.opens(from, s, r)
	}
	dir, ok := c.target(s.dir(), r)
	if !ok {
		return nil
	}
	suffix := ""
	if s.test && r.kind == importRef {
		suffix = " in a test"
	}
	if to := c.ws.FractionOf(dir); to != nil {
		if !c.forbidden(from, dir) {
			return nil
		}
		return []violation{{
			start: r.start, end: r.end,
			message: fmt.Sprintf("fraction %s %s %s of fraction %s%s", from.Name, r.kind.verb(), c.name(r, dir), to.Name, suffix),
			hint:    c.hint(from, to, dir),
			related: requirement(from, to),
			fixes:   c.contractFix(s, r, to),
		}}
	}
	if r.kind != importRef || c.open(dir) {
		return nil
	}
	var list []violation
	for _, p := range c.reach(from, dir) {
		to := c.ws.FractionOf(p.dir)
		v := violation{
			start: r.start, end: r.end,
			message: fmt.Sprintf("fraction %s reaches %s of fraction %s through %s%s",
				from.Name, p.last(), to.Name, strings.Join(append([]string{r.text}, p.between()...), " and "), suffix),
			hint: c.hint(from, to, p.dir),
		}
		v.related = append(v.related, p.hops...)
		v.related = append(v.related, requirement(from, to)...)
		if len(v.related) > maxRelated {
			v.related = v.related[:maxRelated]
		}
		list = append(list, v)
	}
	return list
}

// opens checks a plugin.Open: a gateway may open what it lists under loads.
func (c *checker) opens(from *workspace.Fraction, s *source, r reference) []violation {
	to, ok := c.plugin(from, s.dir(), r.path)
	if !ok || slices.Contains(from.Loads, to.Name) {
		return nil
	}
	return []violation{{
		start: r.start, end: r.end,
		message: fmt.Sprintf("fraction %s %s %s of fraction %s", from.Name, r.kind.verb(), r.text, to.Name),
		hint:    fmt.Sprintf("let a gateway load %s, by loads in %s, and call it through its contract", to.Name, workspace.ManifestName),
	}}
}

// maxRelated is how many further places a reader is asked to look at.
const maxRelated = 6

// leak checks one reference of a package that every fraction may import.
func (c *checker) leak(dir string, owner *workspace.Fraction, r reference) []violation {
	if r.kind != importRef || !c.ws.Declared() {
		return nil
	}
	to, ok := c.target(dir, r)
	if !ok || c.open(to) {
		return nil
	}
	f := c.ws.FractionOf(to)
	if f == nil || f == owner {
		return nil
	}
	what := "contract"
	if c.ws.IsShared(dir) {
		what = "shared package"
	}
	return []violation{{
		start: r.start, end: r.end,
		message: fmt.Sprintf("%s %s imports %s of fraction %s, and every fraction through it", what, dir, r.text, f.Name),
		hint:    fmt.Sprintf("keep %s free of fractions: move what it needs of %s into it, or behind a contract", dir, f.Name),
	}}
}

// forbidden reports whether fraction from must not touch the package in dir.
func (c *checker) forbidden(from *workspace.Fraction, dir string) bool {
	to := c.ws.FractionOf(dir)
	switch {
	case to == nil || to == from || c.open(dir):
		return false
	case from.Kind == "gateway" && dir == to.Dir && slices.Contains(from.Loads, to.Name):
		return false // a loaded plugin is linked in by its root package
	}
	return true
}

// open reports whether every fraction may import the package in dir.
func (c *checker) open(dir string) bool {
	return c.ws.IsShared(dir) || c.ws.IsContract(dir) || c.folder(dir).generated()
}

// target is the folder that a reference from folder dir leads to, relative to
// the root; ok is false where it leads out of the workspace or nowhere else.
func (c *checker) target(dir string, r reference) (string, bool) {
	switch r.kind {
	case importRef, linknameRef:
		return c.ws.PackageDir(r.path)
	}
	if !r.isPath {
		return c.ws.PackageDir(r.path)
	}
	to := path.Join(dir, r.path)
	if to == ".." || strings.HasPrefix(to, "../") || to == "." {
		return "", false
	}
	if from := c.ws.FractionOf(dir); from != nil && (from.Dir == to || strings.HasPrefix(from.Dir, to+"/")) {
		return "", false // a folder around the fraction itself
	}
	return to, true
}

// name is how a message calls what a reference leads to.
func (c *checker) name(r reference, dir string) string {
	if r.isPath {
		return dir
	}
	return r.text
}

// requirement points at the lines of from's go.mod that bring to's module in.
func requirement(from, to *workspace.Fraction) []finding.Related {
	if from.Module == nil || to.Module == nil || from.Module == to.Module {
		return nil
	}
	var list []finding.Related
	for _, r := range from.Module.File.Require {
		if r.Mod.Path == to.Module.Path && r.Syntax != nil {
			list = append(list, finding.Related{File: from.Module.GoMod(), Line: r.Syntax.Start.Line,
				Message: "requires " + to.Module.Path})
		}
	}
	for _, r := range from.Module.File.Replace {
		if r.Old.Path == to.Module.Path && r.Syntax != nil {
			list = append(list, finding.Related{File: from.Module.GoMod(), Line: r.Syntax.Start.Line,
				Message: fmt.Sprintf("replaces %s by %s", r.Old.Path, r.New.Path)})
		}
	}
	return list
}
