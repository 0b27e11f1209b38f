package scaffold

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/fractl/fractl/internal/fault"
)

// Builder collects changes over a real tree and finds everything that stands in
// their way before the first byte is written. It is for one goroutine.
type Builder struct {
	base    string
	root    string
	dir     *os.Root
	changes []Change
	blocked []conflict
	seen    map[string]string
}

// conflict is one thing in the way.
type conflict struct{ name, fact string }

// NewBuilder returns a builder for changes below base, an existing folder, with
// paths relative to root; both are absolute (see Plan). Close releases it.
func NewBuilder(base, root string) (*Builder, error) {
	dir, err := os.OpenRoot(base)
	if err != nil {
		return nil, fault.New(filepath.ToSlash(base), "cannot be opened: "+reason(err), "give a folder that exists and that you may write to")
	}
	return &Builder{base: base, root: root, dir: dir, seen: map[string]string{}}, nil
}

// Close releases the folder. The plan stays valid.
func (b *Builder) Close() error { return b.dir.Close() }

// Create plans a file that is not there yet. One that is there with just these
// bytes is skipped; any other is a conflict.
func (b *Builder) Create(name string, content []byte, owner Owner, mode fs.FileMode) {
	full, ok := b.admit(name)
	if !ok {
		return
	}
	c := Change{Op: Create, Path: name, Owner: owner, SHA256: Hash(content), Mode: mode, New: content}
	switch old, state := b.look(full); state {
	case present:
		if !bytes.Equal(old, content) {
			b.block(name, "is there already")
			return
		}
		c.Op, c.Old, c.Reason = Skip, old, "is there already, with these bytes"
	case obstructed:
		return
	}
	b.changes = append(b.changes, c)
}

// Offer plans a file that is only made where there is none of that name; one
// that is there is skipped, whatever it holds.
func (b *Builder) Offer(name string, content []byte, owner Owner, mode fs.FileMode) {
	full, ok := b.admit(name)
	if !ok {
		return
	}
	c := Change{Op: Create, Path: name, Owner: owner, SHA256: Hash(content), Mode: mode, New: content}
	switch old, state := b.look(full); state {
	case present:
		c.Op, c.Old, c.New, c.SHA256 = Skip, old, old, Hash(old)
		c.Reason = "is there already and stays as it is"
	case obstructed:
		return
	}
	b.changes = append(b.changes, c)
}

// Update plans new bytes for a file that is there; equal bytes are skipped.
// what says in a few words what changes.
func (b *Builder) Update(name string, content []byte, owner Owner, what string) {
	full, ok := b.admit(name)
	if !ok {
		return
	}
	old, state := b.look(full)
	switch state {
	case absent:
		b.block(name, "is not there")
		return
	case obstructed:
		return
	}
	c := Change{Op: Update, Path: name, Owner: owner, SHA256: Hash(content), Reason: what, Old: old, New: content}
	if bytes.Equal(old, content) {
		c.Op, c.Reason = Skip, "needs no change"
	}
	b.changes = append(b.changes, c)
}

// Keep plans that a file that is there stays as it is, for a reason that is worth
// a line of the plan.
func (b *Builder) Keep(name string, owner Owner, why string) {
	full, ok := b.admit(name)
	if !ok {
		return
	}
	if old, state := b.look(full); state == present {
		b.changes = append(b.changes, Change{Op: Skip, Path: name, Owner: owner, SHA256: Hash(old), Reason: why, Old: old, New: old})
	} else if state == absent {
		b.block(name, "is not there")
	}
}

// Delete plans the removal of a file that is there.
func (b *Builder) Delete(name string, owner Owner, why string) {
	full, ok := b.admit(name)
	if !ok {
		return
	}
	old, state := b.look(full)
	switch state {
	case absent:
		b.block(name, "is not there")
		return
	case obstructed:
		return
	}
	b.changes = append(b.changes, Change{Op: Delete, Path: name, Owner: owner, Reason: why, Old: old})
}

