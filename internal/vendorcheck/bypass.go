package vendorcheck

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/fractl/fractl/internal/finding"
)

// vendorBypass reports why a build started at u would not use the vendor folder
// there, and returns whether it would. The order is that of setDefaultBuildMod
// in cmd/go/internal/modload/init.go.
func (c *checker) vendorBypass(u *unit, bs builds, active string, l *list) (used bool) {
	where := l.place(0)
	if l.missing {
		where.file = c.rel(u.mod)
		if u.mod == "" {
			where.file = c.rel(u.work)
		}
	}
	vendor := c.rel(filepath.Join(u.dir, "vendor"))
	c.linked(u, vendor)

	switch {
	case c.set.off:
		c.report(VendorBypassRule, finding.Warning, where, "unset GO111MODULE",
			fmt.Sprintf("GO111MODULE=off, set %s, makes builds ignore go.mod, and %s with it", c.set.offFrom, l.name))
		return false
	case active != "" && filepath.Dir(active) != u.dir:
		c.workspaceAbove(bs, active, vendor)
		return false
	case active == "" && bs.module == nil:
		c.report(VendorBypassRule, finding.Warning, where, "unset GOWORK where the workspace is built",
			fmt.Sprintf("GOWORK=off, set %s, switches %s off, and %s with it", c.set.workFrom, bs.work.work.name, vendor))
		return false
	}
	b := bs.module
	if active != "" {
		b = bs.work
	}
	if why := c.refusal(b); why != "" {
		c.report(VendorBypassRule, finding.Error, where, "run 'go env GOFLAGS' to see it; mend or unset it", why)
		return false
	}
	c.overlaid(u, vendor, where)

	switch c.set.mod {
	case "vendor":
		return true
	case "mod", "readonly":
		hint := "unset GOFLAGS, or set GOFLAGS=-mod=vendor, for builds from vendor/"
		if c.set.from == "by 'go env -w'" {
			hint = "run 'go env -u GOFLAGS'"
		}
		c.report(VendorBypassRule, finding.Error, where, hint,
			fmt.Sprintf("builds take the module cache and not %s: %s", vendor, c.set.flagWords("-mod="+c.set.mod)))
		return false
	}

	goVersion, goLine := b.goVersion()
	switch {
	case goVersion == "":
		c.report(VendorBypassRule, finding.Warning, goLine, "add a go line of 1.14 or above, then "+b.repair,
			fmt.Sprintf("builds do not use %s: without a go line -mod=vendor is not the default", vendor))
		return false
	case b.olderThan("1.14"):
		c.report(VendorBypassRule, finding.Warning, goLine, "raise the go line to 1.14 or above, then "+b.repair,
			fmt.Sprintf("builds do not use %s: below go 1.14, here go %s, -mod=vendor is not the default", vendor, goVersion))
		return false
	case l.file.Workspace != (b.work != nil):
		c.otherKind(bs, b, l, vendor)
		return false
	}
	return true
}

// workspaceAbove reports a module's own vendor folder under a go.work that
// stands elsewhere. Many repositories want it so, hence a warning.
func (c *checker) workspaceAbove(bs builds, active, vendor string) {
	b := bs.module
	if b == nil {
		b = bs.work
	}
	_, where := b.goVersion()
	if b.work == nil {
		where = at(b.mains[0].name, b.mains[0].file.Module.Syntax)
	}
	why := "stands above it"
	if c.set.work != "" && c.set.work != "auto" {
		why = "is named by GOWORK, set " + string(c.set.workFrom)
	}
	name := c.rel(active)
	c.report(VendorBypassRule, finding.Warning, where,
		"set GOWORK=off for builds from that folder, or vendor the workspace with 'go work vendor'",
		fmt.Sprintf("builds here do not use %s: %s %s", vendor, name, why),
		finding.Related{File: name, Message: "switches builds to workspace mode"})
}

// otherKind reports a list whose first line is for the other kind of build. The
// go command then reads the module cache without a word.
func (c *checker) otherKind(bs builds, b *build, l *list, vendor string) {
	sev, hint := finding.Error, b.repair
	switch {
	case bs.module != nil && bs.work != nil && b.work != nil:
		// A root module that is vendored for itself: the usual cure is to say so.
		sev, hint = finding.Warning, "set GOWORK=off for builds from that folder, or "+b.repair
	case bs.module != nil && bs.work != nil:
		sev, hint = finding.Warning, "unset GOWORK for builds from that folder, or "+b.repair
	}
	c.report(VendorBypassRule, sev, l.place(1), hint,
		fmt.Sprintf("builds do not use %s: %s, and this build is %s", vendor, listKind(l), modeWords(b)))
}

