package crossimport

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/workspace"
)

// modules checks the go.mod of each fraction and go.work: what they require of
// others without an import that says so, and what they put in the place of
// something else. imported are the import paths of each fraction's files.
func (c *checker) modules(imported map[*workspace.Fraction]map[string]bool) []finding.Finding {
	var list []finding.Finding
	for _, from := range c.ws.Fractions {
		if from.Module == nil || c.sharesModule(from) {
			continue
		}
		list = append(list, c.requires(from, imported[from])...)
		for _, r := range from.Module.File.Replace {
			if f, ok := c.swap(from, from.Module.Dir, r); ok {
				f.File, f.Fraction = from.Module.GoMod(), from.Name
				list = append(list, f)
			}
		}
	}
	if c.ws.WorkFile != nil {
		list = append(list, c.used()...)
		for _, r := range c.ws.WorkFile.Replace {
			if f, ok := c.swap(nil, ".", r); ok {
				f.File = "go.work"
				list = append(list, f)
			}
		}
	}
	return list
}

// used reports the modules of go.work that lie in the folder of a fraction and have
// the path of a contract: whoever imports that gets the fraction's code.
func (c *checker) used() []finding.Finding {
	var list []finding.Finding
	for _, u := range c.ws.WorkFile.Use {
		dir := path.Clean(u.Path)
		owner := c.ws.FractionOf(dir)
		at := slices.IndexFunc(c.ws.Modules, func(m *workspace.Module) bool { return m.Dir == dir })
		if at < 0 || owner == nil || owner.Module == c.ws.Modules[at] || u.Syntax == nil || c.open(dir) || !c.namedContract(c.ws.Modules[at].Path) {
			continue
		}
		f := c.modFinding(u.Syntax)
		f.File = "go.work"
		f.Message = fmt.Sprintf("use puts %s of fraction %s in the place of %s", dir, owner.Name, c.ws.Modules[at].Path)
		f.Hint = fmt.Sprintf("move the contract below %s", c.contractRoot())
		list = append(list, f)
	}
	return list
}

// namedContract reports whether an import path is one of the manifest's contracts.
func (c *checker) namedContract(importPath string) bool {
	m := c.ws.Manifest
	return m != nil && m.Module != "" && slices.ContainsFunc(m.Contracts, func(dir string) bool {
		return strings.HasPrefix(importPath+"/", path.Join(m.Module, dir)+"/")
	})
}

// sharesModule reports whether the module of a fraction holds another one too:
// then its go.mod is nobody's own.
func (c *checker) sharesModule(from *workspace.Fraction) bool {
	return slices.ContainsFunc(c.ws.Fractions, func(o *workspace.Fraction) bool { return o != from && o.Module == from.Module })
}

// requires reports the modules of other fractions that go.mod requires and no
// file imports: the fraction cannot be built without them.
func (c *checker) requires(from *workspace.Fraction, imported map[string]bool) []finding.Finding {
	var list []finding.Finding
	for _, r := range from.Module.File.Require {
		to := c.owner(r.Mod.Path)
		if to == nil || to == from || r.Indirect || r.Syntax == nil || c.open(to.Module.Dir) || reaches(imported, r.Mod.Path) {
			continue
		}
		f := c.modFinding(r.Syntax)
		f.File, f.Fraction = from.Module.GoMod(), from.Name
		f.Message = fmt.Sprintf("fraction %s requires %s of fraction %s, and imports nothing of it", from.Name, r.Mod.Path, to.Name)
		f.Hint = fmt.Sprintf("run 'go mod tidy' in %s", from.Module.Dir)
		list = append(list, f)
	}
	return list
}

// owner is the fraction whose module a path is.
func (c *checker) owner(modulePath string) *workspace.Fraction {
	for _, f := range c.ws.Fractions {
		if f.Module != nil && f.Module.Path == modulePath && !c.sharesModule(f) {
			return f
		}
	}
	return nil
}

func reaches(imported map[string]bool, modulePath string) bool {
	for p := range imported {
		if p == modulePath || strings.HasPrefix(p, modulePath+"/") {
			return true
		}
	}
	return false
}

// swap reports a replace that puts the folder of a fraction in the place of
// another module: whoever imports that, such as a contract, gets the fraction's
// code. from is nil for go.work.
func (c *checker) swap(from *workspace.Fraction, dir string, r *modfile.Replace) (f finding.Finding, ok bool) {
	if r.New.Version != "" || r.Syntax == nil || path.IsAbs(r.New.Path) {
		return f, false
	}
	target := path.Join(dir, r.New.Path)
	if strings.HasPrefix(target, "../") {
		return f, false
	}
	to := c.ws.FractionOf(target)
	if to == nil || to == from || c.open(target) {
		return f, false
	}
	if to.Module != nil && r.Old.Path == to.Module.Path {
		return f, false // itself: who imports it is told
	}
	f = c.modFinding(r.Syntax)
	f.Message = fmt.Sprintf("replace puts %s of fraction %s in the place of %s", target, to.Name, r.Old.Path)
	f.Hint = fmt.Sprintf("replace %s by a folder of its own, such as one below %s", r.Old.Path, c.contractRoot())
	return f, true
}

func (c *checker) modFinding(line *modfile.Line) finding.Finding {
	return finding.Finding{
		Rule: ruleName, Severity: c.severity(),
		Line: line.Start.Line, Column: line.Start.LineRune, EndLine: line.End.Line, EndColumn: line.End.LineRune,
	}
}
