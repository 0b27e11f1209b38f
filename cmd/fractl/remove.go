package main

import (
	"github.com/spf13/cobra"

	"github.com/fractl/fractl/internal/blueprint"
)

func newRemoveCommand(e *env) *cobra.Command {
	var o changeOptions
	cmd := &cobra.Command{
		Use:   "remove FRACTION PIECE…",
		Short: "Remove runtime pieces from a fraction",
		Long: `remove takes runtime pieces out of a fraction, and with them the pieces that only
they needed: it is add backwards, to the byte. A piece that is not there is no
error: the exit code is 0 and nothing changes.

What would be lost or broken is listed, and nothing is written: files of the
piece that were edited, which --force throws away and names; and code that uses
the piece, which has to change first.`,
		Example: `  fractl remove auth bus
  fractl remove auth ring --diff`,
		Args:              argsBetween(2, -1),
		ValidArgsFunction: completeChange,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.request.Fraction, o.request.Pieces = args[0], args[1:]
			return runChange(cmd.Context(), e, "remove", blueprint.Remove, o)
		},
	}
	cmd.Flags().BoolVar(&o.request.Force, "force", false, "throw away edits in files that go with the piece")
	o.plan.bind(cmd)
	return cmd
}
