// Package gitrepo answers, without starting git, which files of a work tree git
// would leave out: those that a .gitignore names and the index does not have.
package gitrepo

import (
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Ignores are the .gitignore files of a work tree. It is not safe for concurrent
// use.
type Ignores struct {
	root string
	read map[string][]rule // by folder
}

// NewIgnores returns the ignores of the work tree at root.
func NewIgnores(root string) *Ignores { return &Ignores{root: root, read: map[string][]rule{}} }

// rule is one line of a .gitignore.
type rule struct {
	file string // relative to the root
	line int
	text string

	negated, folders bool
	// pattern has no "/" at either end; anchored ones are compared with the
	// path from the folder of the file, others with the last element.
	pattern  string
	anchored bool
}

// Match is the line that leaves a file out.
type Match struct {
	File string
	Line int
	Text string
}

// Ignored reports whether a file is left out, and by which line. name is relative
// to the root. A file below a folder that is left out is so, too.
func (g *Ignores) Ignored(name string) (Match, bool) {
	elements := strings.Split(name, "/")
	for i := range elements {
		part := strings.Join(elements[:i+1], "/")
		if r := g.last(part, i < len(elements)-1); r != nil && !r.negated {
			return Match{r.file, r.line, r.text}, true
		}
	}
	return Match{}, false
}

// last is the rule that decides about a path: the last that matches, of the
// files from the root down to its folder. nil where none does.
func (g *Ignores) last(name string, isDir bool) *rule {
	var found *rule
	dir := ""
	for {
		rules := g.of(dir)
		rel := strings.TrimPrefix(strings.TrimPrefix(name, dir), "/")
		for i := range rules {
			if rules[i].matches(rel, isDir) {
				found = &rules[i]
			}
		}
		next, _, more := strings.Cut(rel, "/")
		if !more {
			return found
		}
		dir = path.Join(dir, next)
	}
}

// of reads the rules of a folder.
func (g *Ignores) of(dir string) []rule {
	rules, ok := g.read[dir]
	if ok {
		return rules
	}
	file := path.Join(dir, ".gitignore")
	data, err := os.ReadFile(filepath.Join(g.root, filepath.FromSlash(file)))
	if err == nil {
		rules = parse(file, string(data))
	}
	g.read[dir] = rules
	return rules
}

// parse reads a .gitignore, as gitignore(5) describes it.
func parse(file, text string) (rules []rule) {
	n := 0
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		n++
		line = strings.TrimRight(line, "\r\n")
		r := rule{file: file, line: n, text: line}
		p := trimSpaces(line)
		if p == "" || p[0] == '#' {
			continue
		}
		if p[0] == '!' {
			r.negated = true
			p = p[1:]
		}
		if strings.HasSuffix(p, "/") {
			r.folders = true
			p = p[:len(p)-1]
		}
		r.anchored = strings.Contains(p, "/")
		p = strings.TrimPrefix(p, "/")
		if p == "" {
			continue
		}
		r.pattern = p
		rules = append(rules, r)
	}
	return rules
}

// trimSpaces drops spaces at the end that no backslash protects.
func trimSpaces(s string) string {
	for strings.HasSuffix(s, " ") && !strings.HasSuffix(s, `\ `) {
		s = s[:len(s)-1]
	}
	return s
}

// matches compares with a path from the folder of the rule's file.
func (r *rule) matches(rel string, isDir bool) bool {
	if r.folders && !isDir {
		return false
	}
	if !r.anchored {
		return glob(r.pattern, path.Base(rel))
	}
	return globPath(strings.Split(r.pattern, "/"), strings.Split(rel, "/"))
}

// globPath compares element by element; ** takes in any number of them.
func globPath(pattern, name []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			if len(pattern) == 1 {
				return len(name) > 0
			}
			for i := range len(name) + 1 {
				if globPath(pattern[1:], name[i:]) {
					return true
				}
			}
			return false
		}
		if len(name) == 0 || !glob(pattern[0], name[0]) {
			return false
		}
		pattern, name = pattern[1:], name[1:]
	}
	return len(name) == 0
}

// glob compares one element. Git spells the negation of a class with "!" as
// well; a malformed pattern matches nothing.
func glob(pattern, name string) bool {
	ok, err := path.Match(strings.ReplaceAll(pattern, "[!", "[^"), name)
	return err == nil && ok
}
