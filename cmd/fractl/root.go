package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/workspace"
)

// newRootCommand is the one list of verbs.
func newRootCommand(e *env) *cobra.Command {
	root := &cobra.Command{
		Use:   "fractl",
		Short: "Toolchain of fractional architecture in Go",
		Long: `fractl makes autonomous services ("fractions"), finds the code that breaks their
rules, and guards builds against drifted vendor trees.

Exit codes: 0 nothing to report, 1 something to report, 2 not done.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.SetOut(e.stdout)
	root.SetErr(e.ui.w)
	root.SetIn(e.stdin)
	root.SetFlagErrorFunc(flagFault)
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(
		newInitCommand(e),
		newNewCommand(e),
		newAddCommand(e),
		newRemoveCommand(e),
		newGenerateCommand(e),
		newMockCommand(e),
		newVetCommand(e),
		newLSPCommand(e),
		newVendorCheckCommand(e),
		newRulesCommand(e),
		newDemoCommand(e),
		newVersionCommand(e),
		newCompletionCommand(e),
	)
	return root
}

// noSuchCommand names the nearest verb for a word that is none.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var known []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			known = append(known, c.Name())
		}
	}
	hint := "run 'fractl --help' for the list"
	if near := workspace.Nearest(args[0], known); near != "" {
		hint = "did you mean 'fractl " + near + "'?"
	}
	return fault.New(args[0], "no such command", hint)
}

// flagFault turns a flag error of pflag into one with a subject and a hint.
func flagFault(cmd *cobra.Command, err error) error {
	text := err.Error()
	hint := fmt.Sprintf("run '%s --help' for the flags", cmd.CommandPath())
	if name, ok := strings.CutPrefix(text, "unknown flag: --"); ok {
		if near := nearestFlag(cmd, name); near != "" {
			hint = "did you mean --" + near + "?"
		}
		return fault.New("--"+name, "unknown flag", hint)
	}
	return fault.New(cmd.Name(), text, hint)
}

// argsBetween bounds the number of arguments; high < 0 means any number.
func argsBetween(low, high int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < low:
			return fault.New(cmd.Name(), "too few arguments", "usage: "+cmd.UseLine())
		case high >= 0 && len(args) > high:
			return fault.New(cmd.Name(), "too many arguments from "+args[high]+" on", "usage: "+cmd.UseLine())
		}
		return nil
	}
}
