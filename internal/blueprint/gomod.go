package blueprint

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/scaffold"
	"github.com/fractl/fractl/internal/scaffold/edit"
	"github.com/fractl/fractl/internal/scaffold/render"
	"github.com/fractl/fractl/templates"
)

// completeModule adds the requirements to the go.mod among the files, and a
// go.sum. Both are complete, so that the first build needs no `go mod tidy`.
func (s skeleton) completeModule(files []placed) ([]placed, error) {
	mod := filepath.Join(s.place.target, "go.mod")
	i := slices.IndexFunc(files, func(f placed) bool { return f.target == mod })
	if i < 0 {
		return files, nil
	}
	requires, sum, err := templates.Modules(s.tree.Kind, specs(s.picks))
	if err != nil {
		return nil, err
	}
	var list []*modfile.Require
	for _, r := range requires {
		req := &modfile.Require{Indirect: r.Indirect}
		req.Mod.Path, req.Mod.Version = r.Path, r.Version
		list = append(list, req)
	}
	had, err := modfile.Parse(files[i].Template, files[i].Content, nil)
	if err != nil {
		return nil, fault.New(files[i].Template, err.Error(), "")
	}
	list = append(list, had.Require...)
	if sum, err = s.joinContracts(list, sum); err != nil {
		return nil, err
	}
	if files[i].Content, err = edit.Requires(files[i].Template, files[i].Content, list); err != nil {
		return nil, err
	}
	return append(files, placed{target: filepath.Join(s.place.target, "go.sum"), owner: scaffold.Seeded,
		File: render.File{Path: "go.sum", Content: sum, Mode: 0o644, Template: "go.sum"}}), nil
}

// joinContracts brings requirements in step with the module of contracts where
// that has some of its own: the fraction requires it, so the versions that it
// asks for are the least ones here too (minimal version selection,
// https://research.swtch.com/vgo-mvs), and what its go.sum vouches for is needed.
func (s skeleton) joinContracts(list []*modfile.Require, sum []byte) ([]byte, error) {
	m := contractsModule(s.place)
	if m == nil || len(m.File.Require) == 0 {
		return sum, nil
	}
	for _, theirs := range m.File.Require {
		for _, ours := range list {
			if ours.Mod.Path == theirs.Mod.Path && semver.Compare(ours.Mod.Version, theirs.Mod.Version) < 0 {
				ours.Mod.Version = theirs.Mod.Version
			}
		}
	}
	name := path.Join(m.Dir, "go.sum")
	more, err := os.ReadFile(s.place.ws.Abs(name))
	if errors.Is(err, fs.ErrNotExist) {
		return sum, nil
	}
	if err != nil {
		return nil, fault.New(name, "cannot be read: "+err.Error(), "")
	}
	return joinSums(sum, more), nil
}

// joinSums merges two go.sum files, in the order of the go command: by module
// and version, not by text.
func joinSums(a, b []byte) []byte {
	lines := map[module.Version]string{}
	for _, line := range strings.Split(string(a)+"\n"+string(b), "\n") {
		if f := strings.Fields(line); len(f) == 3 {
			lines[module.Version{Path: f[0], Version: f[1]}] = strings.Join(f, " ")
		}
	}
	var mods []module.Version
	for m := range lines {
		mods = append(mods, m)
	}
	module.Sort(mods)
	var out strings.Builder
	for _, m := range mods {
		out.WriteString(lines[m] + "\n")
	}
	return []byte(out.String())
}
