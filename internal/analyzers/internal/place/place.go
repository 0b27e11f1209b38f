// Package place gives positions in files that the type checker has not parsed:
// a line of go.mod that decides a rule, or a step of a call path in a package
// that came as export data.
package place

import (
	"go/token"
	"os"
)

// Files adds such files to a file set, each at most once. The zero value is
// not ready: use New. It is for one pass and not for concurrent use.
type Files struct {
	fset  *token.FileSet
	added map[string]*token.File
}

// New returns an empty Files over fset.
func New(fset *token.FileSet) *Files {
	return &Files{fset: fset, added: make(map[string]*token.File)}
}

// Line is the position of the first byte of line n (from 1) of the file name,
// or token.NoPos where the file cannot be read or has no such line.
func (f *Files) Line(name string, n int) token.Pos {
	file, ok := f.added[name]
	if !ok {
		if data, err := os.ReadFile(name); err == nil {
			file = f.fset.AddFile(name, -1, len(data))
			file.SetLinesForContent(data)
		}
		f.added[name] = file
	}
	if file == nil || n < 1 || n > file.LineCount() {
		return token.NoPos
	}
	return file.LineStart(n)
}
