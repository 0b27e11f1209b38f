// Package exportdata writes the types of a package without a compiler, and reads
// them back. What it writes holds no path of this machine.
package exportdata

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/gcexportdata"
)

// Write encodes the types that importers of pkg can reach. files are the files
// of the package in fset; rename gives the name under which the positions in
// one are kept. Positions in other packages are left out: their own data has
// them.
func Write(pkg *types.Package, fset *token.FileSet, files []*token.File, rename func(string) string) (data []byte, err error) {
	defer func() {
		// A type that the format cannot hold, such as one declared in a function.
		if p := recover(); p != nil {
			err = fmt.Errorf("types of %s cannot be written: %v", pkg.Path(), p)
		}
	}()
	files = slices.SortedFunc(slices.Values(files), func(a, b *token.File) int { return a.Base() - b.Base() })
	shadow := token.NewFileSet()
	for _, f := range files {
		if !shadow.AddFile(rename(f.Name()), f.Base(), f.Size()).SetLines(f.Lines()) {
			return nil, fmt.Errorf("lines of %s are out of order", f.Name())
		}
	}
	var b bytes.Buffer
	b.Write(binary.AppendUvarint(nil, uint64(len(files))))
	if err := gcexportdata.Write(&b, shadow, pkg); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// span is what the importer of x/tools reserves for each file, whose length it
// does not know.
const span = 64<<10 + 1

// Read decodes what Write wrote. path is the package's import path; imports
// holds all packages, by path, that it reaches, with their types complete, and
// gets the package itself. locate undoes Write's rename. It may be called
// concurrently with one fset, though not with one map.
func Read(data []byte, fset *token.FileSet, path string, imports map[string]*types.Package, locate func(string) string) (pkg *types.Package, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("types of %s cannot be read: %v", path, p)
		}
	}()
	count, n := binary.Uvarint(data)
	if n <= 0 || count > 1<<20 {
		return nil, errors.New("types of " + path + " cannot be read: no number of files")
	}
	// The importer names files as they were written. So it gets a set of its
	// own, over positions that nothing else has in fset, and its files are then
	// added to fset under their names here.
	reserved := fset.AddFile("", -1, int(count+1)*span)
	fset.RemoveFile(reserved)
	own := token.NewFileSet()
	own.AddFile("", reserved.Base(), 0)
	pkg, err = gcexportdata.Read(bytes.NewReader(data[n:]), own, imports, path)
	if err != nil {
		return nil, err
	}
	here := token.NewFileSet()
	var list []*token.File
	own.Iterate(func(f *token.File) bool {
		if f.Name() == "" {
			return true
		}
		g := here.AddFile(locate(f.Name()), f.Base(), f.Size())
		g.SetLines(f.Lines())
		list = append(list, g)
		return true
	})
	if len(list) > int(count) {
		return nil, errors.New("types of " + path + " cannot be read: more files than it has")
	}
	fset.AddExistingFiles(list...)
	return pkg, nil
}
