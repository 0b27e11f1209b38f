package blueprint

import (
	"os"
	"path/filepath"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/scaffold"
	"github.com/fractl/fractl/internal/scaffold/edit"
)

// editWorkspace plans the entry in fractl.yaml and the use line in go.work,
// where there are such files.
func (s skeleton) editWorkspace(b *scaffold.Builder, optional []string) error {
	p := s.place
	if p.ws != nil && p.ws.Manifest != nil {
		data, err := os.ReadFile(filepath.Join(p.ws.Root, manifestPath))
		if err != nil {
			return fault.New(manifestPath, "cannot be read: "+err.Error(), "")
		}
		out, err := edit.AddFraction(manifestPath, data, edit.Fraction{Name: s.data.Name.Name,
			Dir: p.ws.Rel(p.target), Kind: s.tree.Kind, Pieces: optional})
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
