package vendorcheck

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/fault"
)

// unit is a folder that a build may start from: it holds a go.mod or a go.work.
type unit struct {
	dir string // absolute
	// mod and work are the names of its go.mod and go.work, absolute, or "".
	mod, work string
	// vendor is what stands at vendor/, nil where nothing does.
	vendor fs.FileInfo
}

// discover finds the units at and below dir, the module that holds dir, the
// workspace that a build in dir would use, and, where dir is the root, the
// modules of the workspace wherever they are. They come sorted by folder.
func (c *checker) discover(dir string) ([]*unit, error) {
	units := map[string]*unit{}
	err := c.walk(dir, units)
	if err != nil {
		return nil, err
	}
	var further []string
	if up, ok := above(dir, "go.mod"); ok {
		further = append(further, up)
	}
	work, _, err := c.set.activeWork(dir)
	if err != nil {
		return nil, err
	}
	if work != "" {
		further = append(further, filepath.Dir(work))
	}
	if dir == c.ws.Root {
		for _, m := range c.ws.Modules {
			further = append(further, c.ws.Abs(m.Dir))
		}
	}
	for _, d := range further {
		if units[d] == nil {
			if u := look(d); u != nil {
				units[d] = u
			}
		}
	}
	if u := units[filepath.Dir(work)]; u != nil && work != "" {
		u.work = work // GOWORK may name a file of another name
	} else if work != "" {
		d := filepath.Dir(work)
		units[d] = &unit{dir: d, work: work, vendor: vendorAt(d)}
	}
	list := make([]*unit, 0, len(units))
	for _, u := range units {
		list = append(list, u)
	}
	slices.SortFunc(list, func(a, b *unit) int { return cmp.Compare(a.dir, b.dir) })
	return list, nil
}

// walk collects the units at and below dir. Like the go command's "./..." it
// leaves out folders that begin with "." or "_" and those called testdata, and
// it does not follow links; vendor and node_modules hold nothing of ours.
func (c *checker) walk(dir string, units map[string]*unit) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fault.New(c.rel(dir), "cannot be read: "+cause(err), "mend its permissions, or check a folder beside it")
	}
	seen := false
	for _, e := range entries {
		name := e.Name()
		switch {
		case !e.IsDir():
			seen = seen || name == "go.mod" || name == "go.work"
		case name == "vendor" || name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_"):
		default:
			if err := c.walk(filepath.Join(dir, name), units); err != nil {
				return err
			}
		}
	}
	if seen {
		if u := look(dir); u != nil {
			units[dir] = u
		}
	}
	return nil
}

// look returns the unit at dir, or nil where there is none.
func look(dir string) *unit {
	u := &unit{dir: dir}
	if name := filepath.Join(dir, "go.mod"); isThere(name) {
		u.mod = name
	}
	if name := filepath.Join(dir, "go.work"); isThere(name) {
		u.work = name
	}
	if u.mod == "" && u.work == "" {
		return nil
	}
	u.vendor = vendorAt(dir)
	return u
}

func vendorAt(dir string) fs.FileInfo {
	info, err := os.Lstat(filepath.Join(dir, "vendor"))
	if err != nil {
		return nil
	}
	return info
}

// isThere reports whether something other than a folder has that name: what
// the go command takes for a go.mod or go.work.
func isThere(name string) bool {
	info, err := os.Stat(name)
	return err == nil && !info.IsDir()
}

// above finds the nearest folder at or above dir that holds the file name.
func above(dir, name string) (string, bool) {
	for {
		if isThere(filepath.Join(dir, name)) {
			return dir, true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", false
		}
		dir = parent
	}
}

// cause is the innermost reason of an I/O error, without the absolute path that
// its text repeats.
func cause(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}
