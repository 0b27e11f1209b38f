// Package vet is the driver of the rules: it loads the packages of a workspace
// without compiling anything, runs the rules on them and on the repository
// itself, and turns what they say into findings. It also speaks the protocol of
// go vet -vettool over the same rules.
//
// Metadata comes from go/packages (one go list a group of modules). Packages
// that are not of the workspace are type-checked from source with their
// function bodies dropped right after parsing, so neither export data nor a
// build cache is needed.
package vet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/cache"
	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vet/inputs"
	"github.com/fractl/fractl/internal/workspace"
)

// Options say what one run looks at.
type Options struct {
	// Dir is the working folder; patterns are relative to it.
	Dir string
	// Patterns are package patterns as the go command knows them; none means
	// "./...".
	Patterns []string
	// Rules are the rules there are; see analyzers.Suite.
	Rules []analyzers.Rule
	// Enable, where not empty, are the only rules to run, whatever fractl.yaml
	// disables; Disable are taken away from what is left.
	Enable, Disable []string
	// Known are further names that an ignore comment may hold: the rules of
	// vendor-check, which speak about the same go.mod files.
	Known []string
	// Tags are build tags, separated by commas.
	Tags string
	// Overlay holds contents that stand in for those of files, by path relative
	// to the workspace's root. Rules about go.mod files do not see it.
	Overlay map[string][]byte
	// Measure has the packages checked one at a time, and tells what each rule
	// takes.
	Measure bool
	// Cache keeps results of packages; nil keeps none. With one, all rules are
	// run on a package that has to be analysed, so that the next run may ask
	// for others.
	Cache *cache.Cache
	// Planned, where set, is told how many packages may have to be loaded,
	// before the first one is.
	Planned func(packages int)
	// Progress, where set, is told after each package how many of all are done.
	// It may be called concurrently.
	Progress func(done, all int)
	// Env is the environment of the go command; nil means that of the process.
	Env []string
}

// Result is what one run found.
type Result struct {
	Workspace *workspace.Workspace
	// Findings are sorted and carry fingerprints.
	Findings []finding.Finding
	// Suppressed are the findings that ignore comments dropped, sorted.
	Suppressed []finding.Suppressed
	// Problems are the packages, files and rules that could not be looked at,
	// or not wholly: where there is one, the run is not done, whatever it
	// found. Paths are relative to Options.Dir.
	Problems []error
	// LeftOut are rules that could not be run on single packages because of
	// cgo: a sentence for each package, sorted.
	LeftOut []string
	Stats   Stats
}

// Stats say where the time went.
type Stats struct {
	// Packages were checked by the rules, Dependencies only for their types.
	Packages, Dependencies int
	// Analysed are those of Packages whose result was not known.
	Analysed int
	// Replayed: nothing had changed since an earlier run, and what that one
	// found was told again.
	Replayed bool
	// Survey, Scan, List and Check are wall time: of finding out what has
	// changed, of the repository-level rules, of go list, and of everything
	// from parsing to the last rule.
	Survey, Scan, List, Check time.Duration
	// Rules says what each took, and what they share, most first; only with
	// Options.Measure.
	Rules []Cost
}

// Run vets. The error is that of a bad request or a broken workspace; what goes
// wrong with single packages is in the result's Problems.
func Run(ctx context.Context, o Options) (*Result, error) {
	ws, err := find(o.Dir)
	if err != nil {
		return nil, err
	}
	if o.Env == nil {
		o.Env = os.Environ()
	}
	ws = ws.WithOverlay(o.Overlay)
	rules, err := choose(o.Rules, ws.Manifest, o.Enable, o.Disable)
	if err != nil {
		return nil, err
	}
	scope, groups, err := plan(ws, o)
	if err != nil {
		return nil, err
	}
	var first *run
	for _, c := range configurations(ws, o) {
		r := &run{
			ws: ws, opts: c.apply(o), rules: rules, scope: scope, problems: newProblems(o.Dir), first: first,
			overlay:  overlay{ws, o.Overlay},
			analysed: make(map[string]bool), left: make(map[string][]string),
		}
		if err := r.look(ctx, groups); err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if first == nil {
			first = r
		} else {
			first.merge(r, c)
		}
	}
	return first.result(), nil
}

