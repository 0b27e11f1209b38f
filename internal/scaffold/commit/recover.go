package commit

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/scaffold"
)

// Recovered says what was put in order after a process that did not end well.
type Recovered struct {
	// Dir is the absolute path of the folder below which it had worked.
	Dir string
	// Forward is true where its work was complete and stands, false where it
	// was undone or had not begun.
	Forward bool
	// Begun is true where some of its changes may have been visible.
	Begun bool
	// Kept are files, relative to Dir, that were changed or added after the
	// interrupted process had made theirs, and that were therefore left alone.
	Kept []string
}

// Recover looks in dir and in every folder above it for what an interrupted
// commit of this user left, and puts it in order. dir need not exist. It waits
// for a commit that is still running. A plan may be made once it has returned.
func Recover(dir string) ([]Recovered, error) {
	return recoverFrom(dir, nil)
}

func recoverFrom(dir string, h hook) ([]Recovered, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	var all []Recovered
	for {
		if info, err := os.Lstat(filepath.Join(dir, Folder)); err == nil && info.IsDir() && mine(info) {
			r, err := recoverIn(dir, h)
			if err != nil {
				return all, err
			}
			if r != nil {
				all = append(all, *r)
			}
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return all, nil
		}
		dir = parent
	}
}

// recoverIn puts one folder in order; nil means that there was nothing to do.
func recoverIn(dir string, h hook) (r *Recovered, err error) {
	s, err := open(dir, false, h)
	if err != nil || s == nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	switch s.found {
	case prepared:
		return &Recovered{Dir: dir}, nil
	case finished:
		return &Recovered{Dir: dir, Begun: true, Forward: true}, nil
	case halfDone:
		data, err := s.disk.root.ReadFile(inFolder("journal"))
		if err != nil {
			return nil, fault.New(s.shown(), "the journal of an interrupted fractl cannot be read: "+reason(err), "")
		}
		steps, err := readJournal(data)
		if err != nil {
			return nil, fault.New(s.shown(), "the journal of an interrupted fractl is damaged: "+err.Error(),
				"compare old/ in that folder with your files, then remove the folder")
		}
		u := s.rollBack(steps)
		if err := u.err(); err != nil {
			return nil, err
		}
		return &Recovered{Dir: dir, Begun: true, Kept: u.kept}, nil
	}
	return nil, nil
}

// undoing gathers what a rollback left alone and what it could not do.
type undoing struct {
	s      *session
	kept   []string
	failed []string
	errs   []error
}

// err is nil where everything is as it was, but for files that others changed.
func (u *undoing) err() error {
	if len(u.failed) == 0 {
		return nil
	}
	f := fault.New(strings.Join(u.failed, ", "), "could not be put back: "+reason(u.errs[0]),
		"mend that and run fractl again: it goes on from its journal in "+u.s.shown())
	f.Err = errors.Join(u.errs...)
	return f
}

// rollBack undoes the steps that were done, last first. It looks at the disk to
// see which those are, so that it can be interrupted and repeated.
func (s *session) rollBack(steps []step) *undoing {
	u := &undoing{s: s}
	s.unsettled = true
	for _, st := range slices.Backward(steps) {
		if err := u.undo(st); err != nil {
			u.failed = append(u.failed, st.Path)
			u.errs = append(u.errs, err)
		}
	}
	if len(u.failed) > 0 {
		return u
	}
	var parents []string
	for _, st := range steps {
		if _, err := s.disk.root.Stat(path.Dir(st.Path)); err == nil {
			parents = append(parents, path.Dir(st.Path))
		}
	}
	err := s.syncAll(parents)
	if err == nil {
		err = s.disk.remove(inFolder("journal"))
	}
	if err != nil {
		u.failed, u.errs = append(u.failed, s.shown()), append(u.errs, err)
		return u
	}
	s.unsettled = false
	slices.Sort(u.kept)
	return u
}

