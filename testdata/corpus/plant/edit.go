package main

import (
	"errors"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// plant is one fault.
type plant struct {
	file  string // absolute
	what  string
	edits []edit
	// line is where it is; from and to are the lines in which a finding counts,
	// those of the function around it.
	line, from, to int
}

func (p plant) rel(m *module) string {
	rel, _ := filepath.Rel(m.dir, p.file)
	return filepath.ToSlash(rel)
}

// edit replaces the bytes [at, end) of a file. It never changes the number of
// lines.
type edit struct {
	at, end int
	text    string
}

// apply makes the edits of all plants, and what the kind needs besides. undo
// puts everything back.
func apply(m *module, k kind, plants []plant) (undo func() error, err error) {
	saved := make(map[string][]byte)
	undo = func() error {
		var errs []error
		for name, data := range saved {
			if data == nil {
				errs = append(errs, os.Remove(name))
				continue
			}
			errs = append(errs, os.WriteFile(name, data, 0o644))
		}
		return errors.Join(errs...)
	}
	write := func(name, content string) error {
		if _, ok := saved[name]; !ok {
			saved[name], _ = os.ReadFile(name)
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		return os.WriteFile(name, []byte(content), 0o644)
	}
	byFile := make(map[string][]edit)
	for _, p := range plants {
		byFile[p.file] = append(byFile[p.file], p.edits...)
	}
	for name, edits := range byFile {
		data, err := os.ReadFile(name)
		if err != nil {
			return undo, err
		}
		slices.SortFunc(edits, func(a, b edit) int { return b.at - a.at })
		text := string(data)
		for _, e := range edits {
			old := text[e.at:e.end]
			text = text[:e.at] + e.text + strings.Repeat("\n", strings.Count(old, "\n")-strings.Count(e.text, "\n")) + text[e.end:]
		}
		if err := write(name, text); err != nil {
			return undo, err
		}
	}
	if k.prepare != nil {
		if err := k.prepare(m, write); err != nil {
			return undo, err
		}
	}
	return undo, nil
}

// place makes a plant in the function around it.
func place(pkg *packages.Package, fn ast.Node, at ast.Node, what string, edits ...edit) plant {
	pos := pkg.Fset.Position(at.Pos())
	return plant{
		file: pos.Filename, what: what, edits: edits, line: pos.Line,
		from: pkg.Fset.Position(fn.Pos()).Line, to: pkg.Fset.Position(fn.End()).Line,
	}
}

func span(pkg *packages.Package, from, to token.Pos, text string) edit {
	return edit{pkg.Fset.Position(from).Offset, pkg.Fset.Position(to).Offset, text}
}

// functions calls visit for each function of people's files.
func functions(pkg *packages.Package, visit func(*ast.File, *ast.FuncDecl)) {
	for _, f := range pkg.Syntax {
		name := pkg.Fset.Position(f.Package).Filename
		if ast.IsGenerated(f) || !strings.HasSuffix(name, ".go") || pkg.Module == nil || !strings.HasPrefix(name, pkg.Module.Dir) {
			continue
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
				visit(f, fn)
			}
		}
	}
}
