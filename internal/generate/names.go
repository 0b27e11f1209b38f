package generate

import (
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/mod/module"

	"github.com/fractl/fractl/internal/generate/mockmake"
	"github.com/fractl/fractl/internal/workspace"
)

// names finds what packages are called, by reading one file of each: of the
// standard library, of the workspace, of the vendor folder or of the module cache.
// It is safe for concurrent use.
type names struct {
	ws       *workspace.Workspace
	goroot   string
	modcache string
	build    build.Context

	mu    sync.Mutex
	known map[string]string
}

// in gives the names of the packages that a module imports.
func (n *names) in(m *workspace.Module) mockmake.Names {
	return func(importPath string) (string, bool) {
		dir, ok := n.dir(m, importPath)
		if !ok {
			return "", false
		}
		n.mu.Lock()
		name, ok := n.known[dir]
		n.mu.Unlock()
		if !ok {
			name = n.read(dir)
			n.mu.Lock()
			n.known[dir] = name
			n.mu.Unlock()
		}
		return name, name != ""
	}
}

// dir is the folder of a package.
func (n *names) dir(m *workspace.Module, importPath string) (string, bool) {
	if first, _, _ := strings.Cut(importPath, "/"); !strings.Contains(first, ".") {
		dir := filepath.Join(n.goroot, "src", filepath.FromSlash(importPath))
		if _, err := os.Stat(dir); err == nil {
			return dir, true
		}
	}
	if dir, ok := n.ws.PackageDir(importPath); ok {
		return n.ws.Abs(dir), true
	}
	if m == nil {
		return "", false
	}
	vendored := filepath.Join(n.ws.Abs(m.Dir), "vendor", filepath.FromSlash(importPath))
	if _, err := os.Stat(vendored); err == nil {
		return vendored, true
	}
	best := module.Version{}
	for _, r := range m.File.Require {
		if (importPath == r.Mod.Path || strings.HasPrefix(importPath, r.Mod.Path+"/")) && len(r.Mod.Path) > len(best.Path) {
			best = r.Mod
		}
	}
	if best.Path == "" {
		return "", false
	}
	rest := strings.TrimPrefix(importPath, best.Path)
	for _, r := range m.File.Replace {
		if r.Old.Path != best.Path || r.Old.Version != "" && r.Old.Version != best.Version {
			continue
		}
		if r.New.Version == "" {
			return filepath.Join(n.ws.Abs(m.Dir), filepath.FromSlash(r.New.Path), filepath.FromSlash(rest)), true
		}
		best = r.New
	}
	escaped, err := module.EscapePath(best.Path)
	if err != nil {
		return "", false
	}
	version, err := module.EscapeVersion(best.Version)
	return filepath.Join(n.modcache, filepath.FromSlash(escaped)+"@"+version, filepath.FromSlash(rest)), err == nil
}

// read is the name in the package clause of the files that a build takes, or "".
func (n *names) read(dir string) string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		if ok, err := n.build.MatchFile(dir, name); err != nil || !ok {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, name), nil, parser.PackageClauseOnly)
		if err == nil {
			return f.Name.Name
		}
	}
	return ""
}
