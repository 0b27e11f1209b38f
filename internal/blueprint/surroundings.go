package blueprint

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/scaffold"
	"github.com/fractl/fractl/internal/scaffold/edit"
	"github.com/fractl/fractl/internal/workspace"
)

// editWorkspace plans the entry in fractl.yaml and the use line in go.work,
// where there are such files.
func (s skeleton) editWorkspace(b *scaffold.Builder) error {
	p := s.place
	if p.ws != nil && p.ws.Manifest != nil {
		data, err := os.ReadFile(filepath.Join(p.ws.Root, manifestPath))
		if err != nil {
			return fault.New(manifestPath, "cannot be read: "+err.Error(), "")
		}
		out, err := edit.AddFraction(manifestPath, data, edit.Fraction{Name: s.data.Name.Name,
			Dir: p.ws.Rel(p.target), Kind: s.tree.Kind, Pieces: optional(s.tree, s.picks)})
		if err != nil {
			return err
		}
		b.Update(manifestPath, out, scaffold.Seeded, "fraction "+s.data.Name.Name)
	}
	if p.work != "" {
		name := slashRel(p.root, filepath.Join(p.work, "go.work"))
		data, err := os.ReadFile(filepath.Join(p.work, "go.work"))
		if err != nil {
			return fault.New(name, "cannot be read: "+err.Error(), "")
		}
		out, what, err := edit.Use(name, data, slashRel(p.work, p.target), s.data.Versions.Go)
		if err != nil {
			return err
		}
		b.Update(name, out, scaffold.Seeded, what)
	}
	return nil
}

// manifest plans the list of pieces in fractl.yaml, where the fraction is.
func (t *transition) manifest() error {
	ws := t.made.place.ws
	if ws == nil || ws.Manifest == nil {
		return nil
	}
	dir := ws.Rel(t.made.place.target)
	i := slices.IndexFunc(ws.Manifest.Fractions, func(f workspace.ManifestFraction) bool { return f.Dir == dir })
	if i < 0 {
		return nil
	}
	entry := ws.Manifest.Fractions[i]
	want := t.listed(entry.Pieces)
	if slices.Equal(want, entry.Pieces) {
		return nil
	}
	data, err := os.ReadFile(filepath.Join(ws.Root, manifestPath))
	if err != nil {
		return fault.New(manifestPath, "cannot be read: "+cause(err), "")
	}
	out, err := edit.SetPieces(manifestPath, data, entry.Name, want)
	if err != nil {
		return err
	}
	t.builder.Update(manifestPath, out, scaffold.Seeded, "fraction "+entry.Name)
	return nil
}

// listed is a list of pieces with those that go taken out and those that come
// put in, each before the first that comes later in wiring order.
func (t *transition) listed(have []string) []string {
	made, wanted := optional(t.made.tree, t.made.picks), optional(t.made.tree, t.wanted.picks)
	list := slices.DeleteFunc(slices.Clone(have), func(s string) bool {
		return slices.ContainsFunc(made, func(m string) bool { return nameOf(m) == nameOf(s) && !slices.Contains(wanted, m) })
	})
	for i, w := range wanted {
		if slices.Contains(made, w) || slices.Contains(list, w) {
			continue
		}
		at := slices.IndexFunc(list, func(s string) bool { return slices.Contains(wanted[i+1:], s) })
		if at < 0 {
			at = len(list)
		}
		list = slices.Insert(list, at, w)
	}
	return list
}
