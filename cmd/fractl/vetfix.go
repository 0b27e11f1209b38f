package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/scaffold"
	"github.com/fractl/fractl/internal/scaffold/commit"
	"github.com/fractl/fractl/internal/vet"
	"github.com/fractl/fractl/internal/vet/fix"
	"github.com/fractl/fractl/internal/workspace"
)

// runFix carries out the suggested fixes of findings from a severity up, or
// prints them as a diff. done says that nothing is left to tell.
func runFix(ctx context.Context, e *env, what vet.Options, from finding.Severity, preview bool) (done bool, err error) {
	if !preview {
		if err := recoverAround(e, what.Dir); err != nil {
			return true, err
		}
	}
	out, err := fix.Run(ctx, what, from)
	if err != nil {
		return true, err
	}
	plan, err := fixPlan(out)
	if err != nil {
		return true, err
	}
	for _, f := range out.Refused {
		e.ui.note("fractl: %s:%d: not fixed: the code would no longer build with %q (%s)", f.File, f.Line, f.Fixes[0].Message, f.Rule)
	}
	if !preview {
		if err := commit.Apply(ctx, plan); err != nil {
			return true, err
		}
		e.ui.note("fractl: %s in %s", counted(out.Applied, "fix", "fixes"), counted(len(out.Changes), "file", "files"))
		return false, nil
	}
	if _, err := e.stdout.Write(plan.Diff()); err != nil {
		return true, err
	}
	var reported error
	if !plan.Empty() {
		reported = errReport
	}
	return true, afterProblems(e, out.Vet.Problems, reported)
}

// recoverAround puts in order what an interrupted command left in the workspace
// around dir.
func recoverAround(e *env, dir string) error {
	ws, err := workspace.Find(dir)
	if err != nil {
		return nil // vet says what is wrong with it
	}
	return recoverPlaces(e, []string{ws.Root})
}

// fixPlan is the plan that carries out what fixing came to.
func fixPlan(out *fix.Outcome) (*scaffold.Plan, error) {
	root := out.Vet.Workspace.Root
	b, err := scaffold.NewBuilder(root, root)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	for _, c := range out.Changes {
		b.Update(c.File, c.New, scaffold.Seeded, strings.Join(c.Fixes, "; "))
	}
	return b.Plan()
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
