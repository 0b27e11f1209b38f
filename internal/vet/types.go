package vet

import (
	"context"
	"go/token"
	"go/types"
	"io"
	"reflect"
	"slices"

	"github.com/fractl/fractl/internal/cache"
	"github.com/fractl/fractl/internal/vet/apihash"
	"github.com/fractl/fractl/internal/vet/exportdata"
)

// typesOf reads the export data of n.
func (c *checking) typesOf(ctx context.Context, n *node) ([]byte, bool) {
	if c.keys == nil {
		return nil, false
	}
	if n.kept != nil {
		return c.run.opts.Cache.Get(ctx, cache.Key([]byte(n.kept.Types)))
	}
	if n.ours || !n.keyed {
		return nil, false
	}
	return c.run.opts.Cache.Get(ctx, typesKey(n))
}

// keepTypes stores the export data of n under the key, and reports whether it
// could be written down at all.
func (c *checking) keepTypes(n *node, key cache.Key) bool {
	if c.keys == nil || !n.keyed || n.broken {
		return false
	}
	files := make([]*token.File, 0, len(n.files))
	for _, f := range n.files {
		files = append(files, c.fset.File(f.FileStart))
	}
	data, err := exportdata.Write(n.types, c.fset, files, func(name string) string { return n.env.portable(c.run.ws.Rel, name) })
	if err != nil {
		return false
	}
	flag := byte(0)
	if n.hasC {
		flag = 1
	}
	c.run.opts.Cache.Put(key, append([]byte{flag}, data...))
	return true
}

// read gives n the types that export data holds.
func (c *checking) read(n *node, data []byte) error {
	if len(data) == 0 {
		return io.ErrUnexpectedEOF
	}
	imports := make(map[string]*types.Package)
	n.reached(imports, make(map[*node]bool))
	pkg, err := exportdata.Read(data[1:], c.fset, n.pkg.PkgPath, imports, func(name string) string { return n.env.located(c.run.ws.Abs, name) })
	if err != nil {
		return err
	}
	// The data names what it reaches; the package has what it imports.
	var direct []*types.Package
	for _, imp := range n.imports() {
		if d := n.deps[imp]; d.types != nil && !slices.Contains(direct, d.types) {
			direct = append(direct, d.types)
		}
	}
	pkg.SetImports(direct)
	n.types, n.hasC = pkg, data[0] == 1
	return nil
}

// reached gathers the packages below n by path.
func (n *node) reached(imports map[string]*types.Package, seen map[*node]bool) {
	for _, d := range n.deps {
		if seen[d] {
			continue
		}
		seen[d] = true
		if d.types != nil {
			imports[d.pkg.PkgPath] = d.types
		}
		d.reached(imports, seen)
	}
}

// describe notes of an analysed package what importers need to know.
func (c *checking) describe(n *node) {
	n.wires = wireFacts(n)
	if c.keys == nil || n.broken {
		return
	}
	n.api, _ = apihash.Of(n.types, func(pkg *types.Package, name string) (h apihash.Hash, ok bool) {
		d := c.index.node(pkg)
		switch {
		case d == nil:
			return h, false
		case d.ours:
			h, ok = d.api[name]
			return h, ok
		}
		return apihash.Hash(d.closure[:16]), d.keyed
	})
}

// recallFacts gives n the facts that were kept of it.
func (c *checking) recallFacts(n *node) {
	known := make(map[string]reflect.Type)
	for _, r := range c.rules {
		collectFactTypes(r.Analyzer, known)
	}
	for _, w := range n.wires {
		if t, ok := known[w.Type]; ok {
			if err := n.accept(w, t); err != nil {
				c.run.problems.add(err)
			}
		}
	}
}
