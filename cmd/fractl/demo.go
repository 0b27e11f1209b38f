package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/fractl/fractl/internal/demo"
)

func newDemoCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "demo [DIR]",
		Short: "Show the main job at work, in a folder of its own",
		Long: `demo makes a workspace with two fractions, builds, tests, starts and calls one,
plants a fault for each rule in a copy and lets vet find it, and lets vendor-check
stop a drifted vendor tree. It needs Go and the module proxy.

DIR, which must be new or empty, keeps the workspace; without it everything is
removed at the end. Exit code 1 means that a step did not show what it should.`,
		Args: argsBetween(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := ""
			if len(args) == 1 {
				dir = args[0]
			}
			return runDemo(cmd.Context(), e, dir)
		},
	}
}

func runDemo(ctx context.Context, e *env, dir string) error {
	keep := dir != ""
	if !keep {
		temp, err := os.MkdirTemp("", "fractl-demo-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(temp)
		dir = temp
	}
	start := time.Now()
	steps, err := demo.Run(ctx, demo.Options{Dir: dir, Waiting: func(what string) { e.ui.step("%s", what) }})
	if perr := printSteps(e.stdout, steps); perr != nil {
		return perr
	}
	if err != nil {
		return err
	}
	failed := 0
	for _, s := range steps {
		if s.Err != nil {
			failed++
		}
	}
	e.ui.demoDone(len(steps), failed, time.Since(start), dir, keep)
	if failed > 0 {
		return errReport
	}
	return nil
}

// printSteps prints what each step showed.
func printSteps(w io.Writer, steps []demo.Step) error {
	for _, s := range steps {
		mark := "ok  "
		if s.Err != nil {
			mark = "FAIL"
		}
		if _, err := fmt.Fprintf(w, "%s %s (%.1fs)\n", mark, s.Title, s.Took.Seconds()); err != nil {
			return err
		}
		for _, line := range s.Saw {
			fmt.Fprintf(w, "     %s\n", line)
		}
		if s.Err != nil {
			fmt.Fprintf(w, "     did not show it: %v\n", s.Err)
		}
	}
	return nil
}

// demoDone says how it went and what to try next.
func (u *ui) demoDone(steps, failed int, took time.Duration, dir string, kept bool) {
	if failed > 0 {
		u.note("%d of %d steps did not show what they should", failed, steps)
		return
	}
	u.note("all %d steps shown in %.0f s", steps, took.Seconds())
	u.note("next:")
	if kept {
		u.note("  cd %s/shop/auth && go run ./cmd/auth", shellWord(dir))
	} else {
		u.note("  fractl demo DIR                        # the same, and keeps the workspace")
	}
	u.note("  fractl init shop --module example.com/shop && cd shop && fractl new auth")
	u.note("  fractl vet ./... ; fractl vendor-check ; fractl rules")
}
