package vet

import (
	"context"
	"crypto/sha256"
	"go/types"
	"slices"

	"golang.org/x/tools/go/packages"

	"github.com/fractl/fractl/internal/cache"
)

// listing is a graph as it is kept: it holds as long as no file has changed in
// what the go command lists packages by.
type listing struct {
	Arch    string
	Builds  []build
	Modules []packages.Module
	// Nodes have imports before their importers.
	Nodes []listed
}

// build is the environment of a group of packages.
type build struct {
	Env    goEnv
	Config string
}

// listed is one node. Indexes are those of the listing's other lists.
type listed struct {
	ID, PkgPath, Name, ForTest                    string
	GoFiles, OtherFiles, IgnoredFiles, EmbedFiles []string
	Module, Build                                 int // Module is -1 for none
	Imports                                       []string
	Deps                                          []int
	Ours, Unit                                    bool
}

func listingKey(request cache.Key) cache.Key {
	return sha256.Sum256(append([]byte("listing"), request[:]...))
}

// newListing makes the listing of g.
func newListing(g *graph) *listing {
	l := &listing{Arch: g.arch}
	place := make(map[*node]int)
	builds := make(map[*goEnv]int)
	modules := make(map[string]int)
	for i, n := range g.nodes {
		place[n] = i
		b, ok := builds[n.env]
		if !ok {
			b = len(l.Builds)
			builds[n.env] = b
			l.Builds = append(l.Builds, build{*n.env, n.config})
		}
		out := listed{
			ID: n.pkg.ID, PkgPath: n.pkg.PkgPath, Name: n.pkg.Name, ForTest: n.pkg.ForTest,
			GoFiles: n.pkg.GoFiles, OtherFiles: n.pkg.OtherFiles, IgnoredFiles: n.pkg.IgnoredFiles, EmbedFiles: n.pkg.EmbedFiles,
			Module: -1, Build: b, Ours: n.ours, Unit: n.unit,
		}
		if m := n.pkg.Module; m != nil {
			at, ok := modules[m.Dir+" "+m.Path]
			if !ok {
				at = len(l.Modules)
				modules[m.Dir+" "+m.Path] = at
				l.Modules = append(l.Modules, plainModule(m))
			}
			out.Module = at
		}
		for _, imp := range n.imports() {
			out.Imports = append(out.Imports, imp)
			out.Deps = append(out.Deps, place[n.deps[imp]])
		}
		l.Nodes = append(l.Nodes, out)
	}
	return l
}

// plainModule leaves out what a run has no use for.
func plainModule(m *packages.Module) packages.Module {
	p := packages.Module{Path: m.Path, Version: m.Version, GoVersion: m.GoVersion, Main: m.Main, Dir: m.Dir, GoMod: m.GoMod}
	if m.Replace != nil {
		r := plainModule(m.Replace)
		p.Replace = &r
	}
	return p
}

// relist reads the graph of the last run, if it is there and whole.
func (r *run) relist(ctx context.Context) *graph {
	l := new(listing)
	if !r.recallLocal(ctx, listingKey(r.stateKey), l) || len(l.Nodes) == 0 {
		return nil
	}
	g := &graph{arch: l.Arch, sizes: types.SizesFor("gc", l.Arch)}
	if g.sizes == nil {
		return nil
	}
	for i, in := range l.Nodes {
		n := &node{
			pkg: &packages.Package{
				ID: in.ID, PkgPath: in.PkgPath, Name: in.Name, ForTest: in.ForTest,
				GoFiles: in.GoFiles, OtherFiles: in.OtherFiles, IgnoredFiles: in.IgnoredFiles, EmbedFiles: in.EmbedFiles,
			},
			ours: in.Ours, unit: in.Unit, deps: make(map[string]*node, len(in.Deps)),
			done: make(chan struct{}), ready: make(chan struct{}),
		}
		if in.Build >= len(l.Builds) || in.Module >= len(l.Modules) || len(in.Imports) != len(in.Deps) {
			return nil
		}
		n.env, n.config = &l.Builds[in.Build].Env, l.Builds[in.Build].Config
		if in.Module >= 0 {
			n.pkg.Module = &l.Modules[in.Module]
		}
		for j, imp := range in.Imports {
			if in.Deps[j] >= i {
				return nil
			}
			n.deps[imp] = g.nodes[in.Deps[j]]
		}
		g.nodes = append(g.nodes, n)
	}
	if !slices.ContainsFunc(g.nodes, func(n *node) bool { return n.unit }) {
		return nil
	}
	return g
}
