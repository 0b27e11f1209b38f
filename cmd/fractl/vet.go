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
	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vendorcheck"
	"github.com/fractl/fractl/internal/vet"
)

// vetOptions are the flags and arguments of vet.
type vetOptions struct {
	patterns []string
	tags     string
	stats    bool
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
  go vet -vettool=$(which fractl) ./...`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.patterns = args
			return runVet(cmd.Context(), e, o)
		},
	}
	f := cmd.Flags()
	o.bind(f)
	f.StringVar(&o.tags, "tags", "", "build tags, separated by commas")
	f.BoolVar(&o.stats, "stats", false, "say on stderr where the time went")
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
	relaxCollector()
	start := time.Now()
	res, err := vet.Run(ctx, vet.Options{
		Dir: dir, Patterns: o.patterns, Rules: analyzers.Suite(),
		Enable: o.enable, Disable: o.disable, Tags: o.tags, Known: vendorRuleNames(),
	})
	if err != nil {
		return err
	}
	reported := how.print(e, &finding.Report{
		Command: "vet", Root: res.Workspace.Root, Dir: dir,
		Findings: res.Findings, Suppressed: res.Suppressed,
	})
	if reported != nil && !errors.Is(reported, errReport) {
		return reported
	}
	if o.stats {
		s := res.Stats
		e.ui.note("fractl: %d packages, %d dependencies; repository %s, go list %s, check %s, all %s",
			s.Packages, s.Dependencies, short(s.Scan), short(s.List), short(s.Check), short(time.Since(start)))
	}
	for _, p := range res.Problems {
		e.ui.failure(p)
	}
	if len(res.Problems) > 0 {
		return errSilent
	}
	return reported
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
// allocates it needs to the end. A soft limit keeps a small machine alive. What
// GOGC and GOMEMLIMIT say goes first.
func relaxCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	if os.Getenv("GOMEMLIMIT") == "" && debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(400 << 20)
	}
}
