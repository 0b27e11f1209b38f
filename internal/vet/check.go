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

	"golang.org/x/sync/semaphore"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/fault"
)

// check type-checks the graph, leaves first and as many at a time as there are
// processors, and runs the rules on the packages of the workspace as soon as
// they are ready.
func (r *run) check(ctx context.Context, g *graph) {
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
	if r.opts.Measure {
		// What is measured must not share the process with anything else.
		c.meter, c.procs = newMeter(), semaphore.NewWeighted(1)
		defer func() { r.stats.Rules = c.meter.costs() }()
	}
	c.reach = reachability(g.nodes, c.rules)
	r.analysed = make(map[string]bool)
	needed := c.needed(g.nodes)
	// Packages that were parsed and not yet checked are most of the memory, so
	// only so many are on their way. They enter with their imports before
	// them: the first that is not done never waits for one that is outside.
	window := semaphore.NewWeighted(int64(ahead * runtime.GOMAXPROCS(0)))
	var wg sync.WaitGroup
	for _, n := range g.nodes {
		if !needed[n] {
			continue
		}
		//fractl:detach each package has to pass, if only to say that it is done
		_ = window.Acquire(context.Background(), 1)
		if n.ours {
			r.stats.Packages++
		} else {
			r.stats.Dependencies++
		}
		wg.Go(func() {
			defer window.Release(1)
			defer close(n.done)
			c.process(ctx, n)
		})
	}
	wg.Wait()
}

// ahead is how many packages may be under way for each processor: enough to
// have one ready to check while a chain of imports is followed.
const ahead = 16

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
				set[d] = true
			}
		}
	}
	return set
}

// process takes one package from its files to its findings. What is not ours is
// parsed at once, since little of it stays; what is ours waits for its imports.
func (c *checking) process(ctx context.Context, n *node) {
	defer func() {
		if p := recover(); p != nil {
			n.broken = true
			c.run.problems.add(&fault.Error{
				Subject: n.pkg.ID, Fact: fmt.Sprintf("fractl failed on this package: %v", p),
				Hint: "please report it; it began in " + origin(),
			})
		}
	}()
	if !n.ours {
		c.work(ctx, func() { n.parse(c.fset, c.run.overlay.read, c.run.problems) })
	}
	for _, d := range n.deps {
		<-d.done
	}
	c.work(ctx, func() {
		if n.ours {
			n.parse(c.fset, c.run.overlay.read, c.run.problems)
		}
		n.check(c.fset, c.sizes, c.run.problems)
		c.index.add(n)
		if n.ours {
			c.analyze(n)
		}
		n.drop()
	})
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
	run   *run
	rules []analyzers.Rule
	fset  *token.FileSet
	sizes types.Sizes
	procs *semaphore.Weighted
	index *factIndex
	meter *meter // nil where nobody asked
	reach map[*node]map[string]bool

	mu sync.Mutex // guards what the run gathers
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
