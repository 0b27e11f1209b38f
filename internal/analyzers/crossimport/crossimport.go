package crossimport

import (
	_ "embed"
	"errors"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/fractl/fractl/internal/analyzers/internal/analyzerdoc"
	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/workspace"
)

//go:embed doc.go
var doc string

const ruleName = "crossimport"

// Analyzer reports on the files of one package, whatever their build tags. It
// finds the workspace above them by itself. The driver of `fractl vet` uses
// Scan instead, which also sees folders that the go command drops because all
// of their files are excluded.
var Analyzer = &analysis.Analyzer{
	Name:             ruleName,
	Doc:              analyzerdoc.Must(doc, ruleName),
	URL:              "https://pkg.go.dev/github.com/fractl/fractl/internal/analyzers/crossimport",
	Run:              run,
	RunDespiteErrors: true, // imports need no types
}

func run(pass *analysis.Pass) (any, error) {
	names, embedded := packageFiles(pass)
	if len(names) == 0 {
		return nil, nil
	}
	ws, err := workspace.Find(filepath.Dir(names[0]))
	if errors.Is(err, workspace.ErrNone) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c := newChecker(ws)
	for _, name := range names {
		rel := ws.Rel(resolved(name))
		if !ours(ws, rel) {
			continue
		}
		src, err := read(pass, name)
		if err != nil {
			return nil, err
		}
		file := embedded[name]
		for _, v := range c.file(rel, src) {
			if file == nil {
				file = addFile(pass.Fset, name, src)
			}
			report(pass, ws, c, file, v)
		}
	}
	return nil, nil
}

// packageFiles lists the Go files of the package with those that this build
// leaves out, and gives the parsed ones' place in the file set.
func packageFiles(pass *analysis.Pass) ([]string, map[string]*token.File) {
	placed := make(map[string]*token.File)
	var names []string
	for _, f := range pass.Files {
		file := pass.Fset.File(f.Package)
		switch {
		case file == nil || filepath.Ext(file.Name()) != ".go":
		case strings.HasSuffix(file.Name(), ".cgo1.go"):
			// What cgo made of it names the file that people write.
			names = append(names, pass.Fset.PositionFor(f.Package, true).Filename)
		default:
			placed[file.Name()] = file
			names = append(names, file.Name())
		}
	}
	for _, name := range pass.IgnoredFiles {
		if filepath.Ext(name) == ".go" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), placed
}

func read(pass *analysis.Pass, name string) ([]byte, error) {
	if pass.ReadFile != nil { // nogo leaves it out
		return pass.ReadFile(name)
	}
	return os.ReadFile(name)
}

func report(pass *analysis.Pass, ws *workspace.Workspace, c *checker, file *token.File, v violation) {
	d := analysis.Diagnostic{
		Pos:     file.Pos(v.start),
		End:     file.Pos(v.end),
		Message: v.message,
	}
	if c.severity() != finding.Error {
		d.Category = "inferred/" + c.severity().String()
	}
	d.Related = append(d.Related, analysis.RelatedInformation{Pos: d.Pos, Message: "hint: " + v.hint})
	for _, r := range v.related {
		pos := d.Pos
		if src, err := ws.ReadFile(r.File); err == nil {
			if f := addFile(pass.Fset, ws.Abs(r.File), src); r.Line <= f.LineCount() {
				pos = f.LineStart(r.Line)
			}
		}
		d.Related = append(d.Related, analysis.RelatedInformation{Pos: pos, Message: r.Message})
	}
	for _, fix := range v.fixes {
		edits := make([]analysis.TextEdit, len(fix.Edits))
		for i, e := range fix.Edits {
			edits[i] = analysis.TextEdit{Pos: file.Pos(e.Start), End: file.Pos(e.End), NewText: e.New}
		}
		d.SuggestedFixes = append(d.SuggestedFixes, analysis.SuggestedFix{Message: fix.Message, TextEdits: edits})
	}
	pass.Report(d)
}

func addFile(fset *token.FileSet, name string, src []byte) *token.File {
	f := fset.AddFile(name, -1, len(src))
	f.SetLinesForContent(src)
	return f
}

// ours reports whether a path relative to the root is a file that the
// workspace's people write.
func ours(ws *workspace.Workspace, rel string) bool {
	return !filepath.IsAbs(filepath.FromSlash(rel)) && !strings.HasPrefix(rel, "../") &&
		!slices.Contains(strings.Split(rel, "/"), "vendor") && ws.ModuleOf(rel) != nil
}

// resolved is name without symbolic links, as the workspace root is.
func resolved(name string) string {
	if r, err := filepath.EvalSymlinks(name); err == nil {
		return r
	}
	return name
}
