package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vendorcheck"
	"github.com/fractl/fractl/internal/workspace"
)

// vendorCheckOptions are the flags and the argument of vendor-check.
type vendorCheckOptions struct {
	dir string
	reportFlags
}

func newVendorCheckCommand(e *env) *cobra.Command {
	o := vendorCheckOptions{}
	cmd := &cobra.Command{
		Use:   "vendor-check [FLAGS] [DIR]",
		Short: "Compare go.mod and go.work with vendor/ before a build",
		Long: `vendor-check compares the go.mod files of a workspace, and its go.work, with the
vendor folders beside them, and tells whether a build would use those at all. It
checks every module at or below DIR, the one that holds DIR, and the workspace
that a build there would use; without DIR, the whole workspace of the current
folder. It reads files only: it writes nothing, starts no process and opens no
connection.

Exit codes: 0 no finding at or above --fail-on, 1 findings, 2 a go.mod or
go.work that does not parse, or settings that the go command would refuse.`,
		Example: `  fractl vendor-check                   # the whole workspace
  fractl vendor-check ./auth            # one module
  GOWORK=off fractl vendor-check ./auth # as it is built alone
  fractl rules requiredrift             # what a rule means`,
		Args: argsBetween(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.dir = args[0]
			}
			return runVendorCheck(cmd.Context(), e, o)
		},
	}
	o.bind(cmd.Flags())
	return cmd
}

func runVendorCheck(ctx context.Context, e *env, o vendorCheckOptions) error {
	var names []string
	for _, r := range vendorcheck.Rules() {
		names = append(names, r.Name)
	}
	how, err := o.settle(names)
	if err != nil {
		return err
	}
	here, err := workingFolder()
	if err != nil {
		return err
	}
	dir := here
	if o.dir != "" {
		if dir, err = folder(o.dir); err != nil {
			return err
		}
	}
	ws, err := workspace.Find(dir)
	if errors.Is(err, workspace.ErrNone) {
		ws, err = workspace.Load(dir) // the modules below, if there are any
	}
	if err != nil {
		return err
	}
	opt := vendorcheck.Options{Dir: ws.Root, Rules: how.rules}
	if o.dir != "" {
		opt.Dir = dir
	}
	res, err := vendorcheck.Check(ctx, ws, opt)
	if err != nil {
		return err
	}
	where := o.dir
	if where == "" {
		where = "."
	}
	switch {
	case res.Units == 0:
		return fault.New(where, "no go.mod or go.work here, above or below", "give a folder with a Go module")
	case len(res.Vendored) == 0:
		e.ui.note("fractl: nothing is vendored in %s: no vendor folder stands beside a go.mod or go.work", filepath.ToSlash(where))
	}
	return how.print(e, &finding.Report{Command: "vendor-check", Root: ws.Root, Dir: here, Findings: res.Findings})
}

// workingFolder is the current folder with its links followed, as the paths of
// a workspace are.
func workingFolder() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(dir)
}

// folder makes the name of a folder absolute and follows its links.
func folder(name string) (string, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return "", fault.New(name, "no such folder", "give a folder that exists")
	}
	if info, err := os.Stat(real); err != nil || !info.IsDir() {
		return "", fault.New(name, "is not a folder", "give the folder of a module or of a workspace")
	}
	return real, nil
}
