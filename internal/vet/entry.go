package vet

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/gob"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/cache"
	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vet/apihash"
	"github.com/fractl/fractl/internal/vet/inputs"
)

// unitResult is what the analysis of one package comes to, before any wish of
// how to see it: all rules, their own severities, no ignore comments.
type unitResult struct {
	// Findings have the severity of their category, or 0, and no fraction.
	Findings []finding.Finding
	// LeftOut are rules that could not be run because of cgo.
	LeftOut []string
	// Complete: no rule failed.
	Complete bool
}

// variant is one result for a package of certain files, with what it has seen
// of its imports. There are several where a branch is left and taken up again.
type variant struct {
	// Closure is the key of the package with all that it imports: where it is
	// the same nothing else has to be looked at.
	Closure string
	Uses    []use
	// Files are those of other packages that findings point into.
	Files []fileUse

	Result unitResult
	Facts  []wireFact
	API    apihash.Table
	HasC   bool
	// Types is the key of the package's export data.
	Types string
}

// fileUse is a file with the hash of its content.
type fileUse struct {
	File string
	Sum  inputs.Sum
}

// maxVariants is how many results are kept for a package of certain files, the
// last made first.
const maxVariants = 8

// recall looks for a result for n. The imports of n are done.
func (c *checking) recall(ctx context.Context, n *node) *variant {
	if c.keys == nil || !n.keyed {
		return nil
	}
	variants := c.variants(ctx, n)
	byPath := make(map[string]*node)
	for i, v := range variants {
		if v.Closure == string(n.closure[:]) {
			if i >= maxVariants/2 {
				// Others would soon push it out, though it is of use.
				c.putVariants(n, slices.Concat(variants[i:i+1], variants[:i], variants[i+1:]))
			}
			return &variants[i]
		}
	}
	if len(variants) > 0 {
		for d, path := range n.below() {
			byPath[path] = d
		}
	}
	for i, v := range variants {
		if holds(v.Uses, byPath) && c.unchanged(v.Files) {
			return &variants[i]
		}
	}
	return nil
}

// variants reads the results that are kept for n.
func (c *checking) variants(ctx context.Context, n *node) []variant {
	data, ok := c.run.opts.Cache.Get(ctx, n.unitKey)
	if !ok {
		return nil
	}
	var list []variant
	if gob.NewDecoder(bytes.NewReader(data)).Decode(&list) != nil {
		return nil
	}
	return list
}

func (c *checking) unchanged(files []fileUse) bool {
	return !slices.ContainsFunc(files, func(f fileUse) bool {
		sum, ok := c.keys.fileSum(c.run.ws.Abs(f.File))
		return !ok || sum != f.Sum
	})
}

// adopt takes a result over.
func (n *node) adopt(v *variant) {
	n.kept, n.result = v, v.Result
	n.result.Findings = eachFile(v.Result.Findings, func(name string) string {
		if strings.HasPrefix(name, "$") {
			return filepath.ToSlash(n.env.located(nil, name))
		}
		return name
	})
	n.wires, n.api, n.hasC = v.Facts, v.API, v.HasC
}

// keep stores the result of n, whose analysis was complete.
func (c *checking) keep(ctx context.Context, n *node, u *uses) {
	if c.keys == nil || !n.keyed || n.broken || !n.result.Complete || n.api == nil {
		return
	}
	list, ok := u.list()
	if !ok {
		return
	}
	files, ok := c.filesOf(n)
	if !ok {
		return
	}
	result := n.result
	result.Findings = eachFile(result.Findings, func(name string) string {
		return n.env.portable(func(name string) string { return name }, name)
	})
	v := variant{
		Closure: string(n.closure[:]), Uses: list, Files: files, Result: result,
		Facts: n.wires, API: n.api, HasC: n.hasC,
	}
	types := typesKey(n)
	v.Types = string(types[:])
	// Types that nobody imports, as those of most tests, are dear to write down
	// and of no use; who asks for them one day reads the source.
	if n.imported && !c.keepTypes(n, types) {
		return
	}
	c.putVariants(n, append([]variant{v}, c.variants(ctx, n)...))
}

func (c *checking) putVariants(n *node, list []variant) {
	var b bytes.Buffer
	if gob.NewEncoder(&b).Encode(list[:min(len(list), maxVariants)]) == nil {
		c.run.opts.Cache.Put(n.unitKey, b.Bytes())
	}
}

// typesKey is the key of the export data of n. Positions are in it, so it is
// not shared between results whose imports differ.
func typesKey(n *node) cache.Key {
	if !n.ours {
		return n.closure
	}
	return sha256.Sum256(fmt.Appendf(nil, "types of unit %x", n.closure))
}

// filesOf are the files of other packages that the findings of n point into.
func (c *checking) filesOf(n *node) (list []fileUse, ok bool) {
	own := make(map[string]bool)
	for _, name := range n.pkg.GoFiles {
		own[c.run.ws.Rel(name)] = true
	}
	seen := make(map[string]bool)
	for _, f := range n.result.Findings {
		names := []string{f.File}
		for _, r := range f.Related {
			names = append(names, r.File)
		}
		for _, fix := range f.Fixes {
			for _, e := range fix.Edits {
				names = append(names, e.File)
			}
		}
		for _, name := range names {
			// What module files and the manifest say is in the key.
			if own[name] || seen[name] || !strings.HasSuffix(name, ".go") {
				continue
			}
			seen[name] = true
			if filepath.IsAbs(filepath.FromSlash(name)) {
				if n.env.portable(c.run.ws.Rel, name) == name {
					return nil, false
				}
				continue // of the module cache or GOROOT, which stay as they are
			}
			sum, ok := c.keys.fileSum(c.run.ws.Abs(name))
			if !ok {
				return nil, false
			}
			list = append(list, fileUse{name, sum})
		}
	}
	return list, true
}

// eachFile changes the names of the files that findings point to beside their
// own.
func eachFile(list []finding.Finding, change func(string) string) []finding.Finding {
	list = slices.Clone(list)
	for i := range list {
		f := &list[i]
		f.File = change(f.File)
		f.Related = slices.Clone(f.Related)
		for j := range f.Related {
			f.Related[j].File = change(f.Related[j].File)
		}
	}
	return list
}
