package vendorcheck

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/workspace"
)

// choice is what one module of the repository selects of another.
type choice struct {
	in      *goMod
	require *modfile.Require
	version string
	// to is what it is replaced by, with an absolute path; zero where nothing
	// replaces it.
	to module.Version
}

// versionDrift reports modules of which the modules of the repository select
// different versions, or that they replace differently: one finding for each.
func (c *checker) versionDrift(units []*unit) error {
	choices := map[string][]choice{}
	for _, u := range units {
		if u.mod == "" {
			continue
		}
		m, err := c.modOf(u)
		if err != nil {
			return err
		}
		b := &build{dir: u.dir, mains: []*goMod{m}}
		highest := map[string]*modfile.Require{}
		for _, r := range m.file.Require {
			if have := highest[r.Mod.Path]; have == nil || semver.Compare(have.Mod.Version, r.Mod.Version) < 0 {
				highest[r.Mod.Path] = r
			}
		}
		for path, r := range highest {
			ch := choice{in: m, require: r, version: r.Mod.Version}
			if by := b.replacement(r.Mod); by != nil {
				ch.to = absolute(by.rep.New, m.dir)
			}
			choices[path] = append(choices[path], ch)
		}
	}
	for path, list := range choices {
		if len(list) > 1 {
			c.drifting(path, list)
		}
	}
	return nil
}

// drifting reports one module, where the choices differ by more than the policy
// for it allows.
func (c *checker) drifting(mod string, list []choice) {
	slices.SortFunc(list, func(a, b choice) int {
		return cmp.Or(semver.Compare(a.version, b.version), strings.Compare(a.in.name, b.in.name))
	})
	low, high := list[0], list[len(list)-1]
	byTarget := false
	for _, ch := range list {
		byTarget = byTarget || ch.to != low.to
	}
	policy := c.driftPolicy(mod)
	sev, what := finding.Warning, ""
	switch {
	case policy == workspace.DriftOff:
		return
	case byTarget:
		what = "is replaced differently"
	case low.to.Path != "" || low.version == high.version:
		return // the same target, or the same version
	case policy == workspace.DriftMinor && semver.MajorMinor(low.version) == semver.MajorMinor(high.version) && semver.Prerelease(low.version+high.version) == "":
		sev, what = finding.Note, "is selected in versions that differ"
	default:
		what = "is selected in versions that differ"
	}
	var words []string
	var related []finding.Related
	for i, ch := range list {
		text := ch.version
		if ch.to.Path != "" {
			text += " => " + c.target(ch.to)
		}
		if i < 4 {
			words = append(words, text+" in "+ch.in.name)
		}
		related = append(related, finding.Related{File: ch.in.name, Line: ch.require.Syntax.Start.Line, Message: text})
	}
	if more := len(list) - len(words); more > 0 {
		words = append(words, fmt.Sprintf("and in %d more", more))
	}
	hint := fmt.Sprintf("run 'go get %s@%s' in the folder of %s", mod, high.version, low.in.name)
	if byTarget {
		hint = "give all of them the same replace"
	}
	c.report(VersionDriftRule, sev, at(low.in.name, low.require.Syntax), hint,
		fmt.Sprintf("%s %s: %s", mod, what, strings.Join(words, ", ")), related...)
}

// target words a replacement with a path relative to the root.
func (c *checker) target(to module.Version) string {
	if to.Version == "" {
		return c.rel(to.Path)
	}
	return named(to)
}

// driftPolicy is the policy of the manifest for a module: that of the longest
// pattern that matches, and otherwise "minor".
func (c *checker) driftPolicy(mod string) workspace.DriftPolicy {
	policy, length := workspace.DriftMinor, -1
	if c.ws.Manifest == nil {
		return policy
	}
	for _, v := range c.ws.Manifest.Vendor.Versions {
		if matchesModule(v.Pattern, mod) && len(v.Pattern) > length {
			policy, length = v.Policy, len(v.Pattern)
		}
	}
	return policy
}

// matchesModule reports whether a pattern, as those of GOPRIVATE, takes in a
// module: it is compared with as many elements as it has itself.
func matchesModule(pattern, mod string) bool {
	if pattern == "*" {
		return true
	}
	elements := strings.Split(mod, "/")
	n := strings.Count(pattern, "/") + 1
	if n > len(elements) {
		return false
	}
	ok, _ := path.Match(pattern, strings.Join(elements[:n], "/"))
	return ok
}
