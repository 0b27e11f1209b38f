// Package inputs is a table of the files and folders that a run over a workspace
// depends on, with what is known of their contents. A file is read again only
// where its size, times or number say that it may have changed, or where they
// cannot be trusted to say so.
package inputs

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Sum is the hash of a file's content, as raw bytes: "" is that of nothing.
type Sum string

// SumOf hashes content.
func SumOf(src []byte) Sum {
	s := sha256.Sum256(src)
	return Sum(s[:])
}

// File is one file.
type File struct {
	Stamp Stamp
	// Absent: it could not be read.
	Absent bool
	Sum    Sum
	Traits Traits
}

// Traits are what the run takes from a file's text alone.
type Traits struct {
	// Listing is the hash of what the go command reads of the file to say which
	// packages there are.
	Listing Sum
	// Shapes are hashes of what checks of the whole repository read of it, one
	// for each check.
	Shapes []Sum
	// Notes is what the run keeps of the file for its own use.
	Notes []byte
}

// Table is what one run saw. It may be used concurrently.
type Table struct {
	root     string
	describe func(file string, src []byte) Traits
	overlay  map[string][]byte
	old      *Saved
	began    time.Time
	trusted  bool

	mu    sync.Mutex
	files map[string]File
	dirs  map[string]Sum
	// stamps are files of which the content does not matter as long as they
	// are as they were.
	stamps map[string]Stamp
	again  struct{ files, dirs, stamps []string }
}

// Saved is a table as it is kept between runs.
type Saved struct {
	// Files and Dirs are by name: relative to the root inside of it, absolute
	// outside. Of a folder the names in it are kept.
	Files map[string]File
	Dirs  map[string]Sum
	// Stamps are files and folders that were not read.
	Stamps map[string]Stamp
	// Began is when the run began that made it.
	Began time.Time
}

// New returns an empty table of the workspace at root. describe tells what is
// to be kept of a file; overlay holds contents by absolute name that stand in
// for those of files; old is the table of an earlier run, or nil.
func New(root string, describe func(file string, src []byte) Traits, overlay map[string][]byte, old *Saved) *Table {
	t := &Table{
		root: root, describe: describe, overlay: overlay, old: old, began: time.Now(),
		files: make(map[string]File), dirs: make(map[string]Sum), stamps: make(map[string]Stamp),
	}
	// A clock that went back makes all times doubtful, as does a file system
	// whose times another machine sets.
	t.trusted = old != nil && !old.Began.After(t.began) && local(root)
	return t
}

// name is how a file is called in the table.
func (t *Table) name(abs string) string {
	rel, err := filepath.Rel(t.root, abs)
	if err != nil || !filepath.IsLocal(rel) {
		return filepath.ToSlash(abs)
	}
	return filepath.ToSlash(rel)
}

// File returns what is known of a file, and reads it where that is too little.
func (t *Table) File(abs string) File {
	name := t.name(abs)
	t.mu.Lock()
	f, ok := t.files[name]
	t.mu.Unlock()
	if ok {
		return f
	}
	f = t.look(name, abs)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.files[name] = f
	return f
}

func (t *Table) look(name, abs string) File {
	if src, ok := t.overlay[abs]; ok {
		return File{Sum: SumOf(src), Traits: t.describe(name, src)}
	}
	stamp, ok := stampOf(abs)
	if !ok {
		return File{Absent: true}
	}
	if t.old != nil {
		if f, ok := t.old.Files[name]; ok && !f.Absent {
			if t.trusted && f.Stamp == stamp && stamp.settled(t.old.Began) {
				return f
			}
			src, err := os.ReadFile(abs)
			if err != nil {
				return File{Absent: true}
			}
			if SumOf(src) == f.Sum {
				f.Stamp = stamp
				return f
			}
			return File{Stamp: stamp, Sum: SumOf(src), Traits: t.describe(name, src)}
		}
	}
	src, err := os.ReadFile(abs)
	if err != nil {
		return File{Absent: true}
	}
	return File{Stamp: stamp, Sum: SumOf(src), Traits: t.describe(name, src)}
}

