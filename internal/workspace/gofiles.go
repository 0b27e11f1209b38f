package workspace

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/fault"
)

// GoFiles lists the Go files of all modules, whatever their build tags,
// relative to the root and sorted. As the go command does, it leaves out vendor
// and testdata folders, names that begin with "." or "_", and modules that are
// not of the workspace. The error names what could not be read; the list is
// then that of the rest.
func (ws *Workspace) GoFiles() ([]string, error) { return ws.files(".go") }

// SQLFiles lists the .sql files of all modules, as GoFiles does.
func (ws *Workspace) SQLFiles() ([]string, error) { return ws.files(".sql") }

// Dirs lists the folders in which GoFiles looks, and the root, sorted.
func (ws *Workspace) Dirs() ([]string, error) {
	list, err := ws.walk(func(_ string, d fs.DirEntry) bool { return d.IsDir() })
	list = append(list, ".")
	slices.Sort(list)
	return slices.Compact(list), err
}

// files lists the files whose names end in suffix.
func (ws *Workspace) files(suffix string) ([]string, error) {
	return ws.walk(func(p string, d fs.DirEntry) bool {
		return !d.IsDir() && strings.HasSuffix(d.Name(), suffix) && !lock(p, d)
	})
}

// walk lists what is wanted of the modules, as GoFiles does.
func (ws *Workspace) walk(wanted func(p string, d fs.DirEntry) bool) ([]string, error) {
	var (
		list []string
		errs []error
	)
	for _, m := range ws.Modules {
		top := ws.Abs(m.Dir)
		err := filepath.WalkDir(top, func(p string, d fs.DirEntry, err error) error {
			if err != nil {
				errs = append(errs, Unreadable(ws.Rel(p), err))
				return nil
			}
			name := d.Name()
			switch {
			case d.IsDir() && p == top:
			case strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_"):
				if d.IsDir() {
					return filepath.SkipDir
				}
				return nil
			case d.IsDir():
				if name == "vendor" || name == "testdata" || isFile(filepath.Join(p, "go.mod")) {
					return filepath.SkipDir
				}
			}
			if wanted(p, d) {
				list = append(list, ws.Rel(p))
			}
			return nil
		})
		errs = append(errs, err)
	}
	slices.Sort(list)
	return slices.Compact(list), errors.Join(errs...)
}

// lock reports whether an entry is no file that could be read: a socket, or a
// dangling symbolic link such as an editor makes for a lock.
func lock(p string, d fs.DirEntry) bool {
	if d.Type().IsRegular() {
		return false
	}
	info, err := os.Stat(p)
	return err != nil || !info.Mode().IsRegular()
}

// Unreadable is the fault of a file or folder, relative to the root, that
// cannot be read.
func Unreadable(rel string, err error) error {
	return &fault.Error{Subject: rel, Fact: "cannot be read: " + cause(err), Err: err}
}
