package vendorcheck

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/finding"
)

// packageFolders compares the package lines with the folders below vendor/:
// each listed package has Go files there, and each folder with Go files is
// listed. gone are module paths whose absence is reported already.
func (c *checker) packageFolders(b *build, l *list, gone map[string]bool) error {
	s := &survey{goFiles: map[string][]string{}}
	root, err := resolve(l.dir)
	if err != nil {
		return unreadable(c.rel(l.dir), err)
	}
	if err := s.walk(root, ""); err != nil {
		return unreadable(c.rel(l.dir), err)
	}
	c.emptyPackages(b, l, s)
	c.unlistedPackages(b, l, s, root, gone)
	return nil
}

// survey is the Go files below a vendor folder, by import path of their folder.
type survey struct {
	goFiles map[string][]string
	order   []string // the folders with Go files, parents before children
}

func (s *survey) walk(root, rel string) error {
	entries, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(rel)))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() && strings.HasSuffix(e.Name(), ".go") {
			if s.goFiles[rel] == nil {
				s.order = append(s.order, rel)
			}
			s.goFiles[rel] = append(s.goFiles[rel], e.Name())
		}
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := s.walk(root, path.Join(rel, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// emptyPackages reports, one finding a module, listed packages without a Go
// file: the go command does not find them.
func (c *checker) emptyPackages(b *build, l *list, s *survey) {
	for _, m := range l.file.Modules {
		var empty []string
		line := 0
		for _, p := range m.Packages {
			if s.goFiles[p.Path] == nil {
				if len(empty) == 0 {
					line = p.Line
				}
				empty = append(empty, p.Path)
			}
		}
		if len(empty) == 0 {
			continue
		}
		vendor := c.rel(l.dir)
		message := fmt.Sprintf("package %s is listed, but %s/%s holds no Go file", empty[0], vendor, empty[0])
		switch {
		case len(empty) == len(m.Packages) && len(empty) > 1:
			line = m.Line
			message = fmt.Sprintf("%s is listed with %d packages, but %s holds none of them", named(m.Mod), len(empty), vendor)
		case len(empty) > 1:
			message += fmt.Sprintf(", nor do %d more of %s", len(empty)-1, m.Mod.Path)
		}
		c.report(ModulesTxtRule, finding.Error, l.place(line), b.repair, message, l.related(m))
	}
}

// unlistedPackages reports folders with Go files that the list does not name,
// one finding for a folder with all below it.
func (c *checker) unlistedPackages(b *build, l *list, s *survey, root string, gone map[string]bool) {
	embedded := &embeds{root: root, survey: s, patterns: map[string][]string{}}
	var tops []string
	for _, dir := range s.order {
		if dir == "" || l.packages[dir] != nil || !buildable(s.goFiles[dir]) || ignoredPath(dir) {
			continue
		}
		if slices.ContainsFunc(tops, func(top string) bool { return isBelow(dir, top) }) {
			continue
		}
		if knownGone(dir, gone, l.torn) {
			continue
		}
		if owner := l.owner(dir); owner != "" && embedded.covers(owner, dir) {
			continue
		}
		tops = append(tops, dir)
	}
	for _, dir := range tops {
		sev := finding.Error
		if l.owner(dir) != "" && b.olderThan("1.22") {
			// Below go 1.22 what tests embed is vendored too, but not the tests.
			sev = finding.Warning
		}
		where, text := l.place(0), fmt.Sprintf("package %s is in %s, but not listed", dir, c.rel(l.dir))
		for p := dir; p != "."; p = path.Dir(p) {
			if lines := l.paths[p]; len(lines) > 0 {
				where = l.place(lines[0].Line)
				text += " under " + named(lines[0].Mod)
				break
			}
		}
		c.report(ModulesTxtRule, sev, where, b.repair, text)
	}
}

// owner is the nearest listed package above a folder, or "".
func (l *list) owner(dir string) string {
	for p := path.Dir(dir); p != "."; p = path.Dir(p) {
		if l.packages[p] != nil {
			return p
		}
	}
	return ""
}

// knownGone reports whether a folder belongs to a module whose absence from the
// list, or whose torn line in it, is reported already.
func knownGone(dir string, sets ...map[string]bool) bool {
	for p := dir; p != "."; p = path.Dir(p) {
		for _, set := range sets {
			if set[p] {
				return true
			}
		}
	}
	return false
}

// buildable reports whether some Go file is one that a build may read.
func buildable(names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		return !strings.HasSuffix(n, "_test.go") && n[0] != '_' && n[0] != '.'
	})
}

// ignoredPath reports whether a folder cannot be a package by its name.
func ignoredPath(dir string) bool {
	return slices.ContainsFunc(strings.Split(dir, "/"), func(e string) bool {
		return e == "testdata" || e[0] == '_' || e[0] == '.'
	})
}

// embeds answers which folders are there because a package embeds them.
type embeds struct {
	root     string
	survey   *survey
	patterns map[string][]string // by package
}

// covers reports whether pkg, or a listed package above it, embeds all Go files
// of dir, which lies below it.
func (e *embeds) covers(pkg, dir string) bool {
	for ; pkg != "."; pkg = path.Dir(pkg) {
		patterns := e.of(pkg)
		if len(patterns) == 0 {
			continue
		}
		rel := strings.TrimPrefix(dir, pkg+"/")
		all := true
		for _, name := range e.survey.goFiles[dir] {
			all = all && slices.ContainsFunc(patterns, func(p string) bool { return matches(p, path.Join(rel, name)) })
		}
		if all {
			return true
		}
	}
	return false
}

// matches reports whether an embed pattern takes in a file: by its name or by a
// folder above it.
func matches(pattern, file string) bool {
	for p := file; p != "."; p = path.Dir(p) {
		if ok, err := path.Match(pattern, p); ok && err == nil {
			return true
		}
	}
	return pattern == "."
}

// of reads the embed patterns of a package's files.
func (e *embeds) of(pkg string) []string {
	list, ok := e.patterns[pkg]
	if ok {
		return list
	}
	for _, name := range e.survey.goFiles[pkg] {
		data, err := readRegular(filepath.Join(e.root, filepath.FromSlash(pkg), name))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(data)) {
			if args, ok := strings.CutPrefix(line, "//go:embed "); ok {
				list = append(list, embedPatterns(args)...)
			}
		}
	}
	e.patterns[pkg] = list
	return list
}

// embedPatterns splits the arguments of a go:embed line.
func embedPatterns(args string) []string {
	var list []string
	for args = strings.TrimSpace(args); args != ""; args = strings.TrimSpace(args) {
		var word string
		if q := args[0]; q == '"' || q == '`' {
			end := strings.IndexByte(args[1:], q)
			if end < 0 {
				return list
			}
			word, args = args[1:1+end], args[end+2:]
		} else {
			word, args, _ = strings.Cut(args, " ")
		}
		list = append(list, strings.TrimPrefix(word, "all:"))
	}
	return list
}
