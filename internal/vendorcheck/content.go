package vendorcheck

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vendorcheck/gosum"
)

// content compares every file below vendor/ with what go.sum vouches for, or
// with the folder of a local replacement.
func (c *checker) content(b *build, l *list, v *vendored, sums gosum.Sums) error {
	if !c.wants(VendorContentRule) && !c.wants(StaleVendorRule) && !c.wants(UnprovenRule) {
		return nil
	}
	origins, err := c.origins(b, l, v, sums)
	if err != nil {
		return err
	}
	p := &proving{checker: c, b: b, l: l, v: v, origins: map[string]*origin{}, name: c.rel(l.dir),
		folders: map[string]bool{}, stale: map[*origin][]string{}, unproven: map[*origin]int{}}
	for _, o := range origins {
		p.origins[o.entry.Mod.Path] = o
		if content := o.evidence.Content; content != nil {
			c.proven = append(c.proven, content)
		}
	}
	for _, f := range v.files {
		for dir := path.Dir(f.path); dir != "."; dir = path.Dir(dir) {
			p.folders[dir] = true
		}
	}
	p.present()
	p.leftOut()
	for _, o := range origins {
		p.missing(o)
		p.verdict(o)
	}
	return nil
}

// proving is the comparison of one vendor folder.
type proving struct {
	*checker
	b       *build
	l       *list
	v       *vendored
	name    string // of the vendor folder, relative to the root
	origins map[string]*origin
	folders map[string]bool // that hold a file, at any depth

	stale    map[*origin][]string // what differs from local replacements
	unproven map[*origin]int      // files
}

// place is the position of a file below the vendor folder.
func (p *proving) place(file string) place { return place{file: path.Join(p.name, file)} }

// owners are the modules that may hold a file, the nearest first: those of
// nested modules share folders.
func (p *proving) owners(file string) (list []*origin) {
	for dir := path.Dir(file); dir != "."; dir = path.Dir(dir) {
		if o := p.origins[dir]; o != nil {
			list = append(list, o)
		}
	}
	return list
}

// present judges what is there.
func (p *proving) present() {
	folded := map[string]string{}
	for _, f := range p.v.files {
		if lower := strings.ToLower(f.path); folded[lower] != "" {
			p.report(VendorContentRule, finding.Error, p.place(f.path), p.b.repair,
				fmt.Sprintf("%s differs from %s in case only: on some systems they are one file", quoted(f.path), quoted(folded[lower])))
		} else {
			folded[lower] = f.path
		}
		switch {
		case f.mode&fs.ModeSymlink != 0:
			target, _ := os.Readlink(filepath.Join(p.v.dir, filepath.FromSlash(f.path)))
			p.report(VendorContentRule, finding.Error, p.place(f.path), p.b.repair,
				fmt.Sprintf("%s is a symbolic link to %s: 'go mod vendor' writes files only", quoted(f.path), quoted(filepath.ToSlash(target))))
		case !f.mode.IsRegular():
			p.report(VendorContentRule, finding.Error, p.place(f.path), p.b.repair, quoted(f.path)+" is not a regular file")
		case f.err != nil:
			p.report(VendorContentRule, finding.Error, p.place(f.path), "mend its permissions", quoted(f.path)+" cannot be read: "+cause(f.err))
		default:
			if f.mode&0o111 != 0 {
				p.report(VendorContentRule, finding.Warning, p.place(f.path), "run 'chmod -x' on it",
					quoted(f.path)+" is executable: 'go mod vendor' makes no such files")
			}
			p.file(f)
		}
	}
}

// file judges the bytes of a file.
func (p *proving) file(f *vendoredFile) {
	owners := p.owners(f.path)
	var known, other, blind *origin
	for _, o := range owners {
		name := f.path[len(o.entry.Mod.Path)+1:]
		sum, has := o.files[name]
		_, copied := o.copied[name]
		switch {
		case o.files == nil:
			blind = o
		case copied && sum == f.sum:
			return
		case has && o.dir == "" && sum == f.sum:
			known = o // true, but not among what is copied
		case has && (copied || o.dir == ""):
			other = o
		}
	}
	switch {
	case other != nil && other.dir != "":
		p.stale[other] = append(p.stale[other], p.direction(other, f))
	case other != nil:
		p.report(VendorContentRule, finding.Error, p.place(f.path), p.b.repair,
			fmt.Sprintf("%s is not the file of %s that go.sum vouches for", quoted(f.path), named(other.mod)), other.vouches()...)
	case known != nil:
		sev := finding.Warning
		if isCode(f.path) {
			sev = finding.Error
		}
		// Below go 1.22 what tests embed is copied, and the tests, which say what
		// that is, are not.
		embeddable := p.b.olderThan("1.22") && (!isCode(f.path) || p.l.packages[path.Dir(f.path)] == nil)
		if !embeddable && !p.unlisted(f.path) {
			p.report(VendorContentRule, sev, p.place(f.path), p.b.repair,
				fmt.Sprintf("%s is of %s, but 'go mod vendor' does not copy it", quoted(f.path), named(known.mod)))
		}
	case blind != nil:
		p.unproven[blind]++
	case len(owners) > 0 && owners[0].dir != "":
		p.stale[owners[0]] = append(p.stale[owners[0]], f.path[len(owners[0].entry.Mod.Path)+1:]+" is in vendor/ only")
	case len(owners) == 0 && p.insideReplaced(f.path):
	default:
		p.extra(f, owners)
	}
}

