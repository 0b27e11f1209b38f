package vet

import (
	"context"
	"fmt"
	"go/token"
	"go/types"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/vet/inputs"
)

// check gives each package of the workspace its result: from the cache where
// there is one that still holds, else by running the rules on it. Imports come
// first, and as much is done at a time as there are processors. The types of a
// package are loaded only once somebody who imports it has to be analysed.
func (r *run) check(ctx context.Context, g *graph) error {
	c := &checking{
		run: r, fset: token.NewFileSet(), sizes: g.sizes,
		procs: semaphore.NewWeighted(int64(runtime.GOMAXPROCS(0))),
		index: newFactIndex(),
	}
	for _, rule := range r.rules.list {
		if rule.Scan == nil && !rule.Comments {
			c.rules = append(c.rules, rule)
		}
	}
	if r.opts.Cache != nil {
		// What is kept is everything; see Result.
		c.rules = nil
		for _, rule := range r.opts.Rules {
			if rule.Scan == nil && !rule.Comments {
				c.rules = append(c.rules, rule)
			}
		}
	}
	if r.opts.Measure {
		// What is measured must not share the process with anything else.
		c.meter, c.procs = newMeter(), semaphore.NewWeighted(1)
		defer func() { r.stats.Rules = c.meter.costs() }()
	}
	c.reach = reachability(g.nodes, c.rules)
	if r.opts.Cache != nil {
		keys, err := r.newKeys(c.reach)
		if err != nil {
			return err
		}
		keys.assign(g.nodes)
		c.keys = keys
	}
	c.loader = newLoader(ctx, c)
	needed := c.needed(g.nodes)
	all := 0
	for _, n := range g.nodes { // imports come first
		for _, d := range n.deps {
			n.mixed = n.mixed || d.ours || d.mixed
		}
		if n.ours && needed[n] {
			all++
		}
	}
	var (
		wg   sync.WaitGroup
		done atomic.Int64
	)
	for _, n := range g.nodes {
		switch {
		case !n.ours && !needed[n]:
		case !n.ours && !n.mixed:
			close(n.done) // nothing is said of it
		case !n.ours:
			// Who imports it reaches packages of ours through it, and has to
			// know of them first.
			wg.Go(func() {
				for _, d := range n.deps {
					<-d.done
				}
				close(n.done)
			})
		case needed[n]:
			wg.Go(func() {
				c.process(ctx, n)
				if n := done.Add(1); r.opts.Progress != nil {
					r.opts.Progress(int(n), all)
				}
			})
		}
	}
	wg.Wait()
	c.loader.finish()
	for _, n := range g.nodes {
		if n.ours && needed[n] {
			r.stats.Packages++
			if n.kept == nil {
				r.stats.Analysed++
			}
			if n.unit {
				r.packages = append(r.packages, r.packageResult(n))
			}
		}
	}
	r.stats.Dependencies = int(c.loader.loaded.Load())
	return nil
}

// needed are the packages to report on and all that they import.
func (c *checking) needed(nodes []*node) map[*node]bool {
	set := make(map[*node]bool)
	for i := len(nodes) - 1; i >= 0; i-- { // importers come first
		n := nodes[i]
		if n.unit {
			set[n] = true
		}
		if set[n] {
			for _, d := range n.deps {
				set[d], d.imported = true, true
			}
		}
	}
	return set
}

// process takes one package of the workspace from its files to its findings.
func (c *checking) process(ctx context.Context, n *node) {
	defer close(n.done)
	for _, d := range n.deps {
		<-d.done
	}
	if n.cyclic {
		n.broken = true
		close(n.ready)
		return
	}
	if v := c.recall(ctx, n); v != nil {
		n.adopt(v)
		return
	}
	defer close(n.ready)
	c.loader.want(n.deps)
	for _, d := range n.deps {
		<-d.ready
	}
	c.work(ctx, func() {
		defer c.survive(n)
		n.parse(c.fset, c.reader(n), c.run.problems, true)
		n.check(c.fset, c.sizes, c.run.problems, true)
		c.index.add(n)
		seen := c.analyze(n)
		c.describe(n)
		if !n.keyed {
			n.api = nil // importers have no key for what they see
		}
		c.keep(ctx, n, seen)
		n.drop()
	})
}

// reader reads the files of n. One that has changed since its key was made makes
// what follows good for this run only.
func (c *checking) reader(n *node) func(string) ([]byte, error) {
	if c.keys == nil {
		return c.run.overlay.read
	}
	return func(name string) ([]byte, error) {
		src, err := c.run.overlay.read(name)
		if sum, ok := c.keys.fileSum(name); err == nil && (!ok || sum != inputs.SumOf(src)) {
			n.keyed = false
			c.run.unstable.Store(true)
		}
		return src, err
	}
}

// survive turns a panic into a problem of one package.
func (c *checking) survive(n *node) {
	if p := recover(); p != nil {
		n.broken, n.api = true, nil
		c.run.problems.add(&fault.Error{
			Subject: n.pkg.ID, Fact: fmt.Sprintf("fractl failed on this package: %v", p),
			Hint: "please report it; it began in " + origin(),
		})
	}
}

// work runs f on one of the processors, or not at all once ctx is done.
func (c *checking) work(ctx context.Context, f func()) {
	if c.procs.Acquire(ctx, 1) != nil {
		return
	}
	defer c.procs.Release(1)
	f()
}

// checking is the state of the type-checking and of the analyses.
type checking struct {
	run    *run
	rules  []analyzers.Rule
	fset   *token.FileSet
	sizes  types.Sizes
	procs  *semaphore.Weighted
	index  *factIndex
	meter  *meter // nil where nobody asked
	reach  map[*node]map[string]bool
	keys   *keys // nil without a cache
	loader *loader
}

// origin names the function that panicked, with its place.
func origin() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs)])
	panicked := false
	for {
		f, more := frames.Next()
		switch {
		case f.Function == "runtime.gopanic":
			panicked = true
		case panicked && !strings.HasPrefix(f.Function, "runtime."):
			return fmt.Sprintf("%s (%s:%d)", f.Function, filepath.Base(f.File), f.Line)
		}
		if !more {
			return "an unknown function"
		}
	}
}
