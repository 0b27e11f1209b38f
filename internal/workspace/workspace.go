// Package workspace is the model through which everything reads a repository:
// where it begins, which modules it has, which of them are fractions, and
// which packages are contracts that every fraction may import.
//
// A Workspace is read once and not changed afterwards; it is safe for
// concurrent use.
package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"

	"github.com/fractl/fractl/internal/fault"
)

// The names of the files that a workspace is read from.
const (
	ManifestName = "fractl.yaml"
	LockName     = "fractl.lock"
)

// ErrNone is returned by Find where no fractl.yaml, go.work or go.mod stands in
// the folder or above it.
var ErrNone = errors.New("no fractl.yaml, go.work or go.mod here or above")

// Workspace is one repository as fractl sees it.
type Workspace struct {
	// Root is the folder of fractl.yaml, else of go.work, else of go.mod:
	// absolute, with symbolic links resolved.
	Root string
	// Manifest is what fractl.yaml says, or nil where there is none.
	Manifest *Manifest
	// WorkFile is the parsed go.work that applies at Root, or nil.
	WorkFile *modfile.WorkFile
	// Modules are the modules of the workspace, sorted by Dir.
	Modules []*Module
	// Fractions are sorted by Name.
	Fractions []*Fraction

	overlay map[string][]byte
}

// Module is one Go module of the workspace.
type Module struct {
	// Dir is relative to the root, with "/"; "." for the root itself.
	Dir string
	// Path is the module path.
	Path string
	// File is the parsed go.mod.
	File *modfile.File
}

// Fraction is one autonomous unit.
type Fraction struct {
	Name string
	// Dir is relative to the root, with "/".
	Dir string
	// Kind is service, plugin or gateway, or "" where no manifest says it.
	Kind string
	// ImportPath is the import path of Dir.
	ImportPath string
	// Module holds Dir; nil where no module does.
	Module *Module
	Pieces []string
	Loads  []string
	// KeepAlive is for how long the proxy in front of it keeps idle connections,
	// as line KeepAliveLine of the manifest says; 0 where nothing does.
	KeepAlive     time.Duration
	KeepAliveLine int
}

// GoMod is the path of m's go.mod, relative to the root.
func (m *Module) GoMod() string { return path.Join(m.Dir, "go.mod") }

// Find reads the workspace that dir belongs to: the nearest folder at or above
// dir that holds a fractl.yaml, else the nearest with a go.work, else the
// nearest with a go.mod. Where there is none the error is ErrNone.
func Find(dir string) (*Workspace, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return nil, fault.New(dir, "no such folder", "give a folder that exists")
	}
	for _, name := range []string{ManifestName, "go.work", "go.mod"} {
		root, ok, err := above(abs, name)
		if err != nil {
			return nil, err
		}
		if ok {
			return Load(root)
		}
	}
	return nil, ErrNone
}

// above finds the nearest folder at or above dir that holds the file name.
func above(dir, name string) (string, bool, error) {
	for {
		info, err := os.Stat(filepath.Join(dir, name))
		switch {
		case err == nil && !info.IsDir():
			return dir, true, nil
		case err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission):
			return "", false, fmt.Errorf("%s: %w", filepath.Join(dir, name), err)
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", false, nil
		}
		dir = parent
	}
}

// Load reads the workspace whose root is dir. dir need not hold a fractl.yaml.
func Load(root string) (*Workspace, error) {
	ws := &Workspace{Root: root}
	var err error
	if ws.Manifest, err = readManifest(root); err != nil {
		return nil, err
	}
	if ws.WorkFile, err = readWorkFile(root); err != nil {
		return nil, err
	}
	if err := ws.readModules(); err != nil {
		return nil, err
	}
	if err := ws.readFractions(); err != nil {
		return nil, err
	}
	return ws, nil
}

