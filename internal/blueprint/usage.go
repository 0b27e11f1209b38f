package blueprint

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/blueprint/uses"
	"github.com/fractl/fractl/internal/fault"
)

// checkUses looks for code that the plan would break. Where something is taken
// away that is an error; where pieces only come it is worth a word, for a person
// may have built the program anew and knows where they belong.
func (t *transition) checkUses() error {
	if len(t.after) == 0 {
		return nil
	}
	before, after, err := t.goFiles()
	if err != nil {
		return err
	}
	var all []error
	for _, use := range uses.Lost(t.wanted.data.Module, before, after) {
		name := path.Join(t.made.place.shown(), use.File)
		if len(t.out.Removed) == 0 {
			t.out.Doubts = append(t.out.Doubts, fault.At(name, use.Line, use.What, "").Error())
			continue
		}
		all = append(all, fault.At(name, use.Line, "uses what goes with the piece: "+use.What, ""))
	}
	if len(all) > 0 {
		all[len(all)-1].(*fault.Error).Hint = "nothing was written; take these uses out first"
	}
	return errors.Join(all...)
}

// goFiles returns the Go files of the fraction as they are and as the plan will
// leave them, by their paths in the fraction.
func (t *transition) goFiles() (before, after map[string][]byte, err error) {
	dir := t.made.place.target
	if t.source == nil {
		if t.source, err = readGo(dir, t.shown); err != nil {
			return nil, nil, err
		}
	}
	after = maps.Clone(t.source)
	for target, src := range t.after {
		rel := slashRel(dir, target)
		switch {
		case path.Ext(rel) != ".go" || strings.HasPrefix(rel, "../") || slices.Contains(strings.Split(rel, "/"), "testdata"):
		case src == nil:
			delete(after, rel)
		default:
			after[rel] = src
		}
	}
	return t.source, after, nil
}

// readGo reads the Go files that the go command may take for part of a module,
// by their paths in its folder; shown names a file in errors.
func readGo(dir string, shown func(string) string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return fault.New(shown(name), "cannot be looked at: "+cause(err), "")
		}
		base := d.Name()
		if d.IsDir() {
			if name != dir && (base == "vendor" || base == "testdata" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")) {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(base) != ".go" || !d.Type().IsRegular() {
			return nil
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return fault.New(shown(name), "cannot be read: "+cause(err), "")
		}
		files[slashRel(dir, name)] = src
		return nil
	})
	return files, err
}