// insideReplaced reports whether a file is of a module whose replacement lies in
// the vendor folder itself.
func (p *proving) insideReplaced(file string) bool {
	return slices.ContainsFunc(p.l.used, func(e *entry) bool { return p.origins[e.Mod.Path] == nil && isBelow(file, e.Mod.Path) })
}

// extra reports a file that no module has.
func (p *proving) extra(f *vendoredFile, owners []*origin) {
	if !isCode(f.path) && p.allowed(f.path) || p.unlisted(f.path) {
		return
	}
	what := "no module of modules.txt holds it"
	var related []finding.Related
	if len(owners) > 0 {
		what = named(owners[0].mod) + " has no such file"
		related = owners[0].vouches()
	}
	sev := finding.Warning
	if isCode(f.path) {
		sev = finding.Error
		what += ", and a build may compile it"
	}
	p.report(VendorContentRule, sev, p.place(f.path), p.b.repair, fmt.Sprintf("%s was added: %s", quoted(f.path), what), related...)
}

// unlisted reports whether a Go file lies in a folder that is no listed package,
// which rule modulestxt reports as a whole.
func (p *proving) unlisted(file string) bool {
	dir := path.Dir(file)
	return p.wants(ModulesTxtRule) && strings.HasSuffix(file, ".go") && p.l.packages[dir] == nil && !ignoredPath(dir)
}

// missing reports files of packages that are there without them. A package
// without any Go file is reported by rule modulestxt.
func (p *proving) missing(o *origin) {
	var names []string
	for name, certain := range o.copied {
		file := o.entry.Mod.Path + "/" + name
		if p.v.byPath[file] == nil && certain && !p.emptyPackage(file) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if o.dir != "" {
		for _, name := range names {
			if !isNoise(name) {
				p.stale[o] = append(p.stale[o], name+" is not in vendor/")
			}
		}
		return
	}
	for _, name := range names {
		p.report(VendorContentRule, finding.Error, p.place(o.entry.Mod.Path+"/"+name), p.b.repair,
			fmt.Sprintf("%s of %s is missing", quoted(name), named(o.mod)), o.vouches()...)
	}
}

// emptyPackage reports whether a file is of a listed package of which nothing is
// there.
func (p *proving) emptyPackage(file string) bool {
	for dir := path.Dir(file); dir != "."; dir = path.Dir(dir) {
		if p.l.packages[dir] != nil {
			return !p.folders[dir]
		}
	}
	return false
}

// verdict reports what is true of a module as a whole.
func (p *proving) verdict(o *origin) {
	where := p.l.place(o.entry.Line)
	if o.dir != "" {
		p.localVerdict(o, where)
		return
	}
	for _, file := range o.evidence.Tampered {
		what := "folder"
		if strings.HasSuffix(file, ".zip") {
			what = "zip"
		}
		s := o.sums[0]
		p.report(VendorContentRule, finding.Error, place{file: s.File, line: s.Line, col: 1, endLine: s.Line, endCol: 1},
			"run 'go clean -modcache', then 'go mod download'",
			fmt.Sprintf("the module cache's %s of %s is not what go.sum vouches for", what, named(o.mod)))
	}
	if len(o.sums) > 1 {
		p.report(VendorContentRule, finding.Error, place{file: o.sums[1].File, line: o.sums[1].Line, col: 1, endLine: o.sums[1].Line, endCol: 1},
			"find out which is right, for example with 'go mod verify' on an empty module cache",
			fmt.Sprintf("%s has two hashes, also in %s:%d", named(o.mod), o.sums[0].File, o.sums[0].Line))
	}
	n := p.unproven[o]
	if n == 0 || !p.wants(UnprovenRule) {
		return
	}
	why, hint := "neither the module cache nor a manifest has it", "run 'go mod download "+o.mod.Path+"@"+o.mod.Version+"', or 'fractl vendor-check --write-manifest' where it is at hand"
	switch {
	case len(o.sums) == 0:
		why, hint = "go.sum does not name it", "run 'go mod tidy'"
	case len(o.evidence.Tampered) > 0:
		why, hint = "the module cache's copy is not what go.sum vouches for", "run 'go clean -modcache', then 'go mod download'"
	case o.err != nil:
		why = "the module cache cannot be read: " + cause(o.err)
	}
	sev := finding.Note
	if p.opt.Strict {
		sev = finding.Error
	}
	p.report(UnprovenRule, sev, where, hint, fmt.Sprintf("%s of %s: not proven: %s", files(n), named(o.mod), why))
}

// files is a number of files in words.
func files(n int) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}

// vouches names the line of go.sum.
func (o *origin) vouches() []finding.Related {
	if len(o.sums) == 0 {
		return nil
	}
	s := o.sums[0]
	return []finding.Related{{File: s.File, Line: s.Line, Message: "vouched for: " + named(o.mod) + " " + s.H1}}
}
