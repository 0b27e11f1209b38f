package vendorcheck

import (
	"fmt"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"github.com/fractl/fractl/internal/finding"
)

// require is one module version that the build's go.mod files ask for.
type require struct {
	mod   module.Version
	where []place // one a go.mod
}

// requireDrift compares the require directives with the list, and returns the
// paths of required modules that the list does not know at all: what else is
// missing of those has the same cause.
func (c *checker) requireDrift(b *build, l *list) (gone map[string]bool) {
	asked := b.requires()
	surplus := l.surplus(b, asked)
	gone = map[string]bool{}
	for _, r := range asked {
		e := l.meta[r.mod]
		if e != nil && e.explicit {
			continue
		}
		v, vendored := l.selected[r.mod.Path]
		if b.lax() && (!vendored || v == r.mod.Version) {
			continue
		}
		c.missingRequire(b, l, r, surplus.take(r.mod.Path), gone)
	}
	if b.lax() && len(asked) == 0 && len(l.used) > 0 {
		// Without marks only this is certain: modules come from requirements.
		e := l.used[0]
		c.report(RequireDriftRule, finding.Error, l.place(e.Line), b.repair,
			fmt.Sprintf("%s and what follows is vendored, but %s requires nothing", named(e.Mod), b.files()))
	}
	for _, path := range surplus.order {
		for _, e := range surplus.left[path] {
			c.surplusRequire(b, l, e)
		}
	}
	return gone
}

// requires are the required versions in the order of the files.
func (b *build) requires() []*require {
	var list []*require
	at := map[module.Version]*require{}
	for _, m := range b.mains {
		for _, r := range m.file.Require {
			q := at[r.Mod]
			if q == nil {
				q = &require{mod: r.Mod}
				at[r.Mod] = q
				list = append(list, q)
			}
			q.where = append(q.where, requireAt(m, r))
		}
	}
	return list
}

func requireAt(m *goMod, r *modfile.Require) place { return at(m.name, r.Syntax) }

// leftover holds the entries that no go.mod requires, by module path.
type leftover struct {
	left  map[string][]*entry
	order []string
}

// take hands out an entry of path, or nil.
func (s *leftover) take(path string) *entry {
	list := s.left[path]
	if len(list) == 0 {
		return nil
	}
	s.left[path] = list[1:]
	return list[0]
}

// surplus finds the modules that the list has, as required or, where go.mod has
// to name every module with a package, as used, and that no go.mod requires.
func (l *list) surplus(b *build, asked []*require) *leftover {
	required := map[module.Version]bool{}
	for _, r := range asked {
		required[r.mod] = true
	}
	s := &leftover{left: map[string][]*entry{}}
	seen := map[*entry]bool{}
	for _, m := range l.file.Modules {
		e := l.meta[m.Mod]
		if seen[e] || required[m.Mod] || m.Mod.Version == "" {
			continue
		}
		seen[e] = true
		// Of a module that provides packages in two versions modulestxt tells.
		used := e.packages > 0 && l.selected[m.Mod.Path] == m.Mod.Version
		if e.explicit || b.complete() && used {
			if s.left[m.Mod.Path] == nil {
				s.order = append(s.order, m.Mod.Path)
			}
			s.left[m.Mod.Path] = append(s.left[m.Mod.Path], e)
		}
	}
	return s
}

// missingRequire reports a require that the list does not have; instead is the
// entry that takes its place, or nil.
func (c *checker) missingRequire(b *build, l *list, r *require, instead *entry, gone map[string]bool) {
	path := r.mod.Path
	if l.torn[path] {
		return // its line cannot be read, which is reported
	}
	var related []finding.Related
	for _, p := range r.where[1:] {
		related = append(related, finding.Related{File: p.file, Line: p.line, Message: "required here too"})
	}
	want := "# " + named(r.mod)
	what := "require " + named(r.mod)
	var message string
	switch {
	case instead != nil:
		message = fmt.Sprintf("%s, but %s has %s", what, l.at(instead.Line), instead.Mod.Version)
		related = append(related, l.related(instead.Module), finding.Related{File: l.name, Line: instead.Line, Message: "expected: " + want})
	case l.meta[r.mod] != nil:
		e := l.meta[r.mod]
		message = fmt.Sprintf("%s, but %s does not mark it '## explicit'", what, l.at(e.Line))
		related = append(related, l.related(e.Module), finding.Related{File: l.name, Line: e.Line, Message: "expected: " + want + ", marked ## explicit"})
	case l.paths[path] != nil && l.paths[path][0].Mod.Version != "":
		other := l.paths[path][0]
		message = fmt.Sprintf("%s, but %s has %s", what, l.at(other.Line), other.Mod.Version)
		for _, m := range l.paths[path] {
			related = append(related, l.related(m))
		}
	default:
		message = fmt.Sprintf("%s is missing from %s", what, l.name)
		related = append(related, finding.Related{File: l.name, Message: "expected: " + want})
		gone[path] = true
	}
	c.report(RequireDriftRule, finding.Error, r.where[0], b.repair, message, related...)
}

// surplusRequire reports a module of the list that no go.mod requires.
func (c *checker) surplusRequire(b *build, l *list, e *entry) {
	if l.torn[e.Mod.Path] {
		return
	}
	message := fmt.Sprintf("%s is marked '## explicit', but %s does not require it", named(e.Mod), b.files())
	if !e.explicit {
		message = fmt.Sprintf("%s has packages in vendor/, but %s does not require it", named(e.Mod), b.files())
	}
	_, side := b.goVersion()
	c.report(RequireDriftRule, finding.Error, l.place(e.Line), b.repair, message,
		finding.Related{File: side.file, Message: "expected: require " + named(e.Mod)})
}

// excludedRequire reports an exclude of the very version that is required: the
// go command drops the requirement, then wants go.mod to be updated. In a
// workspace it only misses what is vendored.
func (c *checker) excludedRequire(b *build, l *list) {
	for _, m := range b.mains {
		for _, x := range m.file.Exclude {
			e := l.meta[x.Mod]
			if b.work != nil && (e == nil || e.packages == 0) {
				continue
			}
			for _, r := range m.file.Require {
				if r.Mod == x.Mod {
					p := requireAt(m, r)
					c.report(RequireDriftRule, finding.Error, at(m.name, x.Syntax), "run 'go mod tidy', then "+b.repair,
						fmt.Sprintf("exclude %s takes away what %s:%d requires", named(x.Mod), p.file, p.line),
						finding.Related{File: p.file, Line: p.line, Message: "required here"})
				}
			}
		}
	}
}
