package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/fractl/fractl/internal/blueprint"
	"github.com/fractl/fractl/internal/scaffold"
)

type initOptions struct {
	request blueprint.WorkspaceRequest
	plan    planOptions
}

func newInitCommand(e *env) *cobra.Command {
	var o initOptions
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Make a workspace",
		Long: `init makes a workspace in DIR, or in the current folder: fractl.yaml, go.work and
contracts/, the module that fractions share. In a repository that has modules
already they are named in go.work; files that exist stay as they are.

Without --module the prefix of the module paths comes from the go.mod or the git
remote of the folder.`,
		Example: `  fractl init --module example.com/shop
  fractl init shop --module example.com/shop`,
		Args: argsBetween(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.request.Dir = args[0]
			}
			return runInit(cmd.Context(), e, o)
		},
	}
	cmd.Flags().StringVar(&o.request.Module, "module", "", "prefix of the module paths")
	o.plan.bind(cmd)
	return cmd
}

func runInit(ctx context.Context, e *env, o initOptions) error {
	if err := o.plan.check(); err != nil {
		return err
	}
	cwd, err := os.Getwd()
	if err != nil {
		return err
	}
	o.request.Cwd = cwd
	if err := recoverPlaces(e, o.request.Places()); err != nil {
		return err
	}
	out, err := blueprint.Workspace(o.request)
	if err != nil {
		return err
	}
	if err := carryOut(ctx, e, "init", out.Plan, o.plan); err != nil {
		return err
	}
	e.ui.madeWorkspace(cwd, out, o.plan.preview())
	return nil
}

// madeWorkspace says what was made and what to do next.
func (u *ui) madeWorkspace(cwd string, out *blueprint.Outcome, preview bool) {
	verb := "made"
	if preview {
		verb = "would make"
	}
	dir := relTo(cwd, out.Dir)
	u.note("%s a workspace in %s: %s", verb, dir, countOps(out.Plan))
	u.note("  module %s%s", out.Module, fromWhere(out.ModuleFrom))
	for _, c := range out.Plan.Changes {
		if c.Reason != "" {
			u.note("  %s %s: %s", c.Op, c.Path, c.Reason)
		}
	}
	if preview {
		return
	}
	u.note("next:")
	if dir != "." {
		u.note("  cd %s", shellWord(dir))
	}
	u.note("  fractl new auth")
}

// countOps says how many files a plan creates, updates, deletes and skips.
func countOps(plan *scaffold.Plan) string {
	counts := map[scaffold.Op]int{}
	for _, c := range plan.Changes {
		counts[c.Op]++
	}
	text := ""
	for _, op := range []struct {
		op   scaffold.Op
		past string
	}{{scaffold.Create, "created"}, {scaffold.Update, "updated"}, {scaffold.Delete, "deleted"}, {scaffold.Skip, "left alone"}} {
		if n := counts[op.op]; n > 0 {
			if text != "" {
				text += ", "
			}
			text += fmt.Sprintf("%d %s", n, op.past)
		}
	}
	if text == "" {
		return "nothing"
	}
	return text
}
