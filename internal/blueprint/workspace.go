package blueprint

import (
	"errors"
	"fmt"
	"go/version"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"github.com/fractl/fractl/internal/blueprint/gitremote"
	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/scaffold"
	"github.com/fractl/fractl/internal/scaffold/edit"
	"github.com/fractl/fractl/internal/scaffold/render"
	"github.com/fractl/fractl/internal/workspace"
	"github.com/fractl/fractl/templates"
)

// WorkspaceRequest is what a person asks `fractl init` for.
type WorkspaceRequest struct {
	// Cwd is the folder that the request is made in; Dir is relative to it, and
	// empty means Cwd itself.
	Cwd, Dir string
	// Module is the prefix of the module paths; empty takes it from the go.mod
	// or the git remote of the folder.
	Module string
}

// Places lists the folders in which an interrupted commit for such a request may
// have left its journal.
func (req WorkspaceRequest) Places() []string { return Request{Cwd: req.Cwd, Dir: req.Dir}.Places() }

// Workspace plans a workspace: fractl.yaml, go.work and contracts/. It keeps
// what is there: a go.work gets a use line, and other files stay as they are.
func Workspace(req WorkspaceRequest) (*Outcome, error) {
	places := req.Places()
	root, err := resolve(places[len(places)-1])
	if err != nil {
		return nil, err
	}
	ws, err := workspace.Find(existing(root))
	if err != nil && !errors.Is(err, workspace.ErrNone) {
		return nil, err
	}
	if ws != nil && ws.Manifest != nil {
		if ws.Root == root {
			return nil, fault.New(manifestPath, "this is a workspace already", "add a fraction with 'fractl new NAME'; nothing was written")
		}
		return nil, fault.New(slashRel(ws.Root, root), "lies inside the workspace "+filepath.ToSlash(ws.Root), "one workspace holds all fractions; add one with 'fractl new NAME'")
	}
	modPath, from, err := workspaceModule(root, req.Module)
	if err != nil {
		return nil, err
	}
	data := templates.Data{Module: modPath, Versions: templates.PinnedVersions(), Has: map[string]bool{}}
	files, err := render.Tree(templates.Workspace(), render.Options{Name: "workspace", Data: func(string) any { return data }})
	if err != nil {
		return nil, err
	}
	b, err := scaffold.NewBuilder(existing(root), root)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	if err := checkContracts(root); err != nil {
		return nil, err
	}
	for _, f := range files {
		switch f.Path {
		case manifestPath:
			b.Create(f.Path, f.Content, scaffold.Seeded, f.Mode)
		case "go.work":
			if err := planWork(b, root, f); err != nil {
				return nil, err
			}
		default:
			b.Offer(f.Path, f.Content, scaffold.Seeded, f.Mode)
		}
	}
	plan, err := b.Plan()
	if err != nil {
		return nil, err
	}
	return &Outcome{Plan: plan, Name: filepath.Base(root), Dir: root, Module: modPath, ModuleFrom: from}, nil
}

// workspaceModule is the prefix of the module paths, and what it was taken from.
func workspaceModule(root, flag string) (modPath, from string, err error) {
	modPath, from = flag, "--module"
	if flag == "" {
		modPath, from, err = deriveWorkspaceModule(root)
		if err != nil {
			return "", "", err
		}
	}
	if modPath == "" {
		return "", "", fault.New("--module", "is needed: neither a go.mod nor a git remote tells the module path", "for example: fractl init --module example.com/"+legalElem(filepath.Base(root)))
	}
	if err := module.CheckImportPath(modPath); err != nil {
		return "", "", fault.New("--module "+modPath, "is no module path: "+lastClause(err), "give one such as example.com/shop")
	}
	first, _, _ := strings.Cut(modPath, "/")
	if !strings.Contains(first, ".") && slices.Contains(standardRoots, first) {
		return "", "", fault.New("--module "+modPath, "begins with "+first+", as the packages of the standard library do", "begin it with a domain name: example.com/"+modPath)
	}
	return modPath, from, nil
}