func readWorkFile(root string) (*modfile.WorkFile, error) {
	data, err := os.ReadFile(filepath.Join(root, "go.work"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.New("go.work", "cannot be read: "+cause(err), "")
	}
	work, err := modfile.ParseWork("go.work", data, nil)
	if err != nil {
		return nil, SyntaxFault("go.work", err)
	}
	return work, nil
}

// readModules fills in the modules: those of go.work, the lone one of the root,
// and those of the manifest's fractions and contracts.
func (ws *Workspace) readModules() error {
	dirs := map[string]bool{}
	if ws.WorkFile != nil {
		for _, use := range ws.WorkFile.Use {
			dir, ok := ws.relative(use.Path)
			if !ok {
				continue // outside the root: not ours to check
			}
			if !isFile(filepath.Join(ws.Root, dir, "go.mod")) {
				return fault.At("go.work", use.Syntax.Start.Line,
					fmt.Sprintf("use %s: no go.mod in that folder", use.Path),
					"run 'go work edit -dropuse="+use.Path+"', or make the module")
			}
			dirs[dir] = true
		}
	}
	if isFile(filepath.Join(ws.Root, "go.mod")) {
		dirs["."] = true
	}
	if ws.Manifest != nil {
		for _, f := range ws.Manifest.Fractions {
			if isFile(filepath.Join(ws.Root, f.Dir, "go.mod")) {
				dirs[f.Dir] = true
			}
		}
		for _, dir := range ws.Manifest.Contracts {
			if isFile(filepath.Join(ws.Root, dir, "go.mod")) {
				dirs[dir] = true
			}
		}
	}
	for dir := range dirs {
		m, err := readModule(ws.Root, dir)
		if err != nil {
			return err
		}
		ws.Modules = append(ws.Modules, m)
	}
	slices.SortFunc(ws.Modules, func(a, b *Module) int { return strings.Compare(a.Dir, b.Dir) })
	return nil
}

func readModule(root, dir string) (*Module, error) {
	name := path.Join(dir, "go.mod")
	data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		return nil, fault.New(name, "cannot be read: "+cause(err), "")
	}
	file, err := modfile.Parse(name, data, nil)
	if err != nil {
		return nil, SyntaxFault(name, err)
	}
	if file.Module == nil {
		return nil, fault.New(name, "no module line", "add 'module PATH' as its first line")
	}
	return &Module{Dir: dir, Path: file.Module.Mod.Path, File: file}, nil
}

// relative turns a path of go.work or of a flag into one relative to the root.
// It reports false for a path that leads out of it.
func (ws *Workspace) relative(p string) (string, bool) {
	native := filepath.FromSlash(p)
	if !filepath.IsAbs(native) {
		native = filepath.Join(ws.Root, native)
	}
	rel, err := filepath.Rel(ws.Root, native)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return "", false
	}
	return filepath.ToSlash(rel), true
}

// Rel turns an absolute path into one relative to the root, with "/". A path
// outside the root comes back unchanged but for its slashes.
func (ws *Workspace) Rel(abs string) string {
	if rel, ok := ws.relative(filepath.ToSlash(abs)); ok {
		return rel
	}
	return filepath.ToSlash(abs)
}

// Abs is the absolute path of a path relative to the root.
func (ws *Workspace) Abs(rel string) string {
	return filepath.Join(ws.Root, filepath.FromSlash(rel))
}

// WithOverlay returns a copy of which ReadFile gives these contents in place of
// those of files, by path relative to the root. What the workspace itself was
// read from stays as it was.
func (ws *Workspace) WithOverlay(files map[string][]byte) *Workspace {
	with := *ws
	with.overlay = files
	return &with
}

// ReadFile reads a file, given by its path relative to the root.
func (ws *Workspace) ReadFile(rel string) ([]byte, error) {
	if src, ok := ws.overlay[rel]; ok {
		return src, nil
	}
	return os.ReadFile(ws.Abs(rel))
}

// ModuleOf returns the module that holds a path relative to the root, or nil.
func (ws *Workspace) ModuleOf(rel string) *Module {
	var best *Module
	for _, m := range ws.Modules {
		if within(rel, m.Dir) && (best == nil || len(m.Dir) > len(best.Dir) || best.Dir == ".") {
			best = m
		}
	}
	return best
}

// FractionOf returns the fraction that holds a path relative to the root, or
// nil. Where fractions nest the innermost wins.
func (ws *Workspace) FractionOf(rel string) *Fraction {
	var best *Fraction
	for _, f := range ws.Fractions {
		if within(rel, f.Dir) && (best == nil || len(f.Dir) > len(best.Dir) || best.Dir == ".") {
			best = f
		}
	}
	return best
}

// PackageDir returns the folder, relative to the root, of a package of the
// workspace, by the longest module path that is a prefix of its import path.
func (ws *Workspace) PackageDir(importPath string) (string, bool) {
	var best *Module
	for _, m := range ws.Modules {
		if within(importPath, m.Path) && (best == nil || len(m.Path) > len(best.Path)) {
			best = m
		}
	}
	if best == nil {
		return "", false
	}
	return path.Join(best.Dir, strings.TrimPrefix(strings.TrimPrefix(importPath, best.Path), "/")), true
}

// within reports whether path p is dir or lies below it; "." holds all.
func within(p, dir string) bool {
	if dir == "." {
		return p != ".." && !strings.HasPrefix(p, "../")
	}
	return p == dir || strings.HasPrefix(p, dir) && p[len(dir)] == '/'
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// cause is the innermost reason of an I/O error, without the absolute path that
// its text repeats.
func cause(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

// SyntaxFault turns the first error of a modfile parse of the file name into a
// fault about its line.
func SyntaxFault(name string, err error) error {
	var list modfile.ErrorList
	if errors.As(err, &list) && len(list) > 0 {
		e := list[0]
		fact := e.Err.Error()
		if e.ModPath != "" {
			fact = e.ModPath + ": " + fact
		}
		if e.Verb != "" {
			fact = e.Verb + " " + fact
		}
		return fault.At(name, e.Pos.Line, fact, "mend that line; 'go mod edit -fmt' shows how it is read")
	}
	return fault.New(name, err.Error(), "")
}
