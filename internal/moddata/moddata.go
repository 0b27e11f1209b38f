// Package moddata works out which modules the fractions need, and so what
// fractl writes into their go.mod and go.sum without starting the go command.
// It is a tool of this project's developers; fractl itself does not contain it.
package moddata

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/fractl/fractl/internal/blueprint"
	"github.com/fractl/fractl/templates"
)

// Generate returns the content of templates/modules_gen.json for this module,
// whose folder is root. It renders each unit, lets `go mod tidy` find out what
// it needs with every version pinned to that of root's go.mod, and fails where
// one is needed that root does not pin. It needs the go command and the modules
// in its cache, or the way to them.
func Generate(ctx context.Context, root string) ([]byte, error) {
	pins, err := readPins(root)
	if err != nil {
		return nil, err
	}
	data := templates.ModuleData{Versions: map[string]string{}, Units: map[string]templates.ModuleUnit{}}
	for _, tree := range templates.Trees() {
		base, err := pins.resolve(ctx, tree.Kind, nil, data.Versions)
		if err != nil {
			return nil, err
		}
		data.Units[tree.Kind] = base
		for _, spec := range slices.Concat(Optional(tree)...) {
			unit, err := pins.resolve(ctx, tree.Kind, []string{spec}, data.Versions)
			if err != nil {
				return nil, err
			}
			if added := subtract(unit, base); len(added.Direct)+len(added.Indirect)+len(added.Sum) > 0 {
				data.Units[tree.Kind+"+"+spec] = added
			}
		}
	}
	out, err := json.MarshalIndent(data, "", "\t")
	if err != nil {
		return nil, err
	}
	return append(out, '\n'), nil
}

// Optional lists the pieces that a fraction of the kind may have or not have: for
// each the ways in which it may have it, one for each engine, as in bus=redis.
func Optional(tree templates.Tree) [][]string {
	var all [][]string
	for _, piece := range templates.Pieces() {
		if slices.Contains(tree.Pieces, piece.Name) {
			continue
		}
		var specs []string
		for _, engine := range piece.Engines {
			specs = append(specs, piece.Name+"="+engine.Name)
		}
		if specs == nil {
			specs = []string{piece.Name}
		}
		all = append(all, specs)
	}
	return all
}

// pins is what this module pins.
type pins struct {
	require []*modfile.Require
	version map[string]string
	sum     []byte
}

func readPins(root string) (pins, error) {
	p := pins{version: map[string]string{}}
	name := filepath.Join(root, "go.mod")
	text, err := os.ReadFile(name)
	if err != nil {
		return p, err
	}
	file, err := modfile.Parse(name, text, nil)
	if err != nil {
		return p, err
	}
	p.require = file.Require
	for _, r := range file.Require {
		p.version[r.Mod.Path] = r.Mod.Version
	}
	p.sum, err = os.ReadFile(filepath.Join(root, "go.sum"))
	return p, err
}

// resolve renders a fraction of the kind with the pieces in a folder of its own
// and returns what it needs. It adds the versions of that to versions.
func (p pins) resolve(ctx context.Context, kind string, pieces []string, versions map[string]string) (templates.ModuleUnit, error) {
	var unit templates.ModuleUnit
	dir, err := os.MkdirTemp("", "moddata-")
	if err != nil {
		return unit, err
	}
	defer os.RemoveAll(dir)
	files, err := blueprint.Sample(kind, pieces)
	if err != nil {
		return unit, err
	}
	if err := write(dir, files); err != nil {
		return unit, err
	}
	name := filepath.Join(dir, "go.mod")
	mod, err := modfile.Parse(name, files["go.mod"], nil)
	if err != nil {
		return unit, err
	}
	for _, r := range p.require {
		mod.AddNewRequire(r.Mod.Path, r.Mod.Version, r.Indirect)
	}
	err = write(dir, map[string][]byte{"go.mod": modfile.Format(mod.Syntax), "go.sum": p.sum})
	if err != nil {
		return unit, err
	}
	if err := goCommand(ctx, dir, "mod", "tidy"); err != nil {
		return unit, err
	}
	tidy, err := readPins(dir)
	if err != nil {
		return unit, err
	}
	for _, r := range tidy.require {
		if pinned := p.version[r.Mod.Path]; pinned != r.Mod.Version {
			return unit, fmt.Errorf("%s with %v needs %s, of which go.mod pins %q: add the import to internal/moddata/pins.go and run go mod tidy", kind, pieces, r.Mod, pinned)
		}
		versions[r.Mod.Path] = r.Mod.Version
		if r.Indirect {
			unit.Indirect = append(unit.Indirect, r.Mod.Path)
		} else {
			unit.Direct = append(unit.Direct, r.Mod.Path)
		}
	}
	slices.Sort(unit.Direct)
	slices.Sort(unit.Indirect)
	unit.Sum = strings.Split(strings.TrimSpace(string(tidy.sum)), "\n")
	return unit, nil
}

// subtract returns what is in unit and not in base. A module that is direct in
// unit and indirect in base is kept as direct.
func subtract(unit, base templates.ModuleUnit) templates.ModuleUnit {
	without := func(all, gone []string) []string {
		return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(gone, s) })
	}
	return templates.ModuleUnit{
		Direct:   without(unit.Direct, base.Direct),
		Indirect: without(unit.Indirect, base.Indirect),
		Sum:      without(unit.Sum, base.Sum),
	}
}

// goCommand runs the go command in dir, out of reach of any go.work.
func goCommand(ctx context.Context, dir string, args ...string) error {
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "GOTOOLCHAIN=local")
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Run(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, output.Bytes())
	}
	return nil
}

// write writes files below dir.
func write(dir string, files map[string][]byte) error {
	for name, content := range files {
		target := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(target, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
