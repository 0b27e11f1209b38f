package vendorcheck

import (
	"bytes"
	"fmt"
	"go/version"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	"golang.org/x/mod/sumdb/dirhash"

	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vendorcheck/gosum"
	"github.com/fractl/fractl/internal/vendorcheck/modulestxt"
)

// wholeText holds the list to the very text that the go command would write. It
// is the last word: what no other rule has seen is reported here, at the first
// line that differs.
func (c *checker) wholeText(b *build, l *list, cl *closure, sums gosum.Sums) {
	want := c.expected(b, l, cl, sums)
	if bytes.Equal(want, []byte(strings.Join(l.text, "\n"))) {
		return
	}
	lines := strings.Split(string(want), "\n")
	for i, line := range lines {
		if i >= len(l.text) || line != l.text[i] {
			text := fmt.Sprintf("line %d is not what '%s' writes: want %q", i+1, b.vendorCommand(), line)
			if line == "" {
				text = fmt.Sprintf("line %d and what follows is not what '%s' writes: the file ends before it", i+1, b.vendorCommand())
			}
			c.report(ModulesTxtRule, finding.Error, l.place(min(i+1, len(l.text))), b.repair, text)
			return
		}
	}
	c.report(ModulesTxtRule, finding.Error, l.place(len(lines)), b.repair,
		fmt.Sprintf("line %d is one too many: '%s' does not write it", len(lines), b.vendorCommand()))
}

// expected is the text of modules.txt for the packages of a closure. It is that
// of vendorPkg and the code around it in cmd/go/internal/modcmd/vendor.go.
func (c *checker) expected(b *build, l *list, cl *closure, sums gosum.Sums) []byte {
	modern := !b.olderThan("1.14") && b.hasGo()
	explicit := map[module.Version]bool{}
	packages := map[module.Version][]modulestxt.Package{}
	if modern {
		for _, r := range b.requires() {
			explicit[r.mod] = true
		}
	}
	for imp := range cl.reached {
		if m := c.provider(b, l, imp); m.Path != "" {
			packages[m] = append(packages[m], modulestxt.Package{Path: imp})
		}
	}
	var mods []module.Version
	for m := range explicit {
		mods = append(mods, m)
	}
	for m := range packages {
		if !explicit[m] {
			mods = append(mods, m)
		}
	}
	module.Sort(mods)
	out := &modulestxt.File{Workspace: b.work != nil}
	written := map[module.Version]bool{}
	for _, m := range mods {
		e := &modulestxt.Module{Mod: m, Explicit: explicit[m], Packages: packages[m]}
		if r := b.replacement(m); r != nil {
			e.New = r.New
			written[m] = true
		}
		if !b.olderThan("1.17") {
			e.Go = c.goLine(b, l, m, sums)
		}
		slices.SortFunc(e.Packages, func(x, y modulestxt.Package) int { return strings.Compare(x.Path, y.Path) })
		out.Modules = append(out.Modules, e)
	}
	if modern {
		rest := func(list []*modfile.Replace) {
			for _, r := range list {
				if written[r.Old] {
					continue
				}
				written[r.Old] = true
				if to := b.replacement(r.Old); to != nil {
					out.Modules = append(out.Modules, &modulestxt.Module{Mod: r.Old, New: to.New})
				}
			}
		}
		if b.work != nil {
			rest(b.work.file.Replace)
		}
		for _, m := range b.mains {
			rest(m.file.Replace)
		}
	}
	return out.Format()
}

// hasGo reports whether there is a go line.
func (b *build) hasGo() bool {
	v, _ := b.goVersion()
	return v != ""
}

// provider is the module of the build that provides a package: that of which the
// list says so, if it can be, or else the nearest by path.
func (c *checker) provider(b *build, l *list, imp string) module.Version {
	selected := map[string]string{}
	raise := func(m module.Version) {
		if v, ok := selected[m.Path]; m.Version != "" && isBelow(imp, m.Path) && (!ok || semver.Compare(v, m.Version) < 0) {
			selected[m.Path] = m.Version
		}
	}
	for _, r := range b.requires() {
		raise(r.mod)
	}
	for _, e := range l.used {
		raise(e.Mod)
	}
	if e := l.packages[imp]; e != nil && selected[e.Mod.Path] == e.Mod.Version {
		return e.Mod
	}
	best := module.Version{}
	for path, v := range selected {
		if len(path) > len(best.Path) {
			best = module.Version{Path: path, Version: v}
		}
	}
	return best
}

// goLine is the go line of a module, as its go.mod has it: that of a local
// replacement, or one that the module cache has and go.sum vouches for. Where
// neither is at hand it is what the list says.
func (c *checker) goLine(b *build, l *list, m module.Version, sums gosum.Sums) string {
	noted := ""
	if e := l.meta[m]; e != nil {
		noted = e.Go
	}
	// The selected version of the path counts, not that of an older require.
	mod := module.Version{Path: m.Path, Version: l.selectedOr(m)}
	var data []byte
	if r := b.replacement(mod); r != nil && r.rep.New.Version == "" {
		var err error
		if data, err = readRegular(filepath.Join(r.folder(), "go.mod")); err != nil {
			return noted
		}
	} else {
		if r != nil {
			mod = r.New
		}
		data = c.provenGoMod(mod, sums)
	}
	if data == nil {
		return noted
	}
	file, err := modfile.ParseLax("go.mod", data, nil)
	switch {
	case err != nil:
		return noted
	case file.Go == nil:
		return ""
	}
	return file.Go.Version
}

// provenGoMod is the go.mod of a module version, if the module cache has one that
// go.sum vouches for.
func (c *checker) provenGoMod(m module.Version, sums gosum.Sums) []byte {
	if c.opt.Vault == nil {
		return nil
	}
	data := c.opt.Vault.ModFile(m)
	if data == nil {
		return nil
	}
	h1, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil })
	if err != nil || !slices.ContainsFunc(sums.OfMod(m), func(s gosum.Sum) bool { return s.H1 == h1 }) {
		return nil
	}
	return data
}

// goLines reports notes of go versions that are not those of the modules' own
// go.mod files, as far as these are at hand.
func (c *checker) goLines(b *build, l *list, sums gosum.Sums) {
	if b.olderThan("1.17") {
		return
	}
	for _, m := range l.file.Modules {
		r := b.replacement(m.Mod)
		if m.Mod.Version == "" || r != nil && r.rep.New.Version == "" || len(m.Packages) == 0 && !m.Explicit || l.meta[m.Mod].Module != m {
			continue // a local one is looked at by localAnnotation
		}
		want := c.goLine(b, l, m.Mod, sums)
		if want == m.Go || m.Go != "" && !version.IsValid("go"+m.Go) {
			continue
		}
		says := "go " + want
		if want == "" {
			says = "no go version"
		}
		noted := "go " + m.Go
		if m.Go == "" {
			noted = "no go version"
		}
		line := m.NoteLine
		if line == 0 {
			line = m.Line
		}
		c.report(ModulesTxtRule, finding.Error, l.place(line), b.repair,
			fmt.Sprintf("%s is noted with %s, but its go.mod says %s", named(m.Mod), noted, says))
	}
}
