// Package apihash hashes what importers can see of a package, declaration by
// declaration, so that a package need not be analysed again when only such
// declarations of its imports have changed as it does not use.
//
// The hash of a declaration covers everything that its type leads to: the
// fields and methods of the types that it names, and theirs in turn, across
// packages. A package can only get at a value through a declaration that it
// names, so equal hashes of these mean that it type-checks to the same thing.
// Positions and comments are not in it, nor are function bodies.
package apihash

import (
	"crypto/sha256"
	"encoding/binary"
	"go/types"
	"slices"
	"strings"
)

// Hash identifies what is seen of a declaration.
type Hash string

// Table has the hash of each declaration of a package by name; see Name.
type Table map[string]Hash

// PackageName is the entry for the name in the package clause.
const PackageName = "."

// Imports gives the hash of a declaration of another package; ok is false where
// it is not known.
type Imports func(pkg *types.Package, name string) (h Hash, ok bool)

// Of hashes the declarations of pkg. ok is false where one leads to something
// that has no hash.
func Of(pkg *types.Package, imports Imports) (t Table, ok bool) {
	h := &hasher{pkg: pkg, imports: imports, decls: make(map[string]*decl), ok: true}
	scope := pkg.Scope()
	for _, name := range scope.Names() {
		obj := scope.Lookup(name)
		if _, isType := obj.(*types.TypeName); isType || obj.Exported() {
			h.declare(name, obj)
		}
	}
	if !h.ok {
		return nil, false
	}
	h.components()
	t = Table{PackageName: sum("package " + pkg.Name())}
	names := scope.Names()
	for name, d := range h.decls {
		if _, isFunc := scope.Lookup(name).(*types.Func); !isFunc {
			t[name] = d.deep
			continue
		}
		// Rules look for a function's sibling, as QueryContext is of Query.
		text := string(d.deep)
		for i, _ := slices.BinarySearch(names, name+"\x00"); i < len(names) && strings.HasPrefix(names[i], name); i++ {
			if s := h.decls[names[i]]; s != nil {
				text += names[i] + string(s.deep)
			}
		}
		t[name] = sum(text)
	}
	return t, true
}

// Name is the package-level declaration through which a package gets at obj, or
// "" where that cannot be told from obj alone: of a field, say.
func Name(obj types.Object) string {
	if obj.Pkg() == nil {
		return ""
	}
	if obj.Parent() == obj.Pkg().Scope() {
		return obj.Name()
	}
	if fn, ok := obj.(*types.Func); ok {
		if recv := fn.Signature().Recv(); recv != nil {
			t := types.Unalias(recv.Type())
			if p, ok := t.(*types.Pointer); ok {
				t = types.Unalias(p.Elem())
			}
			if n, ok := t.(*types.Named); ok && n.Obj().Parent() == obj.Pkg().Scope() {
				return n.Obj().Name()
			}
			return ""
		}
		// The importer of export data gives functions no parent.
		return obj.Name()
	}
	return ""
}

func sum(text string) Hash {
	s := sha256.Sum256([]byte(text))
	return Hash(s[:16])
}

// decl is one declaration under construction.
type decl struct {
	name string
	// own describes it with the names of types in place of what they are.
	own Hash
	// foreign are the hashes of declarations of other packages that it names.
	foreign []Hash
	refs    map[string]*decl
	deep    Hash

	index, low int // of Tarjan's algorithm; index 0 is unvisited
	onStack    bool
}

type hasher struct {
	pkg     *types.Package
	imports Imports
	decls   map[string]*decl
	ok      bool
}

// declare makes the declaration of obj.
func (h *hasher) declare(name string, obj types.Object) {
	d := &decl{name: name, refs: make(map[string]*decl)}
	h.decls[name] = d
	w := &writer{hasher: h, decl: d}
	w.object(obj)
	d.own = sum(w.text.String())
}

// components hashes the declarations, those that are named before those that
// name them; types that name one another share their hash (strongly connected
// components, R. Tarjan, 1972).
func (h *hasher) components() {
	var stack []*decl
	next := 1
	var visit func(d *decl)
	visit = func(d *decl) {
		d.index, d.low = next, next
		next++
		stack = append(stack, d)
		d.onStack = true
		for name := range d.refs {
			r := h.decls[name]
			if r == nil {
				continue
			}
			if r.index == 0 {
				visit(r)
				d.low = min(d.low, r.low)
			} else if r.onStack {
				d.low = min(d.low, r.index)
			}
		}
		if d.low != d.index {
			return
		}
		at := slices.Index(stack, d)
		members := slices.Clone(stack[at:])
		stack = stack[:at]
		var parts [][]byte
		for _, m := range members {
			m.onStack = false
			parts = append(parts, append([]byte(m.name+"\x00"), m.own...))
			for _, f := range m.foreign {
				parts = append(parts, []byte(f))
			}
			for name := range m.refs {
				if r := h.decls[name]; r != nil && !slices.Contains(members, r) {
					parts = append(parts, append([]byte(name+"\x00"), r.deep...))
				}
			}
		}
		slices.SortFunc(parts, func(a, b []byte) int { return strings.Compare(string(a), string(b)) })
		s := sha256.New()
		for _, p := range parts {
			s.Write(binary.AppendUvarint(nil, uint64(len(p))))
			s.Write(p)
		}
		shared := s.Sum(nil)
		for _, m := range members {
			m.deep = sum(m.name + "\x00" + string(shared))
		}
	}
	for _, name := range h.pkg.Scope().Names() {
		if d := h.decls[name]; d != nil && d.index == 0 {
			visit(d)
		}
	}
}
