package vendorcheck

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/finding"
)

// unit checks what stands at vendor/ beside the go.mod and go.work of u.
func (c *checker) unit(u *unit) error {
	active, _, err := c.set.activeWork(u.dir)
	if err != nil {
		return err
	}
	bs, err := c.buildsOf(u)
	if err != nil {
		return err
	}
	if bs.module != nil {
		c.twice(bs.module.mains[0])
	}
	if bs.work != nil {
		c.workspaceDrift(bs.work, u.vendor != nil)
	}
	if u.vendor == nil {
		return c.withoutVendor(u, bs, active)
	}
	vendor := filepath.Join(u.dir, "vendor")
	c.vendored = append(c.vendored, c.rel(vendor))
	if info, err := os.Stat(vendor); err != nil || !info.IsDir() {
		c.noFolder(u, err)
		return nil
	}
	l, err := c.readList(vendor)
	if err != nil {
		return err
	}
	used := c.vendorBypass(u, bs, active, l)
	b := c.buildFor(u, bs, active, l)
	if b == nil {
		return nil
	}
	if used && l.file.Workspace != (b.work != nil) && !l.missing {
		// Only an explicit -mod=vendor uses a list of the other kind.
		c.report(ModulesTxtRule, finding.Error, l.place(1), b.repair,
			fmt.Sprintf("%s, but %s", listKind(l), c.set.flagWords("-mod=vendor")+" makes this build use it "+modeWords(b)))
	}
	return c.compare(b, l)
}

// builds are the two ways to build from a folder; either may be nil.
type builds struct{ module, work *build }

func (c *checker) buildsOf(u *unit) (builds, error) {
	var bs builds
	var err error
	if u.mod != "" {
		if bs.module, err = c.moduleBuild(u); err != nil {
			return bs, err
		}
	}
	if u.work != "" {
		if bs.work, err = c.workBuild(u); err != nil {
			return bs, err
		}
	}
	return bs, nil
}

// buildFor is the build whose files the list has to agree with. The list's
// first line says which it was made for; where both a module and a workspace
// own the folder and the list agrees with the other one only, the first line is
// what is wrong, and that is reported by vendorBypass.
func (c *checker) buildFor(u *unit, bs builds, active string, l *list) *build {
	switch {
	case bs.module == nil:
		return bs.work
	case bs.work == nil:
		return bs.module
	case c.set.mod == "vendor" && active == "":
		return bs.module
	case c.set.mod == "vendor" && active == u.work:
		return bs.work
	}
	said, other := bs.module, bs.work
	if l.file.Workspace {
		said, other = other, said
	}
	if l.usable() && c.drifts(said, l) && !c.drifts(other, l) {
		return other
	}
	return said
}

// drifts reports whether the list contradicts the files of a build.
func (c *checker) drifts(b *build, l *list) bool {
	probe := &checker{ctx: c.ctx, ws: c.ws, set: c.set, mods: c.mods, works: c.works, reported: map[string]bool{}}
	probe.replaceDrift(b, l, probe.requireDrift(b, l))
	return len(probe.findings) > 0
}

// compare applies the rules about the list's content.
func (c *checker) compare(b *build, l *list) error {
	c.excludedRequire(b, l)
	if !c.listState(b, l) {
		return nil
	}
	if c.opt.Vault == nil {
		_, err := c.metadata(b, l)
		return err
	}
	before := len(c.findings)
	gone, err := c.metadata(b, l)
	if err != nil {
		return err
	}
	v, err := c.readVendored(l.dir)
	if err != nil {
		return err
	}
	sums, err := c.readSums(b)
	if err != nil {
		return err
	}
	if c.wants(ModulesTxtRule) {
		cl, err := c.importsOf(b, l, v)
		if err != nil {
			return err
		}
		c.imports(b, l, cl, gone)
		c.goLines(b, l, sums)
		if len(c.findings) == before {
			c.wholeText(b, l, cl, sums)
		}
	}
	return c.content(b, l, v, sums)
}

// metadata compares what the list says with go.mod, go.work and the folders.
// It returns the paths of modules whose absence it has reported.
func (c *checker) metadata(b *build, l *list) (gone map[string]bool, err error) {
	before := len(c.findings)
	gone = c.requireDrift(b, l)
	c.replaceDrift(b, l, gone)
	if !c.wants(ModulesTxtRule) {
		return gone, nil
	}
	c.listProblems(b, l)
	c.listLines(b, l)
	c.annotations(b, l)
	c.tools(b, l)
	if err := c.packageFolders(b, l, gone); err != nil {
		return gone, err
	}
	if len(c.findings) == before {
		// A list that is wrong is often in disorder by the same cause.
		c.listOrder(b, l)
	}
	return gone, nil
}

// withoutVendor reports a build that is told to use vendor/ where there is
// none. A module or workspace without dependencies builds all the same.
func (c *checker) withoutVendor(u *unit, bs builds, active string) error {
	if c.set.mod != "vendor" {
		return nil
	}
	b := bs.module
	if active != "" {
		if active != u.work {
			return nil // told at the folder of that go.work
		}
		b = bs.work
	}
	if b == nil {
		return nil
	}
	c.excludedRequire(b, &list{})
	if b.lax() || !b.depends() {
		return nil
	}
	_, where := b.goVersion()
	where.line, where.col, where.endLine, where.endCol = 0, 0, 0, 0
	c.report(ModulesTxtRule, finding.Error, where, b.repair,
		fmt.Sprintf("there is no %s, but %s", c.rel(filepath.Join(u.dir, "vendor")), c.set.flagWords("-mod=vendor")))
	return nil
}

// depends reports whether vendor/ has to have a list. Below go 1.14 a replace
// alone is no reason, and neither is a requirement that nothing imports: then
// there is no vendor/ either.
func (b *build) depends() bool {
	if b.lax() {
		return len(b.mains[0].file.Require) > 0
	}
	if b.work != nil && len(b.work.file.Replace) > 0 {
		return true
	}
	for _, m := range b.mains {
		if len(m.file.Require)+len(m.file.Replace) > 0 {
			return true
		}
	}
	return false
}

// unreadable is the error about a file that is there and cannot be read.
func unreadable(name string, err error) error {
	hint := ""
	if os.IsPermission(err) {
		hint = "mend its permissions"
	}
	return fault.New(name, "cannot be read: "+cause(err), hint)
}

// isLink reports whether what stands at vendor/ is a symbolic link.
func isLink(info fs.FileInfo) bool { return info.Mode()&fs.ModeSymlink != 0 }
