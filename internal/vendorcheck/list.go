package vendorcheck

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vendorcheck/modulestxt"
)

// list is one vendor/modules.txt with what the go command makes of it.
type list struct {
	name string // relative to the root
	dir  string // the vendor folder, absolute
	file *modulestxt.File
	text []string // its lines
	// missing is true where there is no such file; broken says why it cannot
	// be read, or is "".
	missing bool
	broken  string

	// meta joins the lines of one module, as the go command does: a note in
	// one of them counts for all, and the last replacement counts.
	meta map[module.Version]*entry
	// used are the modules that provide packages, and selected their versions
	// by path: of several the highest that is not below one before it.
	used     []*entry
	selected map[string]string
	packages map[string]*entry
	// paths are the lines of each module path, and torn the paths that a line
	// mentions which cannot be read.
	paths map[string][]*modulestxt.Module
	torn  map[string]bool
}

// entry is a module of the list.
type entry struct {
	*modulestxt.Module // the first line
	explicit           bool
	new                module.Version
	newLine            int // of the line that gives new
	packages           int
	all                []string // import paths of its packages
}

// readList reads the modules.txt of a vendor folder. An error is one of
// permission or of the disk.
func (c *checker) readList(vendor string) (*list, error) {
	name := filepath.Join(vendor, "modules.txt")
	l := &list{name: c.rel(name), dir: vendor, file: &modulestxt.File{},
		meta: map[module.Version]*entry{}, selected: map[string]string{}, packages: map[string]*entry{},
		paths: map[string][]*modulestxt.Module{}, torn: map[string]bool{}}
	data, err := readRegular(name)
	switch {
	case err == nil:
	case os.IsNotExist(err):
		l.missing = true
		return l, nil
	case err == errTooLarge || err == errIrregular:
		l.broken = "is " + err.Error()
		return l, nil
	default:
		return nil, unreadable(l.name, err)
	}
	l.file = modulestxt.Parse(data)
	l.text = strings.Split(string(data), "\n")
	l.index()
	return l, nil
}

func (l *list) index() {
	for _, m := range l.file.Modules {
		e := l.meta[m.Mod]
		if e == nil {
			e = &entry{Module: m}
			l.meta[m.Mod] = e
		}
		l.paths[m.Mod.Path] = append(l.paths[m.Mod.Path], m)
		e.explicit = e.explicit || m.Explicit
		if m.New.Path != "" {
			e.new, e.newLine = m.New, m.Line
		}
		for _, p := range m.Packages {
			l.packages[p.Path] = e
			e.packages++
			e.all = append(e.all, p.Path)
			if v, ok := l.selected[m.Mod.Path]; !ok || semver.Compare(v, m.Mod.Version) < 0 {
				l.selected[m.Mod.Path] = m.Mod.Version
				l.used = append(l.used, e)
			}
		}
	}
	for _, p := range l.file.Problems {
		if !p.Cosmetic && p.Module != "" {
			l.torn[p.Module] = true
		}
	}
}

// usable reports whether there is a list to compare with.
func (l *list) usable() bool {
	return !l.missing && l.broken == "" && len(l.file.Modules) > 0
}

// place is the position of a line of the list; line 0 is the file as such.
func (l *list) place(line int) place {
	p := place{file: l.name, line: line}
	if line > 0 {
		p.col, p.endLine, p.endCol = 1, line, 1
		if line <= len(l.text) {
			p.endCol += len(strings.TrimSuffix(l.text[line-1], "\r"))
		}
	}
	return p
}

// at is FILE:LINE for a message.
func (l *list) at(line int) string { return fmt.Sprintf("%s:%d", l.name, line) }

// related names a line of the list as the other side of a finding.
func (l *list) related(m *modulestxt.Module) finding.Related {
	text := "# " + named(m.Mod)
	if m.New.Path != "" {
		text += " => " + named(m.New)
	}
	return finding.Related{File: l.name, Line: m.Line, Message: "found: " + text}
}