func deriveWorkspaceModule(root string) (modPath, from string, err error) {
	if isFile(filepath.Join(root, "go.mod")) || isFile(filepath.Join(root, "go.work")) {
		ws, err := workspace.Load(root)
		if err != nil {
			return "", "", err
		}
		if prefix, from := prefixOf(ws); prefix != "" {
			return prefix, from, nil
		}
	}
	top := gitremote.Top(existing(root))
	if top == "" {
		return "", "", nil
	}
	remote, err := gitremote.ModulePath(top)
	if err != nil {
		return "", "", fault.New(".git", "its configuration cannot be read: "+err.Error(), "give the module path with --module")
	}
	if remote == "" {
		return "", "", nil
	}
	return path.Join(remote, slashRel(top, root)), "the git remote", nil
}

// legalElem is a folder name as an element of a module path, for a hint.
func legalElem(name string) string {
	if module.CheckImportPath("example.com/"+name) != nil {
		return "shop"
	}
	return name
}

// checkContracts refuses to turn packages of another module into a module of
// their own, which would move their import paths.
func checkContracts(root string) error {
	dir := filepath.Join(root, "contracts")
	if isFile(filepath.Join(dir, "go.mod")) || folderOf("go.mod", root) == "" {
		return nil
	}
	goFile := ""
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(name) == ".go" {
			goFile = name
			return fs.SkipAll
		}
		return nil
	})
	if err == nil && goFile != "" {
		return fault.New(slashRel(root, goFile), "is a package of the module around it; a contracts/go.mod would take it away",
			"make contracts/ a module of its own first, then run 'fractl init' again")
	}
	return nil
}

// planWork plans go.work. A new one names every module below the root: the go
// command refuses to work in a module that the go.work above does not name.
func planWork(b *scaffold.Builder, root string, f render.File) error {
	name := filepath.Join(root, "go.work")
	if isFile(name) {
		old, err := os.ReadFile(name)
		if err != nil {
			return fault.New("go.work", "cannot be read: "+err.Error(), "")
		}
		out, what, err := edit.Use("go.work", old, "contracts", templates.PinnedVersions().Go)
		if err != nil {
			return err
		}
		b.Update("go.work", out, scaffold.Seeded, what)
		return nil
	}
	modules, err := modulesBelow(root)
	if err != nil {
		return err
	}
	out := f.Content
	for _, m := range modules {
		if out, _, err = edit.Use("go.work", out, m.dir, m.goVersion); err != nil {
			return err
		}
	}
	b.Create("go.work", out, scaffold.Seeded, f.Mode)
	return nil
}

type foundModule struct{ dir, goVersion string }

// modulesBelow finds the modules at and below root, as `go work use -r` does: in
// no vendor or testdata folder, and in none that begins with a dot or underscore.
func modulesBelow(root string) ([]foundModule, error) {
	var found []foundModule
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			if name == root {
				return fs.SkipAll // not there yet
			}
			return nil // a folder that cannot be read has no module for us
		}
		base := d.Name()
		if d.IsDir() {
			if name != root && (base == "vendor" || base == "testdata" || base == "node_modules" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")) {
				return fs.SkipDir
			}
			return nil
		}
		if base != "go.mod" {
			return nil
		}
		rel := slashRel(root, filepath.Dir(name))
		data, err := os.ReadFile(name)
		if err != nil {
			return fault.New(path.Join(rel, "go.mod"), "cannot be read: "+err.Error(), "")
		}
		file, err := modfile.ParseLax(path.Join(rel, "go.mod"), data, nil)
		if err != nil {
			return fault.New(path.Join(rel, "go.mod"), "does not parse: "+err.Error(), "mend it first")
		}
		m := foundModule{dir: rel, goVersion: "1.16"} // what the go command takes for no go line
		if file.Go != nil && version.IsValid("go"+file.Go.Version) {
			m.goVersion = file.Go.Version
		}
		found = append(found, m)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(found) > 200 {
		return nil, fault.New("go.work", fmt.Sprintf("would name %d modules", len(found)), "run 'go work init' with those you want, then 'fractl init' again")
	}
	return found, nil
}