func (u *undoing) undo(st step) error {
	root := u.s.disk.root
	target, terr := root.Lstat(st.Path)
	switch st.Kind {
	case stepTree:
		if exists(root, st.Staged) || terr != nil {
			return nil // not done
		}
		if foreign := u.foreign(st); len(foreign) > 0 {
			u.kept = append(u.kept, foreign...)
			return u.pick(st)
		}
		return u.s.disk.rename(st.Path, st.Staged)
	case stepFile:
		if terr != nil {
			return nil
		}
		if staged, err := root.Lstat(st.Staged); err == nil && !os.SameFile(staged, target) {
			return nil // another file: ours was never put there
		}
		if !u.made(st.Path, st.New) {
			u.kept = append(u.kept, st.Path)
			return nil
		}
		return u.s.disk.remove(st.Path)
	case stepReplace:
		if !exists(root, st.Backup) || exists(root, st.Staged) {
			return nil
		}
		if terr == nil && !u.holds(st.Path, st.New) {
			if !u.holds(st.Path, st.Old) {
				u.kept = append(u.kept, st.Path)
			}
			return nil
		}
		return u.s.disk.rename(st.Backup, st.Path)
	case stepRemove:
		if !exists(root, st.Backup) {
			return nil
		}
		if terr == nil {
			u.kept = append(u.kept, st.Path)
			return nil
		}
		return u.s.disk.rename(st.Backup, st.Path)
	case stepFolder:
		if errors.Is(terr, fs.ErrNotExist) {
			if err := u.s.disk.mkdir(st.Path); err != nil {
				return err
			}
		} else if terr != nil || !target.IsDir() {
			return nil
		}
		// Whoever was interrupted here has made it with other bits.
		return u.s.disk.chmod(st.Path, fs.FileMode(st.Mode))
	}
	return nil
}

// foreign lists what is in a tree beyond what the step made.
func (u *undoing) foreign(st step) []string {
	ours := map[string]string{}
	dirs := map[string]bool{}
	for _, f := range st.Files {
		full := path.Join(st.Path, f.Path)
		ours[full] = f.New
		for dir := path.Dir(full); len(dir) >= len(st.Path); dir = path.Dir(dir) {
			dirs[dir] = true
		}
	}
	var list []string
	_ = fs.WalkDir(u.s.disk.root.FS(), st.Path, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err == nil && d.IsDir() && dirs[name]:
		case err == nil && d.Type().IsRegular() && ours[name] != "" && u.made(name, ours[name]):
		default:
			// What cannot be read is not ours to remove either.
			list = append(list, name)
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
		}
		return nil
	})
	return list
}

// pick removes from a tree what the step made and nobody has touched since, and
// the folders that this leaves empty.
func (u *undoing) pick(st step) error {
	root := u.s.disk.root
	dirs := []string{st.Path}
	for _, f := range st.Files {
		full := path.Join(st.Path, f.Path)
		for dir := path.Dir(full); len(dir) > len(st.Path); dir = path.Dir(dir) {
			dirs = append(dirs, dir)
		}
		if exists(root, full) && u.made(full, f.New) {
			if err := u.s.disk.remove(full); err != nil {
				return err
			}
		}
	}
	slices.Sort(dirs)
	for _, dir := range slices.Backward(slices.Compact(dirs)) {
		if entries, err := fs.ReadDir(root.FS(), dir); err == nil && len(entries) == 0 {
			if err := u.s.disk.remove(dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// made reports whether a new file is still as it was made: with the content of
// that hash or, after a loss of power, with none.
func (u *undoing) made(name, hash string) bool {
	info, err := u.s.disk.root.Lstat(name)
	return err == nil && info.Mode().IsRegular() && (info.Size() == 0 || u.holds(name, hash))
}

// holds reports whether the file has the content of that hash.
func (u *undoing) holds(name, hash string) bool {
	data, err := u.s.disk.root.ReadFile(name)
	return err == nil && bytes.Equal([]byte(scaffold.Hash(data)), []byte(hash))
}

func exists(root *os.Root, name string) bool {
	_, err := root.Lstat(name)
	return err == nil
}
