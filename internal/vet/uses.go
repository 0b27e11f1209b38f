package vet

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/types"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/fractl/fractl/internal/vet/apihash"
)

// use is what the analysis of a package has seen of another package of the
// workspace: as long as that stays as it is, its result does.
type use struct {
	Path string
	// Names are the declarations that it names, sorted, API the hash of what
	// they are; everything is the name of all of them.
	Names []string
	API   apihash.Hash
	// Told are the declarations whose facts it asked for, sorted, Facts the
	// hash of the answers.
	Told  []string
	Facts apihash.Hash
}

// everything stands for all declarations of a package.
const everything = "*"

// uses gathers what one analysis sees.
type uses struct {
	n     *node
	index *factIndex
	names map[*node]map[string]bool
	told  map[*node]map[string]bool
	// all: the facts of everything below the package were asked for.
	all bool
}

func newUses(n *node, index *factIndex) *uses {
	return &uses{n: n, index: index, names: make(map[*node]map[string]bool), told: make(map[*node]map[string]bool)}
}

func mark(set map[*node]map[string]bool, n *node, name string) {
	if set[n] == nil {
		set[n] = make(map[string]bool)
	}
	set[n][name] = true
}

// fact notes that the facts of obj, which is of package d, were asked for.
func (u *uses) fact(d *node, obj types.Object) {
	if u == nil || d == u.n {
		return
	}
	name := apihash.Name(obj)
	if name == "" {
		name = everything
	}
	mark(u.told, d, name)
}

// everything notes that all facts of package d were asked for.
func (u *uses) everything(d *node) {
	if u != nil && d != u.n {
		mark(u.told, d, everything)
	}
}

// types notes the declarations that the package names. Fields and results need
// no note: the declarations that lead to them cover them.
func (u *uses) types(whole bool) {
	for _, obj := range u.n.info.Uses {
		if obj.Pkg() == nil || obj.Pkg() == u.n.types {
			continue
		}
		d := u.index.node(obj.Pkg())
		if d == nil || !d.ours {
			continue
		}
		if _, isPackage := obj.(*types.PkgName); isPackage {
			continue
		}
		if name := apihash.Name(obj); name != "" {
			mark(u.names, d, name)
		}
	}
	for _, d := range u.n.deps {
		if d.ours {
			mark(u.names, d, apihash.PackageName)
			if whole {
				mark(u.names, d, everything)
			}
		}
	}
	for _, f := range u.n.files {
		for _, spec := range f.Imports {
			if spec.Name != nil && spec.Name.Name == "." {
				u.dot(spec)
			}
		}
	}
}

// dot notes an import that brings all names of a package.
func (u *uses) dot(spec *ast.ImportSpec) {
	if d := u.n.deps[strings.Trim(spec.Path.Value, "\"`")]; d != nil && d.ours {
		mark(u.names, d, everything)
	}
}

// list makes what was gathered into uses, sorted; ok is false where something
// has no hash.
func (u *uses) list() (list []use, ok bool) {
	nodes := make(map[*node]bool)
	for d := range u.names {
		nodes[d] = true
	}
	for d := range u.told {
		nodes[d] = true
	}
	if u.all {
		for d := range u.n.below() {
			nodes[d] = true
			mark(u.told, d, everything)
		}
	}
	for d := range nodes {
		one := use{Path: d.pkg.PkgPath, Names: slices.Sorted(maps.Keys(u.names[d])), Told: slices.Sorted(maps.Keys(u.told[d]))}
		if one.API, ok = d.apiOf(one.Names); !ok {
			return nil, false
		}
		one.Facts = d.factsOf(one.Told)
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b use) int { return strings.Compare(a.Path, b.Path) })
	for i := 1; i < len(list); i++ {
		if list[i].Path == list[i-1].Path {
			return nil, false // two variants of one package
		}
	}
	return list, true
}

// holds reports whether all that was seen is as it was. byPath are the packages
// of the workspace below the one in question.
func holds(list []use, byPath map[string]*node) bool {
	for _, u := range list {
		d := byPath[u.Path]
		if d == nil {
			return false
		}
		if api, ok := d.apiOf(u.Names); !ok || api != u.API || d.factsOf(u.Told) != u.Facts {
			return false
		}
	}
	return true
}

// below are the packages of the workspace that n reaches.
func (n *node) below() map[*node]string {
	set := make(map[*node]string)
	var walk func(n *node)
	walk = func(n *node) {
		for _, d := range n.deps {
			if _, seen := set[d]; !seen && d.ours {
				set[d] = d.pkg.PkgPath
				walk(d)
			}
		}
	}
	walk(n)
	return set
}

// apiOf hashes what the named declarations of n are; one that is not there is
// part of the answer.
func (n *node) apiOf(names []string) (h apihash.Hash, ok bool) {
	if len(names) == 0 {
		return h, true
	}
	if n.api == nil {
		return h, false
	}
	s := sha256.New()
	for _, name := range names {
		if name == everything {
			for _, name := range slices.Sorted(maps.Keys(n.api)) {
				sum := n.api[name]
				fmt.Fprintf(s, "%q %x\n", name, sum)
			}
			continue
		}
		sum, known := n.api[name]
		fmt.Fprintf(s, "%q %v %s\n", name, known, hex.EncodeToString([]byte(sum)))
	}
	return apihash.Hash(s.Sum(nil)), true
}

// factsOf hashes the facts of the named declarations of n.
func (n *node) factsOf(names []string) (h apihash.Hash) {
	if len(names) == 0 {
		return h
	}
	byName := n.told()
	s := sha256.New()
	for _, name := range names {
		fmt.Fprintf(s, "%q\n", name)
		if name == everything {
			for _, f := range n.wires {
				fmt.Fprintf(s, "%q %q %q\n", f.Object, f.Type, f.Value)
			}
		}
		for _, f := range byName[name] {
			fmt.Fprintf(s, "%q %q %q\n", f.Object, f.Type, f.Value)
		}
	}
	return apihash.Hash(s.Sum(nil))
}

// factsByName finds the facts of a package by declaration.
type factsByName struct {
	once   sync.Once
	byName map[string][]wireFact
}

func (n *node) told() map[string][]wireFact {
	n.byName.once.Do(func() {
		n.byName.byName = make(map[string][]wireFact)
		for _, f := range n.wires {
			name, _, _ := strings.Cut(f.Object, ".")
			n.byName.byName[name] = append(n.byName.byName[name], f)
		}
	})
	return n.byName.byName
}
