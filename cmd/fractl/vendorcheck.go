package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"

	"github.com/spf13/cobra"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vendorcheck"
	"github.com/fractl/fractl/internal/vendorcheck/alone"
	"github.com/fractl/fractl/internal/vendorcheck/proof"
	"github.com/fractl/fractl/internal/workspace"
)

// vendorCheckOptions are the flags and the argument of vendor-check.
type vendorCheckOptions struct {
	dir           string
	fast, strict  bool
	build         bool
	writeManifest bool
	manifest      string
	reportFlags
}

func newVendorCheckCommand(e *env) *cobra.Command {
	o := vendorCheckOptions{}
	cmd := &cobra.Command{
		Use:   "vendor-check [FLAGS] [DIR]",
		Short: "Compare go.mod and go.work with vendor/ before a build",
		Long: `vendor-check compares the go.mod files of a workspace, and its go.work, with the
vendor folders beside them, tells whether a build would use those at all, and
proves each vendored file against go.sum. It checks every module at or below
DIR, the one that holds DIR, and the workspace that a build there would use;
without DIR, the whole workspace of the current folder. It reads files only: it
writes nothing, starts no process and opens no connection.

What the files of a module are it takes from the module cache. With
--write-manifest it keeps that, in the user's cache or in the file that
--manifest names, and needs neither module cache nor network from then on.

Exit codes: 0 no finding at or above --fail-on, 1 findings, 2 a go.mod or
go.work that does not parse, or settings that the go command would refuse.`,
		Example: `  fractl vendor-check                   # the whole workspace
  fractl vendor-check ./auth            # one module
  GOWORK=off fractl vendor-check ./auth # as it is built alone
  fractl vendor-check --fast            # the metadata alone, in no time
  fractl vendor-check --write-manifest --manifest vendor.sums
  fractl vendor-check --strict --manifest vendor.sums   # offline, anywhere
  fractl rules requiredrift             # what a rule means`,
		Args: argsBetween(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.dir = args[0]
			}
			return runVendorCheck(cmd.Context(), e, o)
		},
	}
	f := cmd.Flags()
	o.bind(f)
	f.BoolVar(&o.fast, "fast", false, "check the metadata alone, no content of files")
	f.BoolVar(&o.strict, "strict", false, "what cannot be proven is an error; zips of the module cache are read to the end")
	f.BoolVar(&o.build, "build", false, "build and vet every module alone, too, with GOWORK=off")
	f.BoolVar(&o.writeManifest, "write-manifest", false, "keep the hashes of all files of the vendored modules, as far as they are proven")
	f.StringVar(&o.manifest, "manifest", "", "file that keeps them in the repository, instead of the user's cache")
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
	if o.fast && (o.strict || o.build || o.writeManifest || o.manifest != "") {
		return fault.New("--fast", "cannot go with --strict, --build, --write-manifest or --manifest: it looks at no content", "leave it out")
	}
	how.strict = o.strict
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
	if os.Getenv("GOMEMLIMIT") == "" {
		// Most of what is read is let go of at once: better collected sooner than
		// held.
		debug.SetMemoryLimit(48 << 20)
	}
	ws, err := workspace.Find(dir)
	if errors.Is(err, workspace.ErrNone) {
		ws, err = workspace.Load(dir) // the modules below, if there are any
	}
	if err != nil {
		return err
	}
	opt := vendorcheck.Options{Dir: ws.Root, Rules: how.rules, Strict: o.strict}
	if !o.fast {
		if opt.Vault, err = o.vault(); err != nil {
			return err
		}
	}
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
	if o.build && slices.Contains(how.rules, vendorcheck.IndependenceRule) {
		broken, err := alone.Build(ctx, ws, res.Modules, os.Environ(), vendorcheck.IndependenceRule)
		if err != nil {
			return err
		}
		res.Findings = finding.Sort(append(res.Findings, broken...))
	}
	if o.writeManifest {
		if err := o.keep(e, opt.Vault, res.Proven); err != nil {
			return err
		}
	}
	before, err := o.knownFrom(ctx, e, opt.Dir, func(dir string) ([]finding.Finding, error) {
		then, err := workspace.Find(dir)
		if err != nil {
			return nil, err
		}
		was := opt
		was.Dir = dir
		res, err := vendorcheck.Check(ctx, then, was)
		if err != nil {
			return nil, err
		}
		return res.Findings, nil
	})
	if err != nil {
		return err
	}
	findings, old := before.drop(res.Findings)
	return how.print(e, &finding.Report{Command: "vendor-check", Root: ws.Root, Dir: here, Findings: findings, Baselined: old})
}

// vault is where the content of modules is looked for.
func (o *vendorCheckOptions) vault() (*proof.Vault, error) {
	v := &proof.Vault{ModCache: vendorcheck.ModCache(os.Environ()), Thorough: o.strict}
	if cache, err := os.UserCacheDir(); err == nil {
		v.Kept = filepath.Join(cache, "fractl", "manifests")
	}
	if o.manifest == "" {
		return v, nil
	}
	var err error
	v.File, err = proof.ReadFile(o.manifest)
	switch {
	case errors.Is(err, os.ErrNotExist) && o.writeManifest:
		err = nil
	case errors.Is(err, os.ErrNotExist):
		err = fault.New(o.manifest, "no such file", "write it with 'fractl vendor-check --write-manifest --manifest "+o.manifest+"'")
	case err != nil:
		err = fault.New(o.manifest, err.Error(), "write it anew with --write-manifest")
	}
	return v, err
}

// keep writes the manifests.
func (o *vendorCheckOptions) keep(e *env, v *proof.Vault, list []*proof.Content) error {
	if o.manifest != "" {
		if err := proof.WriteFile(o.manifest, list); err != nil {
			return fault.New(o.manifest, "cannot be written: "+err.Error(), "")
		}
		e.ui.note("fractl: the files of %s are in %s", counted(len(list), "module", "modules"), filepath.ToSlash(o.manifest))
		return nil
	}
	for _, c := range list {
		if err := v.Keep(c); err != nil {
			return fault.New("the user's cache", "cannot be written: "+err.Error(), "name a file with --manifest")
		}
	}
	e.ui.note("fractl: the files of %s are kept in the user's cache", counted(len(list), "module", "modules"))
	return nil
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
