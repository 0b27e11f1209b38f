package vendorcheck

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/fractl/fractl/internal/finding"
)

// localVerdict reports how the vendored copy of a local replacement differs from
// its folder.
func (p *proving) localVerdict(o *origin, where place) {
	r := p.b.replacement(o.entry.Mod)
	from := at(r.file, r.rep.Syntax)
	target := p.rel(o.dir)
	related := finding.Related{File: r.file, Line: from.line, Message: directive(r.rep)}
	switch {
	case os.IsNotExist(o.err):
		p.report(StaleVendorRule, finding.Error, from, "make the folder, or drop the replace",
			fmt.Sprintf("%s: there is no folder %s, and nothing but vendor/ has the code", directive(r.rep), target))
		return
	case o.err != nil:
		p.report(StaleVendorRule, finding.Error, from, "mend it", fmt.Sprintf("%s: %s cannot be read: %s", directive(r.rep), target, cause(o.err)))
		return
	}
	if declared := modulePath(o.dir); declared != "" && declared != o.entry.Mod.Path && declared != r.rep.Old.Path {
		p.report(StaleVendorRule, finding.Warning, from, "run 'go mod edit -module="+o.entry.Mod.Path+"' in "+target+", or mend the replace",
			fmt.Sprintf("%s: the go.mod in %s is of module %s", directive(r.rep), target, declared), related)
	}
	for _, link := range links(o.dir, o.module(p.b, p.v).Packages) {
		p.report(StaleVendorRule, finding.Error, place{file: path.Join(target, link)}, "put the file itself there",
			fmt.Sprintf("%s is a symbolic link, which 'go mod vendor' leaves out", path.Join(target, link)), related)
	}
	differ := p.stale[o]
	if len(differ) == 0 {
		return
	}
	slices.Sort(differ)
	const most = 5
	text := strings.Join(differ[:min(len(differ), most)], ", ")
	if more := len(differ) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	p.report(StaleVendorRule, finding.Error, where, p.b.repair,
		fmt.Sprintf("%s/%s is not a copy of %s: %s", p.name, o.entry.Mod.Path, target, text), related)
}

// direction says of a file that differs from a local replacement's which of the
// two is newer, by their times.
func (p *proving) direction(o *origin, f *vendoredFile) string {
	name := f.path[len(o.entry.Mod.Path)+1:]
	there, err := os.Stat(filepath.Join(o.dir, filepath.FromSlash(name)))
	here, err2 := os.Stat(filepath.Join(p.v.dir, filepath.FromSlash(f.path)))
	switch {
	case err != nil || err2 != nil || there.ModTime().Equal(here.ModTime()):
		return name + " differs"
	case there.ModTime().After(here.ModTime()):
		return name + " is older in vendor/"
	}
	return name + " is newer in vendor/"
}

// modulePath is the path in the go.mod of a folder, or "".
func modulePath(dir string) string {
	data, err := readRegular(filepath.Join(dir, "go.mod"))
	if err != nil {
		return ""
	}
	return modfile.ModulePath(data)
}

// links are the symbolic links to files in the folders of packages.
func links(dir string, packages []string) (list []string) {
	for _, pkg := range packages {
		entries, err := os.ReadDir(filepath.Join(dir, filepath.FromSlash(pkg)))
		if err != nil {
			continue
		}
		for _, e := range entries {
			if e.Type()&os.ModeSymlink == 0 || strings.HasSuffix(e.Name(), "_test.go") || isNoise(e.Name()) {
				continue
			}
			if info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(pkg), e.Name())); err == nil && info.Mode().IsRegular() {
				list = append(list, path.Join(pkg, e.Name()))
			}
		}
	}
	slices.Sort(list)
	return list
}

// isNoise reports whether a file is what editors and systems leave behind.
func isNoise(name string) bool {
	base := path.Base(name)
	return strings.HasSuffix(base, "~") || strings.HasSuffix(base, ".swp") || strings.HasSuffix(base, ".swo") ||
		strings.HasSuffix(base, ".orig") || strings.HasSuffix(base, ".rej") || strings.HasPrefix(base, ".#") ||
		strings.HasPrefix(base, "#") && strings.HasSuffix(base, "#") || base == ".DS_Store" || base == "Thumbs.db"
}

// codeSuffixes are those of the files that the go command hands to a compiler,
// an assembler or a linker.
var codeSuffixes = [...]string{".go", ".s", ".S", ".sx", ".syso", ".c", ".cc", ".cpp", ".cxx", ".m", ".h", ".hh", ".hpp", ".hxx", ".f", ".F", ".for", ".f90", ".swig", ".swigcxx", ".o", ".a", ".so"}

// isCode reports whether a build may take a file in.
func isCode(name string) bool {
	return slices.ContainsFunc(codeSuffixes[:], func(suffix string) bool { return strings.HasSuffix(name, suffix) })
}

// allowed reports whether the manifest allows an additional file.
func (c *checker) allowed(file string) bool {
	if c.ws.Manifest == nil {
		return false
	}
	return slices.ContainsFunc(c.ws.Manifest.Vendor.Allow, func(s string) bool {
		ok, _ := path.Match(s, file)
		base, _ := path.Match(s, path.Base(file))
		return ok || base && !strings.Contains(s, "/")
	})
}

// quoted is a file's name, with quotes where it has characters that hide.
func quoted(name string) string {
	for _, r := range name {
		if r <= ' ' || r > '~' {
			return fmt.Sprintf("%+q", name)
		}
	}
	return name
}
