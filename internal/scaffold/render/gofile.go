package render

import (
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/scanner"
	"go/token"
	"strconv"

	"github.com/fractl/fractl/internal/fault"
)

// goFile maps the imports of a Go file and formats it. A file that was copied
// and whose imports stay as they are comes back untouched, and unread from the
// imports on: it was compiled and formatted where it is kept.
func goFile(tmpl string, src []byte, executed bool, mapImport func(string) (string, error)) ([]byte, error) {
	if !executed {
		fset := token.NewFileSet()
		head, err := parser.ParseFile(fset, tmpl, src, parser.ImportsOnly)
		if err != nil {
			return nil, goFault(tmpl, src, err)
		}
		changed, err := mapImports(tmpl, fset, head, mapImport)
		if err != nil {
			return nil, err
		}
		if !changed {
			return src, nil
		}
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, tmpl, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, goFault(tmpl, src, err)
	}
	if _, err := mapImports(tmpl, fset, file, mapImport); err != nil {
		return nil, err
	}
	// What gofmt does with a whole file; go/format would parse it once more.
	ast.SortImports(fset, file)
	var out bytes.Buffer
	out.Grow(len(src) + len(src)/8)
	gofmt := printer.Config{Mode: printer.UseSpaces | printer.TabIndent, Tabwidth: 8}
	if err := gofmt.Fprint(&out, fset, file); err != nil {
		return nil, fault.New(tmpl, "renders to Go that cannot be printed: "+err.Error(), "")
	}
	return out.Bytes(), nil
}

// mapImports replaces import paths in the tree of a file, and so nothing that
// only looks like one. It reports whether any was replaced.
func mapImports(tmpl string, fset *token.FileSet, file *ast.File, mapImport func(string) (string, error)) (bool, error) {
	changed := false
	if mapImport == nil {
		return false, nil
	}
	for _, spec := range file.Imports {
		old, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // the parser has refused it already
		}
		mapped, err := mapImport(old)
		if err != nil {
			return false, fault.At(tmpl, fset.PositionFor(spec.Pos(), false).Line, err.Error(), fault.HintOf(err))
		}
		if mapped != old {
			// The end of the import is where the old path ended; a longer one
			// must not seem to reach into the next.
			spec.EndPos = spec.Path.End()
			spec.Path.Value = strconv.Quote(mapped)
			changed = true
		}
	}
	return changed, nil
}

// goFault names the first error of a Go parse, with the line as it was
// rendered, which is what a reader needs to find it in the template.
func goFault(tmpl string, src []byte, err error) error {
	var list scanner.ErrorList
	if !errors.As(err, &list) || len(list) == 0 {
		return fault.New(tmpl, "renders to Go that does not parse: "+err.Error(), "")
	}
	line := list[0].Pos.Line
	fact := "renders to Go that does not parse: " + list[0].Msg
	hint := ""
	if lines := bytes.Split(src, []byte("\n")); line >= 1 && line <= len(lines) {
		hint = "the rendered line is " + strconv.Quote(string(bytes.TrimSpace(lines[line-1])))
	}
	return fault.At(tmpl, line, fact, hint)
}
