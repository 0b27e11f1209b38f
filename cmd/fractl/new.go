package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fractl/fractl/internal/blueprint"
	"github.com/fractl/fractl/templates"
)

type newOptions struct {
	request blueprint.Request
	plan    planOptions
}

func newNewCommand(e *env) *cobra.Command {
	var o newOptions
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Make a fraction",
		Long: `new makes one fraction: a service of its own with its program, configuration,
database schema, contract, tests and module. Below a workspace it lands at the
workspace's root, whichever folder it is called in, and is entered in fractl.yaml
and go.work. With no workspace above it stands alone.

Without --module the module path comes from fractl.yaml, from the modules around,
or from the git remote; where none of them tells it is example.com/NAME.

Either everything is written or nothing is. Files that exist are never replaced.

Pieces:
` + pieceList(),
		Example: `  fractl new auth
  fractl new order --resource invoice --without health
  fractl new auth --dry-run`,
		Args: argsBetween(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.request.Name = args[0]
			return runNew(cmd.Context(), e, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.request.Kind, "kind", "service", "kind of fraction: "+strings.Join(kinds(), ", "))
	f.StringSliceVar(&o.request.With, "with", nil, "further pieces; one may name its engine, as in bus=redis")
	f.StringSliceVar(&o.request.Without, "without", nil, "pieces to leave out")
	f.StringVar(&o.request.Resource, "resource", blueprint.DefaultResource, "the resource that it creates, gets and lists, in the singular")
	f.StringVar(&o.request.Module, "module", "", "module path")
	f.StringVar(&o.request.Dir, "dir", "", "folder of the fraction")
	o.plan.bind(cmd)
	return cmd
}

func runNew(ctx context.Context, e *env, o newOptions) error {
	if err := o.plan.check(); err != nil {
		return err
	}
	cwd, err := os.Getwd()
	if err != nil {
		return err
	}
	o.request.Cwd = cwd
	// The garbage of a command this short is not worth collecting often.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	if err := recoverPlaces(e, o.request.Places()); err != nil {
		return err
	}
	out, err := blueprint.Fraction(o.request)
	if err != nil {
		return err
	}
	if err := carryOut(ctx, e, "new", out.Plan, o.plan); err != nil {
		return err
	}
	e.ui.madeFraction(cwd, out, o.plan.preview())
	return nil
}

// madeFraction says what was made and what to do next.
func (u *ui) madeFraction(cwd string, out *blueprint.Outcome, preview bool) {
	verb := "made"
	if preview {
		verb = "would make"
	}
	u.note("%s %s %s in %s: %s", verb, out.Kind, out.Name, relTo(cwd, out.Dir), countOps(out.Plan))
	u.note("  module %s%s", out.Module, fromWhere(out.ModuleFrom))
	u.note("  pieces %s", strings.Join(out.Pieces, ", "))
	for _, c := range out.Plan.Changes {
		if c.Reason != "" {
			u.note("  %s %s: %s", c.Op, c.Path, c.Reason)
		}
	}
	if preview {
		return
	}
	u.note("next:")
	if dir := relTo(cwd, out.Dir); dir != "." {
		u.note("  cd %s", shellWord(dir))
	}
	u.note("  go run ./cmd/%s", out.Name)
	u.note("  go test ./...")
}

// fromWhere explains a module path that nobody gave.
func fromWhere(from string) string {
	switch from {
	case "":
		return " (an example; --module gives your own)"
	case "--module":
		return ""
	}
	return " (from " + from + ")"
}

// pieceList is a line for each piece.
func pieceList() string {
	always, optional := map[string]bool{}, map[string]bool{}
	for _, t := range templates.Trees() {
		for _, p := range t.Pieces {
			always[p] = true
		}
		for _, p := range t.Default {
			optional[p] = true
		}
	}
	var b strings.Builder
	for _, p := range templates.Pieces() {
		b.WriteString("  " + p.Name + strings.Repeat(" ", max(1, 12-len(p.Name))) + p.Doc)
		switch {
		case always[p.Name]:
			b.WriteString(" (always)")
		case optional[p.Name]:
			b.WriteString(" (unless --without)")
		}
		b.WriteByte('\n')
		for _, e := range p.Engines {
			spec := p.Name + "=" + e.Name
			b.WriteString("    " + spec + strings.Repeat(" ", max(1, 22-len(spec))) + e.Doc)
			if e.Default {
				b.WriteString(" (default)")
			}
			b.WriteByte('\n')
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

func kinds() []string {
	var all []string
	for _, t := range templates.Trees() {
		all = append(all, t.Kind)
	}
	return all
}

// relTo is target as seen from cwd, with "/", or absolute where that is shorter
// to read.
func relTo(cwd, target string) string {
	if real, err := filepath.EvalSymlinks(cwd); err == nil {
		cwd = real
	}
	rel, err := filepath.Rel(cwd, target)
	if err != nil || strings.HasPrefix(rel, filepath.Join("..", "..", "..")) {
		return filepath.ToSlash(target)
	}
	return filepath.ToSlash(rel)
}

// shellWord quotes a path that a shell would split or expand.
func shellWord(s string) string {
	if strings.ContainsAny(s, " \t'\"\\$&|;<>()*?[]#~`!{}") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}
