package workspace

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// contractNames are the folders whose packages are contracts where no manifest
// says which are.
var contractNames = []string{"contracts", "api", "proto", "gen"}

// readFractions fills in the fractions: those of the manifest or, without one,
// each module of go.work, or in a lone module each top-level folder that holds
// a program or a plugin of its own.
func (ws *Workspace) readFractions() error {
	switch {
	case ws.Manifest != nil:
		for _, f := range ws.Manifest.Fractions {
			ws.addFraction(Fraction{Name: f.Name, Dir: f.Dir, Kind: f.Kind, Pieces: f.Pieces, Loads: f.Loads, KeepAlive: f.KeepAlive, KeepAliveLine: f.KeepAliveLine})
		}
	case ws.WorkFile != nil:
		for _, m := range ws.Modules {
			if slices.Contains(contractNames, path.Base(m.Dir)) {
				continue
			}
			ws.addFraction(Fraction{Name: foundName(m), Dir: m.Dir})
		}
		ws.tellApart()
	default:
		entries, err := os.ReadDir(ws.Root)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if !e.IsDir() || !holdsProgram(filepath.Join(ws.Root, e.Name())) {
				continue
			}
			if slices.Contains(contractNames, e.Name()) || strings.HasPrefix(e.Name(), ".") || e.Name() == "vendor" || e.Name() == "testdata" {
				continue
			}
			ws.addFraction(Fraction{Name: e.Name(), Dir: e.Name()})
		}
	}
	slices.SortFunc(ws.Fractions, func(a, b *Fraction) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return strings.Compare(a.Dir, b.Dir)
	})
	return nil
}

// foundName is the name of a fraction that no manifest names: the base of its
// folder, or of its module path at the root. A major version is no name.
func foundName(m *Module) string {
	p := m.Dir
	if p == "." {
		p = m.Path
	}
	if major.MatchString(path.Base(p)) && path.Dir(p) != "." {
		p = path.Dir(p)
	}
	return path.Base(p)
}

var major = regexp.MustCompile(`^v[0-9]+$`)

// tellApart gives found fractions that share a name that of their folder.
func (ws *Workspace) tellApart() {
	count := map[string]int{}
	for _, f := range ws.Fractions {
		count[f.Name]++
	}
	for _, f := range ws.Fractions {
		if count[f.Name] > 1 && f.Dir != "." {
			f.Name = f.Dir
		}
	}
}

func (ws *Workspace) addFraction(f Fraction) {
	f.Module = ws.ModuleOf(f.Dir)
	if f.Module != nil {
		f.ImportPath = path.Join(f.Module.Path, strings.TrimPrefix(strings.TrimPrefix(f.Dir, f.Module.Dir), "/"))
		if f.Module.Dir == "." {
			f.ImportPath = path.Join(f.Module.Path, f.Dir)
		}
	}
	ws.Fractions = append(ws.Fractions, &f)
}

// holdsProgram reports whether dir has main.go, plugin.go or cmd/*/main.go.
func holdsProgram(dir string) bool {
	if isFile(filepath.Join(dir, "main.go")) || isFile(filepath.Join(dir, "plugin.go")) {
		return true
	}
	mains, _ := filepath.Glob(filepath.Join(escapeGlob(dir), "cmd", "*", "main.go"))
	return len(mains) > 0
}

// escapeGlob protects the meta characters of a path from filepath.Glob.
func escapeGlob(p string) string {
	return strings.NewReplacer(`[`, `\[`, `*`, `\*`, `?`, `\?`, `\`, `\\`).Replace(p)
}

// Declared reports whether the fractions were declared in fractl.yaml, rather
// than found by their layout.
func (ws *Workspace) Declared() bool { return ws.Manifest != nil }

// IsContract reports whether the package in folder rel (relative to the root)
// is a contract by where it stands: in a contracts folder of the manifest or,
// without a manifest, in a folder called contracts, api, proto or gen. A
// package may also be one by its content; that needs its files.
func (ws *Workspace) IsContract(rel string) bool {
	if ws.Manifest != nil {
		return slices.ContainsFunc(ws.Manifest.Contracts, func(dir string) bool { return within(rel, dir) })
	}
	segments := strings.Split(rel, "/")
	if slices.Contains(segments, "internal") {
		return false
	}
	return slices.ContainsFunc(segments, func(s string) bool { return slices.Contains(contractNames, s) })
}

// IsShared reports whether the manifest lets every fraction import the package
// in folder rel (relative to the root).
func (ws *Workspace) IsShared(rel string) bool {
	return ws.Manifest != nil && slices.ContainsFunc(ws.Manifest.Shared, func(s Shared) bool {
		return within(rel, s.Path)
	})
}
