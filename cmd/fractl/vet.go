package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vendorcheck"
	"github.com/fractl/fractl/internal/vet"
)

// vetOptions are the flags and arguments of vet.
type vetOptions struct {
	patterns []string
	tags     string
	stats    bool
	fix      bool
	diff     bool
	watch    bool
	cache    string
	reportFlags
}

func newVetCommand(e *env) *cobra.Command {
	o := vetOptions{}
	cmd := &cobra.Command{
		Use:   "vet [FLAGS] [PACKAGES]",
		Short: "Find the code that breaks the rules of a fraction",
		Long: `vet runs the rules that 'fractl rules' lists on the packages, "./..." where none
is given: that covers every module of the workspace below the folder. Nothing is
compiled, and no server or build cache is needed.

'//fractl:ignore RULE reason' on a line, or on the line above it, suppresses.
Exit codes: 0 no finding at or above --fail-on, 1 findings, 2 packages that
could not be checked, whatever was found in the others.`,
		Example: `  fractl vet                       # the whole workspace, from its root
  fractl vet ./order/...           # one fraction
  fractl vet --format json ./...   # for a script
  fractl vet --diff                # what --fix would change
  go vet -vettool=$(which fractl) ./...`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.patterns = args
			return runVet(cmd.Context(), e, o)
		},
	}
	f := cmd.Flags()
	o.bind(f)
	f.StringVar(&o.tags, "tags", "", "build tags, separated by commas")
	f.BoolVar(&o.fix, "fix", false, "carry out the suggested fixes of what would be listed, and list the rest")
	f.BoolVar(&o.diff, "diff", false, "print what --fix would change as a unified diff, and write nothing; exit 1 if there is something")
	f.StringVar(&o.cache, "cache", "", "where results are kept: a folder, a URL, or off (default: a folder among the user's caches)")
	f.BoolVar(&o.watch, "watch", false, "go on, and vet again whenever a file changes, until Ctrl-C")
	f.BoolVar(&o.stats, "stats", false, "say on stderr what each rule takes; packages are then checked one at a time")
	return cmd
}

func runVet(ctx context.Context, e *env, o vetOptions) error {
	var names []string
	for _, r := range analyzers.Suite() {
		names = append(names, r.Name())
	}
	how, err := o.settle(names)
	if err != nil {
		return err
	}
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	if o.diff && o.format != "text" {
		return fault.New("--diff", "cannot go with --format "+o.format, "give one of the two")
	}
	if o.watch && (o.fix || o.diff || o.writeBaseline) {
		return fault.New("--watch", "cannot go with --fix, --diff or --write-baseline", "run them by themselves")
	}
	kept, err := openCache(ctx, o.cache)
	if err != nil {
		return err
	}
	defer closeCache(e, kept)
	what := vet.Options{
		Dir: dir, Patterns: o.patterns, Rules: analyzers.Suite(), Measure: o.stats,
		Enable: o.enable, Disable: o.disable, Tags: o.tags, Known: vendorRuleNames(), Cache: kept,
		Planned: relaxCollector,
	}
	if o.fix || o.diff {
		if done, err := runFix(ctx, e, what, how.min, o.diff); done || err != nil {
			return err
		}
	}
	if o.watch {
		return watchVet(ctx, e, dir, func() error { return vetOnce(ctx, e, o, how, what) })
	}
	return vetOnce(ctx, e, o, how, what)
}

// vetOnce vets and reports.
func vetOnce(ctx context.Context, e *env, o vetOptions, how reporting, what vet.Options) error {
	start := time.Now()
	line := e.ui.progress()
	what.Progress = line.update
	res, err := vet.Run(ctx, what)
	line.end()
	if err != nil {
		return err
	}
	before, err := o.knownFrom(ctx, e, what.Dir, func(dir string) ([]finding.Finding, error) {
		then := what
		then.Dir = dir
		res, err := vet.Run(ctx, then)
		if err != nil {
			return nil, err
		}
		return res.Findings, nil
	})
	if err != nil {
		return err
	}
	findings, old := before.drop(res.Findings)
	reported := how.print(e, &finding.Report{
		Command: "vet", Root: res.Workspace.Root, Dir: what.Dir,
		Findings: findings, Baselined: old, Suppressed: len(res.Suppressed), SuppressedFindings: res.Suppressed,
	})
	if reported != nil && !errors.Is(reported, errReport) {
		return reported
	}
	if o.stats {
		e.ui.stats(res.Stats, time.Since(start))
	}
	for _, text := range res.LeftOut {
		e.ui.note("fractl: %s", text)
	}
	return afterProblems(e, res.Problems, reported)
}

// afterProblems tells what could not be looked at, which outweighs everything
// that was found.
func afterProblems(e *env, problems []error, otherwise error) error {
	for _, p := range problems {
		e.ui.failure(p)
	}
	if len(problems) > 0 {
		return errSilent
	}
	return otherwise
}

// stats says what a run took.
func (u *ui) stats(s vet.Stats, all time.Duration) {
	if s.Replayed {
		u.note("fractl: %d packages, nothing changed; survey %s, repository %s, all %s", s.Packages, short(s.Survey), short(s.Scan), short(all))
		return
	}
	u.note("fractl: %d packages, %d of them analysed, %d more loaded; survey %s, repository %s, go list %s, check %s, all %s",
		s.Packages, s.Analysed, s.Dependencies, short(s.Survey), short(s.Scan), short(s.List), short(s.Check), short(all))
	for _, c := range s.Rules {
		u.note("fractl: %-14s %5d packages  %6.0f CPU ms  %7.1f MB", c.Name, c.Packages, c.CPU.Seconds()*1000, float64(c.Allocated)/(1<<20))
	}
}

// vendorRuleNames are rules that a comment in a go.mod may name as well.
func vendorRuleNames() []string {
	var names []string
	for _, r := range vendorcheck.Rules() {
		names = append(names, r.Name)
	}
	return names
}

func short(d time.Duration) string { return fmt.Sprintf("%.2fs", d.Seconds()) }

// relaxCollector lets the heap of a short-lived command grow: most of what vet
// allocates it needs to the end. A soft limit keeps a small machine alive; it
// grows with what many packages cannot do without. What GOGC and GOMEMLIMIT say
// goes first.
func relaxCollector(packages int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	if os.Getenv("GOMEMLIMIT") == "" && debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(max(380<<20, int64(packages)*(450<<10)))
	}
}
