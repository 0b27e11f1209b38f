package vet

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/gob"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/cache"
	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vet/inputs"
)

// state is what a run leaves for the next with the same request on this
// machine: if nothing has changed since, the next needs neither the go command
// nor any package.
type state struct {
	Table    *inputs.Saved
	Scans    map[string]scanResult
	Packages []packageResult
	Stats    Stats
}

// packageResult is what a run has to know of one package that it reports on.
type packageResult struct {
	Path   string
	Files  []string // relative to the root
	Result unitResult
}

// scanResult is what a rule about the repository found, by the key of what it
// had read.
type scanResult struct {
	Key      string
	Findings []finding.Finding
}

// request is the key of what is asked: everything beside files that decides
// which packages are looked at. Which rules are enabled is not in it.
func (r *run) request() (cache.Key, error) {
	id, err := program()
	if err != nil {
		return cache.Key{}, err
	}
	h := sha256.New()
	fmt.Fprintf(h, "request 1 %q %q %q %q %q\n", id, r.ws.Root, r.ws.Rel(r.problems.dir), r.opts.Patterns, r.opts.Tags)
	for _, m := range r.ws.Modules {
		fmt.Fprintf(h, "module %q %q\n", m.Dir, m.Path)
	}
	for _, kv := range slices.Sorted(slices.Values(r.opts.Env)) {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "GO") || strings.HasPrefix(name, "CGO_") || slices.Contains(buildVariables, name) {
			fmt.Fprintf(h, "%q\n", kv)
		}
	}
	return cache.Key(h.Sum(nil)), nil
}

// buildVariables are what the go command and its tools read beside their own.
var buildVariables = []string{"PATH", "HOME", "USERPROFILE", "LocalAppData", "AppData", "XDG_CONFIG_HOME", "CC", "CXX", "FC", "AR", "PKG_CONFIG", "PKG_CONFIG_PATH"}

// remember reads the state of the last run with this request, if there is one.
func (r *run) remember(ctx context.Context) *state {
	if r.opts.Cache == nil {
		return nil
	}
	key, err := r.request()
	if err != nil {
		return nil
	}
	r.stateKey = key
	s := new(state)
	if !r.recallLocal(ctx, key, s) {
		return nil
	}
	return s
}

func (r *run) recallLocal(ctx context.Context, key cache.Key, to any) bool {
	data, ok := r.opts.Cache.GetLocal(ctx, key)
	return ok && gob.NewDecoder(bytes.NewReader(data)).Decode(to) == nil
}

func (r *run) keepLocal(key cache.Key, v any) {
	var b bytes.Buffer
	if gob.NewEncoder(&b).Encode(v) == nil {
		r.opts.Cache.PutLocal(key, b.Bytes())
	}
}

// keepState leaves the state of this run; g is nil where the graph is kept
// already.
func (r *run) keepState(g *graph) {
	if r.opts.Cache == nil || len(r.opts.Overlay) > 0 || r.unstable.Load() || !r.problems.empty() {
		return
	}
	s := state{Table: r.table.Save(), Scans: r.scans, Stats: Stats{Packages: r.stats.Packages}, Packages: r.packages}
	r.keepLocal(r.stateKey, s)
	r.keepLocal(r.contentKey(), s.Packages)
	if g != nil {
		r.keepLocal(listingKey(r.stateKey), newListing(g))
	}
}

// contentKey is that of what a run with this request said of the packages when
// files had the contents that they have: undone edits lead there.
func (r *run) contentKey() cache.Key {
	return sha256.Sum256(append([]byte("content "+r.table.Sum()), r.stateKey[:]...))
}

// seen reports whether an earlier run saw the same contents; what that one said
// of the packages stands.
func (r *run) seen(ctx context.Context) bool {
	var list []packageResult
	if !r.recallLocal(ctx, r.contentKey(), &list) {
		return false
	}
	r.packages = list
	return true
}

// scanKey is the key of what a rule about the repository reads.
func (r *run) scanKey(rule analyzers.Rule) string {
	index := 0
	for _, other := range r.opts.Rules {
		if other.Name() == rule.Name() {
			break
		}
		if other.Shape != nil {
			index++
		}
	}
	h := sha256.New()
	saved := r.repository
	for _, name := range slices.Sorted(maps.Keys(saved.Files)) {
		f := saved.Files[name]
		sum := f.Sum
		if strings.HasSuffix(name, ".go") || strings.HasSuffix(name, ".sql") {
			sum = ""
			if index < len(f.Traits.Shapes) {
				sum = f.Traits.Shapes[index]
			}
		}
		fmt.Fprintf(h, "%q %v %x\n", name, f.Absent, sum)
	}
	for _, name := range slices.Sorted(maps.Keys(saved.Dirs)) {
		fmt.Fprintf(h, "dir %q %x\n", name, saved.Dirs[name])
	}
	return string(h.Sum(nil))
}
