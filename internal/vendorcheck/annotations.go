package vendorcheck

import (
	"fmt"
	"go/version"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vendorcheck/modulestxt"
)

// annotations checks the go line that the list notes for a module, which is
// the language version that its packages are compiled with. What a module of
// the module cache says itself is not at hand here; a local replacement's
// go.mod is.
func (c *checker) annotations(b *build, l *list) {
	newest := c.newestGo(b)
	for _, m := range l.file.Modules {
		if newest != "" && m.Go != "" && version.IsValid("go"+m.Go) && version.Compare("go"+m.Go, "go"+newest) > 0 {
			c.report(ModulesTxtRule, finding.Error, l.place(m.NoteLine), b.repair,
				fmt.Sprintf("%s is noted with go %s, newer than the toolchain's %s: the go command refuses to build", named(m.Mod), m.Go, newest))
			continue
		}
		c.localAnnotation(b, l, m)
	}
}

// newestGo is the newest go version that the build can have, or "" where that
// is not known: the toolchain at hand, or the one that the go and toolchain
// lines make the go command switch to.
func (c *checker) newestGo(b *build) string {
	newest := c.set.toolchain
	choice, _ := c.set.env.Get("GOTOOLCHAIN") // local, auto, path, NAME, NAME+auto or NAME+path
	name, more, _ := strings.Cut(choice, "+")
	fixed := name == "local"
	if v, ok := strings.CutPrefix(name, "go"); ok {
		newest, fixed = v, more == ""
	}
	if newest == "" || !version.IsValid("go"+newest) {
		return ""
	}
	if fixed {
		return newest
	}
	raise := func(v string) {
		if version.IsValid("go"+v) && version.Compare("go"+v, "go"+newest) > 0 {
			newest = v
		}
	}
	have, _ := b.goVersion()
	raise(have)
	toolchain := b.mains[0].file.Toolchain
	if b.work != nil {
		toolchain = b.work.file.Toolchain
	}
	if toolchain != nil && len(toolchain.Name) > len("go") {
		raise(toolchain.Name[len("go"):])
	}
	return newest
}

// localAnnotation compares the note of a local replacement that provides
// packages with its go.mod. From go 1.17 on each such module is noted.
func (c *checker) localAnnotation(b *build, l *list, m *modulestxt.Module) {
	if b.olderThan("1.17") || len(m.Packages) == 0 || m.Mod.Version == "" {
		return
	}
	r := b.replacement(m.Mod)
	if r == nil || r.rep.New.Version != "" || m.New != r.New {
		return // not local, or drifted, which is another finding
	}
	dir := filepath.FromSlash(r.rep.New.Path)
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(r.base, dir)
	}
	name := filepath.Join(dir, "go.mod")
	data, err := readRegular(name)
	if err != nil {
		return
	}
	// Lax, as the go command reads a dependency's go.mod.
	file, err := modfile.ParseLax(name, data, nil)
	if err != nil || file.Go == nil || file.Go.Version == m.Go {
		return
	}
	line, noted := m.NoteLine, "go "+m.Go
	if m.Go == "" {
		noted = "no go version"
	}
	if line == 0 {
		line = m.Line
	}
	rel := c.rel(name)
	c.report(ModulesTxtRule, finding.Error, l.place(line), b.repair,
		fmt.Sprintf("%s is noted with %s, but %s:%d says go %s", named(m.Mod), noted, rel, file.Go.Syntax.Start.Line, file.Go.Version),
		finding.Related{File: rel, Line: file.Go.Syntax.Start.Line, Message: "expected: go " + file.Go.Version})
}
