package vendorcheck

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/fractl/fractl/internal/finding"
)

// replaceIntoVendor reports each replace of u's files whose target lies in a
// vendor folder, its own or another's. 'go mod vendor' begins by removing that
// folder, and with it the only copy of the replacement.
func (c *checker) replaceIntoVendor(u *unit) {
	if u.mod != "" {
		if m, err := c.modOf(u); err == nil {
			c.targetsIntoVendor(m.file.Replace, m.name, m.dir)
		}
	}
	if u.work != "" {
		if w, err := c.readWork(u.work); err == nil {
			c.targetsIntoVendor(w.file.Replace, w.name, w.dir)
			for _, m := range w.mains {
				c.targetsIntoVendor(m.file.Replace, m.name, m.dir)
			}
		}
	}
}

// targetsIntoVendor looks at the directives of one file, once.
func (c *checker) targetsIntoVendor(list []*modfile.Replace, file, base string) {
	key := "into vendor: " + file
	if c.reported[key] {
		return
	}
	c.reported[key] = true
	for _, r := range list {
		if r.New.Version != "" {
			continue // not a folder
		}
		target := filepath.FromSlash(r.New.Path)
		if !filepath.IsAbs(target) {
			target = filepath.Join(base, target)
		}
		v, ok := vendorAround(target)
		if !ok {
			continue
		}
		message := fmt.Sprintf("%s points into %s", directive(r), c.rel(v.dir))
		hint := fmt.Sprintf("move %s out of it first, for example to a folder third_party; '%s' in %s removes all of %s before it reads it",
			c.rel(v.target), v.command, c.rel(v.owner), c.rel(v.dir))
		switch {
		case v.folded:
			message += ", which is a vendor folder where names differ in more than case"
		case v.linked:
			message += " by way of a link"
		}
		message += fmt.Sprintf(", which '%s' deletes first", v.command)
		c.report(ReplaceIntoVendorRule, finding.Error, at(file, r.Syntax), hint, message)
	}
}

// vendorHit is a vendor folder that a path lies in.
type vendorHit struct {
	dir     string // the vendor folder
	owner   string // the folder of its go.mod or go.work
	target  string // the path, as it lies in dir
	command string // that would delete it
	folded  bool   // its name is "vendor" in another case
	linked  bool   // the path leads there through a link only
}

// vendorAround finds the vendor folder that target lies in: first by its text,
// which counts even where nothing exists, then with its links followed.
func vendorAround(target string) (vendorHit, bool) {
	target = filepath.Clean(target)
	if v, ok := vendorAbove(target); ok {
		return v, true
	}
	real := resolveExisting(target)
	if real == target {
		return vendorHit{}, false
	}
	v, ok := vendorAbove(real)
	v.linked = ok
	return v, ok
}

// vendorAbove finds a vendor folder among target and the folders above it. A
// folder is one by its name and by the go.mod, go.work or modules.txt that make
// it one.
func vendorAbove(target string) (vendorHit, bool) {
	for dir := target; ; {
		owner := filepath.Dir(dir)
		if owner == dir {
			return vendorHit{}, false
		}
		if name := filepath.Base(dir); strings.EqualFold(name, "vendor") {
			v := vendorHit{dir: dir, owner: owner, target: target, command: "go mod vendor", folded: name != "vendor"}
			if v.folded && sameFile(dir, filepath.Join(owner, "vendor")) {
				v.folded = false // this file system does not tell them apart
			}
			mod, work := isThere(filepath.Join(owner, "go.mod")), isThere(filepath.Join(owner, "go.work"))
			if !mod && work {
				v.command = "go work vendor"
			}
			if mod || work || isThere(filepath.Join(dir, "modules.txt")) {
				return v, true
			}
		}
		dir = owner
	}
}

func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// resolveExisting follows the links of the part of a path that exists.
func resolveExisting(name string) string {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		return real
	}
	parent := filepath.Dir(name)
	if parent == name {
		return name
	}
	return filepath.Join(resolveExisting(parent), filepath.Base(name))
}
