package render

import (
	"bytes"
	"errors"
	"go/ast"
	"go/format"
	"go/parser"
	"go/scanner"
	"go/token"
	"slices"
	"strconv"

	"github.com/fractl/fractl/internal/fault"
)

// goFile maps the imports of a Go file and formats it. A file that was copied
// and whose imports stay as they are comes back untouched: it was formatted
// where it is kept.
func goFile(tmpl string, src []byte, executed bool, mapImport func(string) (string, error)) ([]byte, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, tmpl, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, goFault(tmpl, src, err)
	}
	edited := src
	if mapImport != nil {
		if edited, err = mapImports(tmpl, src, fset, file, mapImport); err != nil {
			return nil, err
		}
	}
	if !executed && bytes.Equal(edited, src) {
		return src, nil
	}
	out, err := format.Source(edited)
	if err != nil {
		return nil, goFault(tmpl, edited, err)
	}
	return out, nil
}

// mapImports replaces the import paths of file, which was parsed from src, at
// the positions where the parser found them and nowhere else.
func mapImports(tmpl string, src []byte, fset *token.FileSet, file *ast.File, mapImport func(string) (string, error)) ([]byte, error) {
	out := src
	// From the last to the first, so that an edit leaves the offsets of those
	// before it alone.
	for _, spec := range slices.Backward(file.Imports) {
		old, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // the parser has refused it already
		}
		mapped, err := mapImport(old)
		if err != nil {
			return nil, fault.At(tmpl, fset.Position(spec.Pos()).Line, err.Error(), fault.HintOf(err))
		}
		if mapped == old {
			continue
		}
		from, to := fset.Position(spec.Path.Pos()).Offset, fset.Position(spec.Path.End()).Offset
		out = slices.Concat(out[:from], []byte(strconv.Quote(mapped)), out[to:])
	}
	return out, nil
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
