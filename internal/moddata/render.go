package moddata

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/scaffold/render"
	"github.com/fractl/fractl/templates"
)

// Render returns the files of a sample fraction that stands alone, by their
// paths: a fraction of the kind with the pieces that it always has and those
// given. Its go.mod lacks the public modules, which are what is looked for.
func Render(kind string, pieces []string) (map[string][]byte, error) {
	index := slices.IndexFunc(templates.Trees(), func(t templates.Tree) bool { return t.Kind == kind })
	if index < 0 {
		return nil, fmt.Errorf("no kind %s", kind)
	}
	tree := templates.Trees()[index]
	data := sample(kind)
	files := map[string][]byte{}
	var chosen []templates.Piece
	for _, piece := range templates.Pieces() {
		has := slices.Contains(tree.Pieces, piece.Name) || slices.Contains(pieces, piece.Name)
		data.Has[piece.Name] = has
		if !has {
			continue
		}
		chosen = append(chosen, piece)
		data.Pieces = append(data.Pieces, templates.ChosenPiece{
			Name: piece.Name, Type: strings.ToUpper(piece.Name[:1]) + piece.Name[1:],
			Import: data.Module + "/internal/" + piece.Name, Wired: piece.Wired, Early: piece.Early,
		})
	}
	if err := add(files, tree.FS, data, place(data)); err != nil {
		return nil, err
	}
	for _, piece := range chosen {
		err := add(files, piece.FS, data, func(name string) string {
			if strings.HasPrefix(name, "fraction/") {
				return ""
			}
			return path.Join("internal", piece.Name, name)
		})
		if err != nil {
			return nil, err
		}
		skeleton, err := fs.Sub(piece.FS, "fraction")
		if err != nil {
			return nil, err
		}
		if _, err := fs.Stat(skeleton, "."); err != nil {
			continue // most pieces have none
		}
		if err := add(files, skeleton, data, place(data)); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// sample is the data of a fraction called sample, with a resource entry.
func sample(kind string) templates.Data {
	const name = "sample"
	module := "example.com/" + name
	return templates.Data{
		Name: templates.Names{Name: name, Folder: name, Package: name, Type: "Sample",
			Env: "SAMPLE", Schema: name, DNS: name, API: name},
		Module: module,
		Kind:   kind,
		Resource: templates.Resource{Package: "entry", Type: "Entry", Var: "entry", Plural: "entries",
			PluralType: "Entries", Path: "entries", Table: "entries"},
		Contract: templates.Contract{Import: module + "/contracts/sample/v1", Package: "samplev1",
			Own: true, Dir: "contracts/sample/v1"},
		Lone:     true,
		Dir:      ".",
		Has:      map[string]bool{},
		Versions: templates.PinnedVersions(),
	}
}

// place returns where the files of a skeleton go in a fraction that stands alone.
func place(data templates.Data) func(name string) string {
	return func(name string) string {
		if rest, ok := strings.CutPrefix(name, "contracts/"); ok {
			return path.Join(data.Contract.Dir, rest)
		}
		return name
	}
}

// add renders a tree and adds its files where target says, which is nowhere if
// it says nothing.
func add(files map[string][]byte, tree fs.FS, data templates.Data, target func(name string) string) error {
	rendered, err := render.Tree(tree, render.Options{Data: func(string) any { return data }, Import: func(path string) (string, error) {
		if rest, ok := strings.CutPrefix(path, templates.PiecesImport+"/"); ok {
			return data.Module + "/internal/" + rest, nil
		}
		return path, nil
	}})
	if err != nil {
		return err
	}
	for _, file := range rendered {
		if to := target(file.Path); to != "" {
			files[to] = file.Content
		}
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