// run is the state of one run.
type run struct {
	ws       *workspace.Workspace
	opts     Options
	rules    ruleset
	scope    scope
	problems *problems
	overlay  overlay
	stats    Stats
	// first is the run of the first configuration, nil in that one.
	first *run

	// table is what the run depends on; nil without a cache.
	table *inputs.Table
	// repository is the part of it that rules about the repository read.
	repository *inputs.Saved
	stateKey   cache.Key
	scans      map[string]scanResult
	packages   []packageResult
	// rescanned: a rule about the repository was run that the last run had
	// not run. unstable: a file has changed while it was looked at.
	rescanned bool
	unstable  atomic.Bool

	scanned  []finding.Finding
	reported []finding.Finding
	// analysed are the files, relative to the root, that every enabled rule
	// about packages has seen.
	analysed map[string]bool
	// left are the rules that were not run on a package, by its path.
	left map[string][]string
	// scanFailed are the rules about the repository that did not see all.
	scanFailed map[string]bool
}

// find reads the workspace around dir.
func find(dir string) (*workspace.Workspace, error) {
	ws, err := workspace.Find(dir)
	if errors.Is(err, workspace.ErrNone) {
		return nil, fault.New(dir, err.Error(), "run it inside a Go module or a workspace, or make one with 'fractl init'")
	}
	if err != nil {
		return nil, err
	}
	if len(ws.Modules) == 0 {
		return nil, fault.New(workspace.ManifestName, "no module in this workspace", "make a fraction with 'fractl new NAME'")
	}
	return ws, nil
}

// result filters and completes what was found.
func (r *run) result() *Result {
	list := slices.Clone(r.reported)
	for _, f := range r.scanned {
		if r.scope.covers(f.File) {
			list = append(list, f)
		}
	}
	list = finding.Sort(list)
	text := newLines(r.overlay)
	list, dropped := r.suppress(list, text)
	list = finding.Sort(list)
	finding.Fingerprints(list, text.line)
	alone := make([]finding.Finding, len(dropped))
	for i, d := range dropped {
		alone[i] = d.Finding
	}
	finding.Fingerprints(alone, text.line)
	for i, f := range alone {
		dropped[i].Finding = f
	}
	return &Result{
		Workspace: r.ws, Findings: list, Suppressed: dropped,
		Problems: r.problems.sorted(), LeftOut: r.leftOut(), Stats: r.stats,
	}
}

// leftOut words which rules were not run where.
func (r *run) leftOut() []string {
	var list []string
	for _, pkg := range slices.Sorted(maps.Keys(r.left)) {
		slices.Sort(r.left[pkg])
		list = append(list, fmt.Sprintf("package %s has cgo, whose types are unknown without a C compiler: not looked at by %s", pkg, strings.Join(slices.Compact(r.left[pkg]), ", ")))
	}
	return list
}

// lines reads files of the workspace, each once.
type lines struct {
	from  overlay
	files map[string][]byte
	split map[string][]string
}

func newLines(from overlay) *lines {
	return &lines{from: from, files: make(map[string][]byte), split: make(map[string][]string)}
}

// source is the content of a file, or nil where it cannot be read.
func (l *lines) source(file string) []byte {
	src, ok := l.files[file]
	if !ok {
		src, _ = l.from.read(l.from.ws.Abs(file))
		l.files[file] = src
	}
	return src
}

// line is line n, from 1, of a file, or "".
func (l *lines) line(file string, n int) string {
	split, ok := l.split[file]
	if !ok {
		split = strings.Split(string(l.source(file)), "\n")
		l.split[file] = split
	}
	if n < 1 || n > len(split) {
		return ""
	}
	return split[n-1]
}
