package replacedrift

import (
	"context"
	_ "embed"
	"errors"
	"go/build"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/fractl/fractl/internal/analyzers/internal/analyzerdoc"
	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vendorcheck"
	"github.com/fractl/fractl/internal/workspace"
)

//go:embed doc.go
var doc string

// Analyzer reports at the package clause of a module's first package, for
// drivers that know packages only. The driver of `fractl vet` uses Scan
// instead, which needs no package and reports at the directive.
var Analyzer = &analysis.Analyzer{
	Name:             vendorcheck.ReplaceDriftRule,
	Doc:              analyzerdoc.Must(doc, vendorcheck.ReplaceDriftRule),
	URL:              "https://pkg.go.dev/github.com/fractl/fractl/internal/analyzers/replacedrift",
	Run:              run,
	RunDespiteErrors: true, // go.mod needs no types
}

// Scan reports on all modules of a workspace, for a build in the environment of
// this process.
func Scan(ctx context.Context, ws *workspace.Workspace) ([]finding.Finding, error) {
	return vendorcheck.ReplaceDrift(ctx, ws, os.Environ())
}

func run(pass *analysis.Pass) (any, error) {
	if len(pass.Files) == 0 || strings.HasSuffix(pass.Pkg.Name(), "_test") {
		return nil, nil
	}
	clause := pass.Files[0].Package
	dir, err := filepath.EvalSymlinks(filepath.Dir(pass.Fset.File(clause).Name()))
	if err != nil {
		return nil, nil // a generated file that is gone
	}
	root, ok := moduleRoot(dir)
	if !ok || firstPackage(root) != dir {
		return nil, nil
	}
	ws, err := workspace.Find(dir)
	if errors.Is(err, workspace.ErrNone) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	list, err := Scan(context.Background(), ws)
	if err != nil {
		return nil, err
	}
	for _, f := range list {
		if ws.Abs(ownerOf(ws, f.File)) == root {
			pass.Reportf(clause, "%s:%d: %s", f.File, f.Line, f.Message)
		}
	}
	return nil, nil
}

// moduleRoot is the nearest folder at or above dir with a go.mod.
func moduleRoot(dir string) (string, bool) {
	for {
		if isFile(filepath.Join(dir, "go.mod")) {
			return dir, true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", false
		}
		dir = parent
	}
}

// firstPackage is the first folder of a module, in lexical order, that holds a
// package for this system, or "". One package has to speak for the module, and
// each is analysed in a process that knows no other.
func firstPackage(root string) string {
	first := ""
	// What cannot be read holds no package for us; the driver tells.
	_ = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return nil
		}
		base := d.Name()
		if name != root && (base == "vendor" || base == "testdata" || base[0] == '.' || base[0] == '_' || isFile(filepath.Join(name, "go.mod"))) {
			return fs.SkipDir
		}
		if holdsPackage(name) {
			first = name
			return fs.SkipAll
		}
		return nil
	})
	return first
}

func holdsPackage(dir string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		if ok, err := build.Default.MatchFile(dir, name); ok && err == nil {
			return true
		}
	}
	return false
}

// ownerOf is the folder, relative to the root, of the module that a finding in
// file is told to: that of the go.mod beside it or, for a go.work without one,
// the first of the workspace.
func ownerOf(ws *workspace.Workspace, file string) string {
	dir := path.Dir(file)
	if path.Base(file) == "modules.txt" {
		dir = path.Dir(dir) // vendor/ stands beside its go.mod
	}
	if !isFile(filepath.Join(ws.Abs(dir), "go.mod")) && len(ws.Modules) > 0 {
		return ws.Modules[0].Dir
	}
	return dir
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}
