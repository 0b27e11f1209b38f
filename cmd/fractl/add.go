package main

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fractl/fractl/internal/blueprint"
	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/templates"
)

// changeOptions are the options of add and remove.
type changeOptions struct {
	request blueprint.ChangeRequest
	plan    planOptions
}

func newAddCommand(e *env) *cobra.Command {
	var o changeOptions
	cmd := &cobra.Command{
		Use:   "add FRACTION PIECE…",
		Short: "Add runtime pieces to a fraction",
		Long: `add copies runtime pieces into a fraction and wires them in: their packages and
tests, the generated wiring, go.mod and go.sum, their sections of the
configuration, fractl.yaml and fractl.lock. Pieces that they need come along.

A piece with engines to choose from takes one after an equals sign, as in
ring=etcd; for a piece that is there already that changes the engine. A piece
that is there as asked for is no error: the exit code is 0 and nothing changes.

Either everything is written or nothing is. Files that exist are never replaced,
and what was edited stays as it is: add then says what to change by hand.

Pieces:
` + pieceList(),
		Example: `  fractl add auth bus ring=etcd
  fractl add auth health --dry-run`,
		Args:              argsBetween(2, -1),
		ValidArgsFunction: completeChange,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.request.Fraction, o.request.Pieces = args[0], args[1:]
			return runChange(cmd.Context(), e, "add", blueprint.Add, o)
		},
	}
	cmd.Flags().BoolVar(&o.request.Force, "force", false, "throw away edits in files of an engine that is changed for another")
	o.plan.bind(cmd)
	return cmd
}

// completeChange offers the fractions that are seen from here, then the pieces.
func completeChange(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		cwd, err := os.Getwd()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return blueprint.Fractions(cwd), cobra.ShellCompDirectiveNoFileComp
	}
	var specs []string
	for _, p := range templates.Pieces() {
		specs = append(specs, p.Name)
		for _, e := range p.Engines {
			specs = append(specs, p.Name+"="+e.Name)
		}
	}
	return specs, cobra.ShellCompDirectiveNoFileComp
}

// runChange plans and carries out what add and remove are asked for.
func runChange(ctx context.Context, e *env, command string, plan func(blueprint.ChangeRequest) (*blueprint.Changed, error), o changeOptions) error {
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
	out, err := plan(o.request)
	if err != nil {
		var edited *blueprint.EditedError
		if errors.As(err, &edited) {
			e.ui.edits(edited)
		}
		return err
	}
	if err := carryOut(ctx, e, command, out.Plan, o.plan); err != nil {
		return err
	}
	e.ui.changedPieces(cwd, command, out, o.plan.preview())
	return nil
}

// edits shows what would be thrown away.
func (u *ui) edits(err *blueprint.EditedError) {
	for _, f := range err.Files {
		u.note("%s", strings.TrimRight(string(f.Diff), "\n"))
	}
}

// changedPieces says what was added and removed, and what is left to do.
func (u *ui) changedPieces(cwd, command string, out *blueprint.Changed, preview bool) {
	where := "already"
	if command == "remove" {
		where = "not"
	}
	for _, piece := range out.Idle {
		u.note("%s: the piece %s is %s there", out.Name, piece, where)
	}
	if len(out.Added)+len(out.Removed) == 0 {
		return
	}
	would := ""
	if preview {
		would = "would have "
	}
	if len(out.Added) > 0 {
		u.note("%sadded %s to %s in %s", would, strings.Join(out.Added, ", "), out.Name, relTo(cwd, out.Dir))
	}
	if len(out.Removed) > 0 {
		u.note("%sremoved %s from %s in %s", would, strings.Join(out.Removed, ", "), out.Name, relTo(cwd, out.Dir))
	}
	u.note("  %s", countOps(out.Plan))
	for _, what := range out.Discarded {
		u.note("  thrown away: the edits in %s", what)
	}
	u.toDo(out)
}

// toDo says what is left for a person to do after pieces were changed.
func (u *ui) toDo(out *blueprint.Changed) {
	for _, left := range out.Left {
		u.note("%s was edited and stays as it is; change it by hand:", left.Path)
		u.note("%s", strings.TrimRight(string(left.Diff), "\n"))
	}
	for _, name := range out.Migrations {
		u.note("%s is gone; a database that has applied it keeps what it made: drop that by a migration of your own", name)
	}
	for _, doubt := range out.Doubts {
		u.note("%s", fault.New("this will not compile", doubt, ""))
	}
	if out.Tidy {
		u.note("go.mod has requirements that are not fractl's: run 'go mod tidy' to see whether they need what was taken out")
	}
}