// Plan returns the plan, or every conflict, joined into one error.
func (b *Builder) Plan() (*Plan, error) {
	b.findOverlaps()
	if len(b.blocked) > 0 {
		slices.SortFunc(b.blocked, func(x, y conflict) int { return cmp.Compare(x.name, y.name) })
		var all []error
		for _, c := range slices.Compact(b.blocked) {
			all = append(all, fault.New(c.name, c.fact, ""))
		}
		last := all[len(all)-1].(*fault.Error)
		last.Hint = "nothing was written; move what stands in the way, or choose another name or folder"
		return nil, errors.Join(all...)
	}
	sortChanges(b.changes)
	return &Plan{Base: b.base, Root: b.root, Changes: b.changes}, nil
}

// admit checks a path and returns it relative to the base.
func (b *Builder) admit(name string) (string, bool) {
	full := relative(b.base, filepath.Join(b.root, filepath.FromSlash(name)))
	switch {
	case name == "" || path.IsAbs(name) || !filepath.IsLocal(filepath.FromSlash(full)) || full == ".":
		b.block(name, "leads out of "+filepath.ToSlash(b.base))
		return "", false
	case b.seen[full] != "":
		b.block(name, "is planned twice")
		return "", false
	}
	b.seen[full] = name
	return full, true
}

// A state is what stands at a path.
type state int

const (
	absent state = iota
	present
	obstructed // a conflict was recorded
)

// look reads the file at full, a path relative to the base.
func (b *Builder) look(full string) ([]byte, state) {
	name := b.seen[full]
	info, err := b.dir.Lstat(full)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, b.parent(full)
	case err != nil:
		if s := b.parent(full); s == obstructed {
			return nil, s
		}
		b.block(name, "cannot be looked at: "+reason(err))
		return nil, obstructed
	case info.IsDir():
		b.block(name, "is a folder, and a file belongs there")
		return nil, obstructed
	case info.Mode()&fs.ModeSymlink != 0:
		b.block(name, "is a symbolic link, which fractl neither follows nor replaces")
		return nil, obstructed
	case !info.Mode().IsRegular():
		b.block(name, "is not a regular file")
		return nil, obstructed
	}
	data, err := b.dir.ReadFile(full)
	if err != nil {
		b.block(name, "cannot be read: "+reason(err))
		return nil, obstructed
	}
	return data, present
}

// parent checks that every folder above full either is one or can be made.
func (b *Builder) parent(full string) state {
	for dir := path.Dir(full); dir != "."; dir = path.Dir(dir) {
		info, err := b.dir.Stat(dir)
		switch {
		case err == nil && info.IsDir():
			return absent
		case err == nil:
			b.block(b.shown(dir), "is a file, and a folder belongs there")
			return obstructed
		case errors.Is(err, fs.ErrNotExist):
			if link, lerr := b.dir.Lstat(dir); lerr == nil && link.Mode()&fs.ModeSymlink != 0 {
				b.block(b.shown(dir), "is a symbolic link to nothing")
				return obstructed
			}
		default:
			// A file higher up says ENOTDIR here; go on up to name it. A link
			// that leads out is named where it stands.
			if link, lerr := b.dir.Lstat(dir); lerr == nil && link.Mode()&fs.ModeSymlink != 0 {
				b.block(b.shown(dir), "is a symbolic link that leads out of "+filepath.ToSlash(b.base))
				return obstructed
			} else if lerr == nil {
				b.block(b.shown(dir), "cannot be looked at: "+reason(err))
				return obstructed
			}
		}
	}
	return absent
}

// findOverlaps finds a planned file that is also the folder of another.
func (b *Builder) findOverlaps() {
	for full, name := range b.seen {
		for dir := path.Dir(full); dir != "."; dir = path.Dir(dir) {
			if other, ok := b.seen[dir]; ok {
				b.block(other, "is planned as a file and as the folder of "+name)
			}
		}
	}
}

// shown turns a path relative to the base into one relative to the root; the
// root itself is shown in full.
func (b *Builder) shown(full string) string {
	abs := filepath.Join(b.base, filepath.FromSlash(full))
	if rel := relative(b.root, abs); rel != "." {
		return rel
	}
	return filepath.ToSlash(abs)
}

func (b *Builder) block(name, fact string) {
	b.blocked = append(b.blocked, conflict{name, fact})
}

// reason is the innermost cause of an I/O error, without the path.
func reason(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}
