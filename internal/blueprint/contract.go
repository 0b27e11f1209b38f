package blueprint

import (
	"path"
	"slices"

	"github.com/fractl/fractl/internal/workspace"
	"github.com/fractl/fractl/templates"
)

// contractOf says where the contract of a fraction stands: in the module of
// contracts of the workspace where there is one, else in the fraction itself.
// Its folders are relative to the place's seen root.
func contractOf(p place, n templates.Names, modPath string) templates.Contract {
	c := templates.Contract{Package: n.Package + "v1", Own: true}
	below := path.Join(n.Name, "v1")
	m := contractsModule(p)
	if m == nil {
		c.Import = path.Join(modPath, "contracts", below)
		c.Dir = path.Join(slashRel(p.seen, p.target), "contracts", below)
		return c
	}
	c.Own = false
	c.Import = path.Join(m.Path, below)
	c.Module = m.Path
	c.ModuleDir = m.Dir
	c.Dir = path.Join(m.Dir, below)
	c.Replace = slashRel(p.target, p.ws.Abs(m.Dir))
	return c
}

// contractsModule is the module that holds nothing but contracts, or nil. A
// contracts folder that is part of a larger module does not count: a fraction
// that required it would depend on all that the module depends on.
func contractsModule(p place) *workspace.Module {
	if p.ws == nil || p.own {
		return nil
	}
	dirs := []string{"contracts"}
	if p.ws.Manifest != nil {
		dirs = p.ws.Manifest.Contracts
	}
	for _, m := range p.ws.Modules {
		if slices.Contains(dirs, m.Dir) {
			return m
		}
	}
	return nil
}