// Dir notes the names in a folder, with which of them are folders, and returns
// them.
func (t *Table) Dir(abs string) []fs.DirEntry {
	entries, err := os.ReadDir(abs)
	h := sha256.New()
	if err != nil {
		h.Write([]byte("absent"))
	}
	for _, e := range entries {
		if e.Name()[0] == '.' {
			continue // the go command does not look at it, and caches lie there
		}
		h.Write([]byte(e.Name()))
		h.Write([]byte{0, byte(e.Type() >> 24)})
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dirs[t.name(abs)] = Sum(h.Sum(nil))
	return entries
}

// HasDir reports whether a folder was noted.
func (t *Table) HasDir(abs string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.dirs[t.name(abs)]
	return ok
}

// Stat notes that a file or folder is as it is, without reading it.
func (t *Table) Stat(abs string) {
	s, _ := stampOf(abs)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stamps[t.name(abs)] = s
}

// Again looks at everything that the earlier run had looked at, beside what
// this one has already.
func (t *Table) Again() {
	if t.old == nil {
		return
	}
	for name := range t.old.Dirs {
		if _, ok := t.dirs[name]; !ok {
			t.Dir(t.abs(name))
			t.again.dirs = append(t.again.dirs, name)
		}
	}
	for name := range t.old.Files {
		if _, ok := t.files[name]; !ok {
			t.File(t.abs(name))
			t.again.files = append(t.again.files, name)
		}
	}
	for name := range t.old.Stamps {
		if _, ok := t.stamps[name]; !ok {
			t.Stat(t.abs(name))
			t.again.stamps = append(t.again.stamps, name)
		}
	}
}

// Forget takes back what only Again has looked at: what the earlier run
// depended on need not matter to this one.
func (t *Table) Forget() {
	for _, name := range t.again.dirs {
		delete(t.dirs, name)
	}
	for _, name := range t.again.files {
		delete(t.files, name)
	}
	for _, name := range t.again.stamps {
		delete(t.stamps, name)
	}
}

func (t *Table) abs(name string) string {
	if native := filepath.FromSlash(name); filepath.IsAbs(native) {
		return native
	}
	return filepath.Join(t.root, filepath.FromSlash(name))
}

// Change says how much differs from the earlier run.
type Change int

const (
	// Nothing has changed.
	Nothing Change = iota
	// Texts have changed, and none in what the go command lists packages by.
	Texts
	// Packages may have changed, or there is no earlier run.
	Packages
)

// Compare says what has changed since the earlier run.
func (t *Table) Compare() Change {
	if t.old == nil || !maps.Equal(t.dirs, t.old.Dirs) || !maps.Equal(t.stamps, t.old.Stamps) || len(t.files) != len(t.old.Files) {
		return Packages
	}
	change := Nothing
	for name, f := range t.files {
		was, ok := t.old.Files[name]
		switch {
		case !ok || was.Absent != f.Absent || was.Traits.Listing != f.Traits.Listing:
			return Packages
		case was.Sum != f.Sum:
			change = Texts
		}
	}
	return change
}

// Names are those of the table's files inside of the root, sorted.
func (t *Table) Names() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Sorted(maps.Keys(t.files))
}

// Doubtful reports whether the earlier run was too close to a change for times
// to tell of the next: a table of now is worth keeping in its place.
func (t *Table) Doubtful() bool {
	if t.old == nil || !t.trusted {
		return false
	}
	for _, f := range t.files {
		if !f.Absent && !f.Stamp.settled(t.old.Began) && f.Stamp.settled(t.began) {
			return true
		}
	}
	return false
}

// Get is the file of a name that the table has.
func (t *Table) Get(name string) File {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.files[name]
}

// Sum hashes the contents of everything in the table; times are left out where
// there is a content to go by.
func (t *Table) Sum() Sum {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(t.files)) {
		f := t.files[name]
		fmt.Fprintf(h, "%q %v %x\n", name, f.Absent, f.Sum)
	}
	for _, name := range slices.Sorted(maps.Keys(t.dirs)) {
		fmt.Fprintf(h, "dir %q %x\n", name, t.dirs[name])
	}
	for _, name := range slices.Sorted(maps.Keys(t.stamps)) {
		fmt.Fprintf(h, "stamp %q %v\n", name, t.stamps[name])
	}
	return Sum(h.Sum(nil))
}

// Save returns the table as it is to be kept.
func (t *Table) Save() *Saved {
	t.mu.Lock()
	defer t.mu.Unlock()
	return &Saved{Files: maps.Clone(t.files), Dirs: maps.Clone(t.dirs), Stamps: maps.Clone(t.stamps), Began: t.began}
}
