package fix

import (
	"bytes"
	"cmp"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/ast/astutil"

	"github.com/fractl/fractl/internal/finding"
)

// overlaps reports whether an edit touches bytes that one of others touches. An
// insertion that another repeats, such as that of an import, does not.
func overlaps(e finding.Edit, others []finding.Edit) bool {
	return slices.ContainsFunc(others, func(o finding.Edit) bool {
		if same(e, o) {
			return e.Start != e.End // to replace a thing twice needs two who agree on more than that
		}
		if e.Start == e.End && o.Start == o.End {
			return e.Start == o.Start // in which order?
		}
		return e.Start <= o.End && o.Start <= e.End
	})
}

func same(a, b finding.Edit) bool {
	return a.Start == b.Start && a.End == b.End && bytes.Equal(a.New, b.New)
}

// edit carries out edits that do not overlap; equal ones once.
func edit(src []byte, list []finding.Edit) []byte {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b finding.Edit) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End))
	})
	list = slices.CompactFunc(list, same)
	var out bytes.Buffer
	at := 0
	for _, e := range list {
		out.Write(src[at:e.Start])
		out.Write(e.New)
		at = e.End
	}
	out.Write(src[at:])
	return out.Bytes()
}

// tidy drops the imports that an edited Go file no longer uses, and formats it
// if it was formatted before. What does not parse stays as it is.
func tidy(name string, before, after []byte) []byte {
	if !strings.HasSuffix(name, ".go") {
		return after
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, after, parser.ParseComments)
	if err != nil {
		return after
	}
	if dropImports(fset, f, used(name, before)) {
		var out bytes.Buffer
		if err := format.Node(&out, fset, f); err == nil {
			return out.Bytes()
		}
	}
	if formatted, err := format.Source(before); err == nil && bytes.Equal(formatted, before) {
		if out, err := format.Source(after); err == nil {
			return out
		}
	}
	return after
}

// used are the imports that a file uses, as far as its text tells.
func used(name string, src []byte) map[string]bool {
	set := make(map[string]bool)
	f, err := parser.ParseFile(token.NewFileSet(), name, src, 0)
	if err != nil {
		return set
	}
	for _, spec := range f.Imports {
		if path, err := strconv.Unquote(spec.Path.Value); err == nil && astutil.UsesImport(f, path) {
			set[path] = true
		}
	}
	return set
}

// dropImports removes those of the imports that the file does not use any more,
// and reports whether there was one.
func dropImports(fset *token.FileSet, f *ast.File, before map[string]bool) bool {
	dropped := false
	for _, spec := range slices.Clone(f.Imports) {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil || !before[path] || astutil.UsesImport(f, path) {
			continue
		}
		alias := ""
		if spec.Name != nil {
			alias = spec.Name.Name
		}
		dropped = astutil.DeleteNamedImport(fset, f, alias, path) || dropped
	}
	return dropped
}
