package vet

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vet/inputs"
	"github.com/fractl/fractl/internal/workspace"
)

// survey notes every file and folder of the workspace that a run depends on:
// those in which the go command looks for packages, and what the rules about
// the repository read.
func (r *run) survey(t *inputs.Table) {
	r.table = t
	t.Dir(r.ws.Root)
	for _, name := range []string{workspace.ManifestName, "go.work", "go.work.sum"} {
		t.File(r.ws.Abs(name))
	}
	tops := []string{}
	for _, m := range r.ws.Modules {
		tops = append(tops, m.Dir)
		for _, name := range []string{"go.sum", "vendor/modules.txt"} {
			t.File(r.ws.Abs(path.Join(m.Dir, name)))
		}
		t.File(r.ws.Abs(m.GoMod()))
	}
	t.File(r.ws.Abs("vendor/modules.txt"))
	if r.ws.Manifest != nil {
		// Contracts need not be of a module.
		tops = append(tops, r.ws.Manifest.Contracts...)
	}
	for _, dir := range tops {
		r.surveyDir(t, r.ws.Abs(dir), true)
	}
	for name := range r.overlay.absolute() {
		t.File(name) // it need not be on disk
	}
	r.surveyGo(t)
}

// surveyDir notes a folder and those below, as far as the go command looks for
// packages there.
func (r *run) surveyDir(t *inputs.Table, dir string, top bool) {
	if !top && t.HasDir(dir) {
		return
	}
	entries := t.Dir(dir)
	if !top && slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == "go.mod" }) {
		return // another module, of the workspace or not
	}
	for _, e := range entries {
		name := e.Name()
		switch {
		case name[0] == '.' || name[0] == '_':
		case e.IsDir():
			if name != "vendor" && name != "testdata" {
				r.surveyDir(t, filepath.Join(dir, name), false)
			}
		case strings.HasSuffix(name, ".go"), strings.HasSuffix(name, ".sql"):
			t.File(filepath.Join(dir, name))
		}
	}
}

// surveyGo notes the go command and its settings.
func (r *run) surveyGo(t *inputs.Table) {
	if name, err := exec.LookPath("go"); err == nil {
		if name, err = filepath.EvalSymlinks(name); err == nil {
			t.Stat(name)
			t.File(filepath.Join(filepath.Dir(filepath.Dir(name)), "VERSION"))
		}
	}
	env := setting(r.opts.Env, "GOENV")
	if env == "" {
		if dir, err := os.UserConfigDir(); err == nil {
			env = filepath.Join(dir, "go", "env")
		}
	}
	if env != "" && env != "off" {
		t.File(env)
	}
}

// surveyed notes what is known only once the packages are listed.
func (r *run) surveyed(nodes []*node) {
	seen := make(map[string]bool)
	once := func(name string, do func(string)) {
		if !seen[name] {
			seen[name] = true
			do(name)
		}
	}
	dir := func(name string) {
		if !r.table.HasDir(name) {
			r.table.Dir(name)
		}
	}
	for _, n := range nodes {
		for _, name := range n.pkg.EmbedFiles {
			once(filepath.Dir(name), dir)
		}
		for _, list := range [][]string{n.pkg.GoFiles, n.pkg.OtherFiles, n.pkg.IgnoredFiles} {
			if !n.ours {
				break
			}
			for _, name := range list {
				once(filepath.Dir(name), dir)
				r.table.File(name)
			}
		}
		m := n.pkg.Module
		for m != nil {
			// What lies in the module cache stays as it is, if it stays.
			if !m.Main && m.Dir != "" {
				if strings.HasPrefix(n.env.portable(r.ws.Rel, m.Dir+"/"), modName) {
					once(m.Dir, r.table.Stat)
				} else {
					once(filepath.Join(m.Dir, "go.mod"), func(name string) { r.table.File(name) })
				}
			}
			m = m.Replace
		}
		if n.env != nil {
			once(filepath.Join(n.env.GOROOT, "VERSION"), func(name string) { r.table.File(name) })
		}
	}
}

// traits is what the run keeps of a file.
func (r *run) traits(name string, src []byte) inputs.Traits {
	var t inputs.Traits
	var ignores []finding.Ignore
	switch {
	case strings.HasSuffix(name, ".go"):
		t.Listing = listingOf(name, src)
		ignores = ignoresIn(name, src)
	case strings.HasSuffix(name, ".sql"):
		ignores = ignoresIn(name, src)
	case path.Base(name) == workspace.ManifestName:
		// It names fractions and settings; its modules are in the request.
	default:
		t.Listing = inputs.SumOf(src)
		ignores = ignoresIn(name, src)
	}
	if len(ignores) > 0 {
		t.Notes, _ = json.Marshal(ignores)
	}
	for _, rule := range r.opts.Rules {
		if rule.Shape != nil {
			t.Shapes = append(t.Shapes, inputs.SumOf(rule.Shape(r.ws, name, src))[:16])
		}
	}
	return t
}

// listingOf hashes what the go command reads of a Go file: everything up to the
// end of its imports, and what it embeds.
func listingOf(name string, src []byte) inputs.Sum {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, src, parser.ImportsOnly|parser.SkipObjectResolution)
	if err != nil {
		return inputs.SumOf(src)
	}
	end := f.Name.End()
	for _, d := range f.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			end = g.End()
		}
	}
	h := sha256.New()
	h.Write(src[:fset.PositionFor(end, false).Offset])
	if bytes.Contains(src, []byte("//go:embed")) {
		for line := range bytes.Lines(src) {
			if bytes.HasPrefix(bytes.TrimSpace(line), []byte("//go:embed")) {
				fmt.Fprintf(h, "\n%q", line)
			}
		}
	}
	return inputs.Sum(h.Sum(nil)[:16])
}

// ignores are the ignore comments of a file that the table has.
func (r *run) ignores(name string) []finding.Ignore {
	var list []finding.Ignore
	if notes := r.table.Get(name).Traits.Notes; notes != nil {
		_ = json.Unmarshal(notes, &list)
	}
	return list
}
