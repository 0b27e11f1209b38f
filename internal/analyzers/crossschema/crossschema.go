package crossschema

import (
	"context"
	"errors"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/fractl/fractl/internal/analyzers/internal/analyzerdoc"
	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/workspace"
)

const ruleName = "crossschema"

// Analyzer reports on the Go files of one package, and on the .sql files that
// stand nearest to it. It reads the workspace around them by itself. The driver
// of `fractl vet` uses Scan instead, which does so once.
var Analyzer = &analysis.Analyzer{
	Name:             ruleName,
	Doc:              analyzerdoc.Must(doc, ruleName),
	URL:              "https://pkg.go.dev/github.com/fractl/fractl/internal/analyzers/crossschema",
	Run:              run,
	RunDespiteErrors: true, // texts need few types
}

func run(pass *analysis.Pass) (any, error) {
	files := make(map[string]*token.File)
	dir := ""
	for _, f := range pass.Files {
		if file := pass.Fset.File(f.Package); file != nil && filepath.Ext(file.Name()) == ".go" {
			files[file.Name()] = file
			dir = filepath.Dir(file.Name())
		}
	}
	if dir == "" {
		return nil, nil
	}
	ws, err := workspace.Find(dir)
	if errors.Is(err, workspace.ErrNone) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	own := ws.FractionOf(ws.Rel(dir))
	if own == nil || len(ws.Fractions) < 2 || !speaks(ws, pass, dir, files) {
		return nil, nil
	}
	found, err := Scan(context.Background(), ws)
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		file := files[ws.Abs(f.File)]
		if file == nil && (strings.HasSuffix(f.File, ".go") || strings.HasSuffix(pass.Pkg.Name(), "_test") || nearest(ws, f.File) != dir) {
			continue
		}
		report(pass, ws, file, f)
	}
	return nil, nil
}

// speaks reports whether the package has SQL in it, or .sql files near to it.
func speaks(ws *workspace.Workspace, pass *analysis.Pass, dir string, files map[string]*token.File) bool {
	for name := range files {
		if src, err := source(pass, name); err == nil && mentions(src) {
			return true
		}
	}
	scripts, _ := ws.SQLFiles()
	return slices.ContainsFunc(scripts, func(file string) bool { return nearest(ws, file) == dir })
}

// nearest is the folder with Go files that a file stands in or below, or "".
func nearest(ws *workspace.Workspace, file string) string {
	for dir := path.Dir(file); dir != "."; dir = path.Dir(dir) {
		names, _ := filepath.Glob(filepath.Join(escape(ws.Abs(dir)), "*.go"))
		if slices.ContainsFunc(names, func(n string) bool { return !isTest(n) }) {
			return ws.Abs(dir)
		}
	}
	return ""
}

func source(pass *analysis.Pass, name string) ([]byte, error) {
	if pass.ReadFile != nil { // nogo leaves it out
		return pass.ReadFile(name)
	}
	return os.ReadFile(name)
}

// report turns a finding into a diagnostic. file is nil for one that is not
// of Go.
func report(pass *analysis.Pass, ws *workspace.Workspace, file *token.File, f finding.Finding) {
	if file == nil {
		src, err := ws.ReadFile(f.File)
		if err != nil {
			return
		}
		file = addFile(pass.Fset, ws.Abs(f.File), src)
	}
	d := analysis.Diagnostic{Pos: placed(file, f.Line, f.Column), Message: f.Message}
	if f.Severity != finding.Error {
		d.Category = several + "/" + f.Severity.String()
	}
	d.Related = append(d.Related, analysis.RelatedInformation{Pos: d.Pos, Message: "hint: " + f.Hint})
	for _, r := range f.Related {
		pos := d.Pos
		if src, err := ws.ReadFile(r.File); err == nil {
			if at := addFile(pass.Fset, ws.Abs(r.File), src); r.Line <= at.LineCount() {
				pos = at.LineStart(r.Line)
			}
		}
		d.Related = append(d.Related, analysis.RelatedInformation{Pos: pos, Message: r.Message})
	}
	pass.Report(d)
}

func addFile(fset *token.FileSet, name string, src []byte) *token.File {
	f := fset.AddFile(name, -1, len(src))
	f.SetLinesForContent(src)
	return f
}

// placed is a line and column, both from 1, of a file.
func placed(file *token.File, line, column int) token.Pos {
	if line < 1 || line > file.LineCount() {
		return file.Pos(0)
	}
	return file.LineStart(line) + token.Pos(column-1)
}