// listKind says what the first line of the list makes it.
func listKind(l *list) string {
	if l.file.Workspace {
		return "its first line says '## workspace'"
	}
	return "its first line does not say '## workspace'"
}

func modeWords(b *build) string {
	if b.work != nil {
		return "that of the workspace " + b.work.name
	}
	return "that of the module " + b.mains[0].name + " alone"
}

// refusal says why the go command would not build at all with GOFLAGS as they
// are, or "".
func (c *checker) refusal(b *build) string {
	switch {
	case b.work != nil && c.set.mod == "mod":
		return "the go command refuses to build: " + c.set.flagWords("-mod=mod") + ", is not allowed in a workspace"
	case b.work != nil && c.set.modfile != "":
		return "the go command refuses to build: " + c.set.flagWords("-modfile="+c.set.modfile) + ", is not allowed in a workspace"
	case b.work == nil && c.set.modfile != "" && c.set.modFile(b.dir) == "":
		return "the go command refuses to build: " + c.set.flagWords("-modfile="+c.set.modfile) + ", names no file"
	}
	return ""
}

// linked notes that vendor/ is a link. The go command follows it; 'go mod
// vendor' puts a folder in its place, and archives may leave its target out.
func (c *checker) linked(u *unit, vendor string) {
	if !isLink(u.vendor) {
		return
	}
	to, err := os.Readlink(filepath.Join(u.dir, "vendor"))
	if err != nil {
		return
	}
	c.report(VendorBypassRule, finding.Note, place{file: vendor}, "",
		fmt.Sprintf("%s is a link to %s", vendor, filepath.ToSlash(to)))
}

// noFolder reports what stands at vendor/ and is no folder.
func (c *checker) noFolder(u *unit, err error) {
	vendor := c.rel(filepath.Join(u.dir, "vendor"))
	what := "is a file"
	switch {
	case err != nil && isLink(u.vendor):
		what = "is a link that leads nowhere"
	case err != nil:
		what = "cannot be read: " + cause(err)
	}
	c.report(VendorBypassRule, finding.Warning, place{file: vendor}, "remove or rename it",
		fmt.Sprintf("%s %s: builds do not use it", vendor, what))
}

// overlaid reports files of the vendor folder, or those that say what has to be
// in it, for which -overlay substitutes others in the build.
func (c *checker) overlaid(u *unit, vendor string, where place) {
	if c.set.overlay == "" {
		return
	}
	name := c.set.overlay
	if !filepath.IsAbs(name) {
		name = filepath.Join(u.dir, name)
	}
	flag := c.set.flagWords("-overlay=" + filepath.ToSlash(c.set.overlay))
	var overlay struct{ Replace map[string]string }
	data, err := readRegular(name)
	if err == nil {
		err = json.Unmarshal(data, &overlay)
	}
	if err != nil {
		c.report(VendorBypassRule, finding.Error, where, "run 'go env GOFLAGS' to see it; mend or unset it",
			"the go command refuses to build: "+flag+", names no overlay file")
		return
	}
	var hit []string
	for from := range overlay.Replace {
		if !filepath.IsAbs(from) {
			from = filepath.Join(u.dir, from)
		}
		from = filepath.Clean(from)
		if isWithin(from, filepath.Join(u.dir, "vendor")) || from == u.mod || from == u.work {
			hit = append(hit, c.rel(from))
		}
	}
	if len(hit) == 0 {
		return
	}
	slices.Sort(hit)
	c.report(VendorBypassRule, finding.Warning, where, "unset it for builds from vendor/",
		fmt.Sprintf("builds do not use %s as it is: %s, puts other files in the place of %d, first %s", vendor, flag, len(hit), hit[0]))
}

// isWithin reports whether a clean absolute path is dir or lies below it.
func isWithin(name, dir string) bool {
	rel, err := filepath.Rel(dir, name)
	return err == nil && filepath.IsLocal(rel)
}
