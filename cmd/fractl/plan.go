package main

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/scaffold"
	"github.com/fractl/fractl/internal/scaffold/commit"
)

// planOptions are the flags of every command that makes a plan.
type planOptions struct {
	dryRun, diff, json bool
}

func (o *planOptions) bind(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.dryRun, "dry-run", false, "list what would be done, and write nothing")
	f.BoolVar(&o.diff, "diff", false, "print what would be done as a unified diff, and write nothing")
	f.BoolVar(&o.json, "json", false, "print the plan as JSON, after the work or with --dry-run")
}

func (o *planOptions) check() error {
	if o.diff && o.json {
		return fault.New("--diff", "cannot go with --json", "give one of the two")
	}
	return nil
}

// preview reports whether nothing is to be written.
func (o *planOptions) preview() bool { return o.dryRun || o.diff }

// carryOut shows the plan and, unless it is a preview, commits it.
func carryOut(ctx context.Context, e *env, command string, plan *scaffold.Plan, o planOptions) error {
	if !o.preview() {
		if err := commit.Apply(ctx, plan); err != nil {
			return err
		}
	}
	switch {
	case o.json:
		data, err := plan.JSON(command, !o.preview())
		if err != nil {
			return err
		}
		_, err = e.stdout.Write(data)
		return err
	case o.diff:
		_, err := e.stdout.Write(plan.Diff())
		return err
	case o.dryRun:
		_, err := e.stdout.Write(plan.List())
		return err
	}
	return nil
}

// recoverPlaces puts in order what an interrupted command left where the next
// one is going to work, and says so.
func recoverPlaces(e *env, places []string) error {
	for _, dir := range places {
		done, err := commit.Recover(dir)
		for _, r := range done {
			e.ui.recovered(r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// recovered says what was put in order after a process that did not end well.
func (u *ui) recovered(r commit.Recovered) {
	dir := filepath.ToSlash(r.Dir)
	switch {
	case r.Forward:
		u.note("fractl: %s: an interrupted fractl had finished its changes; they stand", dir)
	case r.Begun:
		u.note("fractl: %s: an interrupted fractl had changed files; they were put back", dir)
	default:
		u.note("fractl: %s: an interrupted fractl had changed nothing yet; what it had prepared was removed", dir)
	}
	for _, name := range r.Kept {
		u.note("fractl: %s: was changed since and stays as it is", name)
	}
}
