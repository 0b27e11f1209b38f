package vet

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/cache"
	"github.com/fractl/fractl/internal/vet/inputs"
)

// keys make the keys of packages. A key holds no absolute path, so that a second
// checkout or another machine has the same.
type keys struct {
	run     *run
	program string
	sums    map[string]string // of go.sum, by "path version"
	table   *inputs.Table
	timers  map[string]string // by folder
	reach   map[*node]map[string]bool
}

func (r *run) newKeys(reach map[*node]map[string]bool) (*keys, error) {
	id, err := program()
	if err != nil {
		return nil, err
	}
	k := &keys{run: r, table: r.table, program: id, sums: make(map[string]string), timers: make(map[string]string), reach: reach}
	files := []string{"go.work.sum"}
	for _, m := range r.ws.Modules {
		files = append(files, strings.TrimSuffix(m.GoMod(), "mod")+"sum")
	}
	for _, name := range files {
		data, err := os.ReadFile(r.ws.Abs(name))
		if err != nil {
			continue // a module that needs none
		}
		for line := range strings.Lines(string(data)) {
			if words := strings.Fields(line); len(words) == 3 {
				k.sums[words[0]+" "+words[1]] = words[2]
			}
		}
	}
	return k, nil
}

// assign gives each node its keys. Imports come before their importers.
func (k *keys) assign(nodes []*node) {
	for _, n := range nodes {
		if n.ours {
			n.unitKey, n.keyed = k.unit(n)
			n.closure = k.with(n.unitKey, n)
		} else {
			n.closure, n.keyed = k.foreign(n)
		}
		for _, d := range n.deps {
			n.keyed = n.keyed && d.keyed
		}
	}
}

// with is a key together with all that a package imports.
func (k *keys) with(own cache.Key, n *node) cache.Key {
	h := sha256.New()
	h.Write(own[:])
	for _, imp := range n.imports() {
		fmt.Fprintf(h, "%q %x\n", imp, n.deps[imp].closure)
	}
	return cache.Key(h.Sum(nil))
}

// foreign is the key of a package that is not ours: its types depend on its
// files and on what it imports. What the module cache holds never changes, nor
// does a release's standard library.
func (k *keys) foreign(n *node) (cache.Key, bool) {
	h := sha256.New()
	fmt.Fprintf(h, "types 1 %q %s\n%q %q %q\n", k.program, n.config, n.pkg.ID, n.pkg.Name, n.goVersion())
	ok := true
	for _, name := range n.pkg.GoFiles {
		at := n.env.portable(k.run.ws.Rel, name)
		switch {
		case strings.HasPrefix(at, rootName) && n.env.released():
			fmt.Fprintf(h, "%q\n", at)
		case strings.HasPrefix(at, modName):
			fmt.Fprintf(h, "%q %s\n", at, k.sum(n))
		default:
			ok = k.content(h, at, name) && ok
		}
	}
	return k.with(cache.Key(h.Sum(nil)), n), ok
}

// sum is what go.sum says of the module of n.
func (k *keys) sum(n *node) string {
	m := n.pkg.Module
	if m == nil {
		return ""
	}
	if m.Replace != nil {
		m = m.Replace
	}
	return k.sums[m.Path+" "+m.Version]
}

// unit is the key of a package of the workspace without what it imports: only
// who its imports are. See uses for what it sees of them.
func (k *keys) unit(n *node) (cache.Key, bool) {
	r := k.run
	h := sha256.New()
	fmt.Fprintf(h, "unit 1 %q %s\n%q %q %q %q %v\n", k.program, n.config, n.pkg.ID, n.pkg.PkgPath, n.pkg.Name, n.goVersion(), n.unit)
	if m := n.pkg.Module; m != nil {
		fmt.Fprintf(h, "module %q %q\n", m.Path, m.Version)
	}
	dir := filepath.Dir(n.pkg.GoFiles[0])
	fmt.Fprintf(h, "timers %s\n", k.timer(dir))
	if f := r.ws.FractionOf(r.ws.Rel(dir)); f != nil {
		fmt.Fprintf(h, "fraction %q %v %d\n", f.Name, f.KeepAlive, f.KeepAliveLine)
	}
	// What it reaches decides which rules have anything to look for.
	fmt.Fprintf(h, "reaches %q\n", slices.Sorted(maps.Keys(k.reach[n])))
	ok := true
	for _, list := range [][]string{n.pkg.GoFiles, n.pkg.OtherFiles, n.pkg.IgnoredFiles} {
		fmt.Fprintf(h, "%d files\n", len(list))
		for _, name := range list {
			ok = k.content(h, r.ws.Rel(name), name) && ok
		}
	}
	for _, imp := range n.imports() {
		if d := n.deps[imp]; d.ours {
			fmt.Fprintf(h, "import %q %q\n", imp, d.pkg.ID)
		} else {
			fmt.Fprintf(h, "import %q %x\n", imp, d.closure)
		}
	}
	return cache.Key(h.Sum(nil)), ok
}

func (k *keys) timer(dir string) string {
	s, ok := k.timers[dir]
	if !ok {
		s = analyzers.Setting(dir, setting(k.run.opts.Env, "GOWORK"))
		k.timers[dir] = s
	}
	return s
}

// content adds the name and content of a file; ok is false where it cannot be
// read.
func (k *keys) content(h hash.Hash, name, file string) bool {
	sum, ok := k.fileSum(file)
	fmt.Fprintf(h, "%q %x\n", name, sum)
	return ok
}

// fileSum hashes the content of a file, and notes the folder that it is in.
func (k *keys) fileSum(file string) (sum inputs.Sum, ok bool) {
	if dir := filepath.Dir(file); !k.table.HasDir(dir) {
		k.table.Dir(dir)
	}
	f := k.table.File(file)
	return f.Sum, !f.Absent
}
