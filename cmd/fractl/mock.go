package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/mod/modfile"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/generate"
	"github.com/fractl/fractl/internal/generate/mockgen"
	"github.com/fractl/fractl/internal/generate/mockline"
	"github.com/fractl/fractl/internal/workspace"
)

func newMockCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "mock PACKAGE.INTERFACE…",
		Short: "Add the go:generate line of a mock, and make it",
		Long: `mock writes a go:generate line above each interface, or into generate.go of the
current package where the interface is a contract's or another module's; adds
mockgen to the tools of go.mod, where it is not there yet; makes the mocks, and
prints a short test that uses each. A line that is there stays.

The interfaces of another fraction are refused: what is promised is its contract.

Exit codes: 0 done; 2 an interface is not there, or is another fraction's, or its
mock cannot be made, and then everything is as it was.`,
		Example: `  fractl mock ./internal/store.Repository
  fractl mock example.com/shop/contracts/auth/v1.AuthClient
  fractl mock io.Reader`,
		Args: argsBetween(1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runMock(cmd.Context(), e, args)
		},
	}
}

func runMock(ctx context.Context, e *env, args []string) error {
	here, err := workingFolder()
	if err != nil {
		return err
	}
	ws, err := workspace.Find(here)
	if errors.Is(err, workspace.ErrNone) {
		return fault.New(".", err.Error(), "run it inside a Go module or a workspace")
	}
	if err != nil {
		return err
	}
	cache, err := cacheFolder()
	if err != nil {
		return err
	}
	s := saved{}
	for _, arg := range args {
		if err := addMock(ctx, e, ws, here, cache, arg, s); err != nil {
			return errors.Join(err, s.restore())
		}
	}
	return nil
}

// addMock adds and makes one mock.
func addMock(ctx context.Context, e *env, ws *workspace.Workspace, here, cache, arg string, s saved) error {
	line, err := mockline.Plan(ws, here, arg)
	if err != nil {
		return err
	}
	opt := generate.Options{Dir: here, Patterns: []string{"all"}, Cache: cache, Pinned: mockgen.Pinned}
	eng, err := generate.Find(ctx, ws, opt)
	if err != nil {
		return err
	}
	there := eng.MockOf(line.File, line.Interface)
	if there == nil {
		if err := writeLine(ws, line, s); err != nil {
			return err
		}
		e.ui.note("fractl: %s: %s", line.File, line.Text)
	}
	if err := addTool(ctx, e, ws, filepath.Dir(ws.Abs(line.File)), s); err != nil {
		return err
	}
	// The line and go.mod have changed what there is to know.
	if ws, err = workspace.Find(here); err != nil {
		return err
	}
	text := line.Text
	if there != nil {
		text = there.Text
	}
	opt.Run = regexp.MustCompile("^" + regexp.QuoteMeta(text) + "$")
	if eng, err = generate.Find(ctx, ws, opt); err != nil {
		return err
	}
	output := line.Output
	if there != nil {
		output = there.Output
	}
	s.keep(ws.Abs(output))
	if err := eng.Run(ctx); err != nil {
		return err
	}
	for _, item := range eng.Items {
		if item.State == generate.Failed {
			return &fault.Error{Subject: item.Place(), Fact: item.Reason, Hint: item.Hint}
		}
	}
	fmt.Fprintln(e.stdout, line.Skeleton())
	return nil
}

func writeLine(ws *workspace.Workspace, line *mockline.Line, s saved) error {
	name := ws.Abs(line.File)
	s.keep(name)
	src, err := os.ReadFile(name)
	if err != nil && !line.New {
		return workspace.Unreadable(line.File, err)
	}
	if err := os.WriteFile(name, line.Apply(src), 0o644); err != nil {
		return fault.New(line.File, "cannot be written", "make it writable")
	}
	return nil
}

// addTool adds mockgen to the tools of the module around a folder, where it is
// not one yet.
func addTool(ctx context.Context, e *env, ws *workspace.Workspace, dir string, s saved) error {
	m := ws.ModuleOf(ws.Rel(dir))
	if m == nil {
		return fault.New(ws.Rel(dir), "is of no module", "make one with 'go mod init'")
	}
	for _, t := range m.File.Tool {
		if t.Path == mockgen.ToolPath {
			return nil
		}
	}
	version := mockgen.Pinned
	for _, r := range m.File.Require {
		if r.Mod.Path == mockgen.ModulePath {
			version = r.Mod.Version
		}
	}
	root := ws.Abs(m.Dir)
	s.keep(filepath.Join(root, "go.mod"))
	s.keep(filepath.Join(root, "go.sum"))
	if out, err := generate.Go(ctx, root, "get", "-tool", mockgen.ToolPath+"@"+version); err != nil {
		return fault.New(m.GoMod(), "mockgen cannot be added to its tools: "+lastLine(out), "run 'go get -tool "+mockgen.ToolPath+"@"+version+"' in "+m.Dir)
	}
	e.ui.note("fractl: %s: tool %s %s", m.GoMod(), mockgen.ToolPath, version)
	return direct(filepath.Join(root, "go.mod"))
}

// direct marks the module of mockgen as one that the module itself needs: its
// mocks import it.
func direct(name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	mod, err := modfile.Parse(name, data, nil)
	if err != nil {
		return err
	}
	list := slices.Clone(mod.Require)
	for i, r := range list {
		list[i] = &modfile.Require{Mod: r.Mod, Indirect: r.Indirect && r.Mod.Path != mockgen.ModulePath}
	}
	mod.SetRequireSeparateIndirect(list)
	mod.Cleanup()
	if data, err = mod.Format(); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

// saved are files as they were before the first change; nil where one was not
// there.
type saved map[string][]byte

func (s saved) keep(name string) {
	if _, ok := s[name]; !ok {
		s[name], _ = os.ReadFile(name)
	}
}

// restore puts the files back.
func (s saved) restore() error {
	names := make([]string, 0, len(s))
	for name := range s {
		names = append(names, name)
	}
	slices.Sort(names)
	var errs []error
	for _, name := range names {
		if s[name] == nil {
			if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
				errs = append(errs, err)
			}
			continue
		}
		errs = append(errs, os.WriteFile(name, s[name], 0o644))
	}
	return errors.Join(errs...)
}
