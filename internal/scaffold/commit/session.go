package commit

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/fractl/fractl/internal/fault"
)

// Folder is the name of the folder in which a commit prepares its work. It
// stands in the plan's base while a commit runs, and is gone afterwards.
const Folder = ".fractl-commit"

// session is the sole right to commit below a base.
type session struct {
	base string
	disk disk
	lock *lockedfile.File
	// found is what an earlier process had left.
	found leftover
	// unsettled is true while the journal must survive this process.
	unsettled bool
}

// leftover is what stands in the folder of a commit.
type leftover int

const (
	clean    leftover = iota // nothing of note
	prepared                 // content that never came to anything
	halfDone                 // a journal: steps may have been done
	finished                 // all steps done, the tidying up missing
)

// open takes the right to commit below base and waits for whoever holds it. It
// returns nil where create is false and there is no folder of a commit.
func open(base string, create bool, h hook) (*session, error) {
	root, err := os.OpenRoot(base)
	if err != nil {
		return nil, openFault(base, err)
	}
	s := &session{base: base, disk: disk{root, h}}
	for {
		if create {
			if err := s.disk.mkdir(Folder); err != nil && !errors.Is(err, fs.ErrExist) {
				return nil, errors.Join(openFault(base, err), root.Close())
			}
		}
		info, err := root.Lstat(Folder)
		switch {
		case errors.Is(err, fs.ErrNotExist) && create:
			continue // its owner has just finished
		case errors.Is(err, fs.ErrNotExist):
			return nil, root.Close()
		case err != nil:
			return nil, errors.Join(openFault(base, err), root.Close())
		case !info.IsDir():
			return nil, errors.Join(fault.New(s.shown(), "is not a folder, and fractl needs that name",
				"move it away"), root.Close())
		case !mine(info):
			return nil, errors.Join(fault.New(s.shown(), "belongs to another user, whose fractl is at work or was interrupted",
				"let that user run fractl here once, or remove the folder"), root.Close())
		}
		if err := s.disk.before("create", inFolder("lock")); err != nil {
			return nil, errors.Join(openFault(base, err), s.abandon(), root.Close())
		}
		name := filepath.Join(base, Folder, "lock")
		s.lock, err = lockedfile.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, errors.Join(openFault(base, err), s.abandon(), root.Close())
		}
		if s.owns(name) {
			s.look()
			return s, nil
		}
		// The folder went away with its owner while this process waited.
		if err := s.lock.Close(); err != nil {
			return nil, errors.Join(err, root.Close())
		}
	}
}

// abandon removes the folder if it is empty, which it is when this process has
// just made it.
func (s *session) abandon() error {
	if err := s.disk.root.Remove(Folder); err != nil && !errors.Is(err, fs.ErrNotExist) && !isNotEmpty(s.disk.root) {
		return err
	}
	return nil
}

func isNotEmpty(root *os.Root) bool {
	entries, err := fs.ReadDir(root.FS(), Folder)
	return err == nil && len(entries) > 0
}

// owns reports whether the locked file is the one that stands at name now.
func (s *session) owns(name string) bool {
	mine, err := s.lock.Stat()
	if err != nil {
		return false
	}
	now, err := os.Stat(name)
	return err == nil && os.SameFile(mine, now)
}

// look finds out what an earlier process left.
func (s *session) look() {
	has := func(name string) bool {
		_, err := s.disk.root.Lstat(inFolder(name))
		return err == nil
	}
	journal, err := s.disk.root.ReadFile(inFolder("journal"))
	switch {
	case err == nil && bytes.HasSuffix(journal, []byte(journalEnd)), err != nil && has("journal"):
		s.found, s.unsettled = halfDone, true
	case has("done"):
		s.found = finished
	case has("new"), has("old"), has("journal"):
		s.found = prepared
	}
}

// close removes the folder, unless a journal in it still has to be dealt with,
// and lets the next process in.
func (s *session) close() error {
	var errs []error
	if !s.unsettled {
		errs = append(errs, s.tidy())
	}
	errs = append(errs, s.lock.Close(), s.disk.root.Close())
	if err := errors.Join(errs...); err != nil {
		f := fault.New(s.shown(), "cannot be removed: "+reason(err), "remove it by hand; the work itself is not touched by this")
		f.Err = err
		return f
	}
	return nil
}

// tidy removes the folder. The word that the work is done goes last, so that
// whoever finds the rest knows.
func (s *session) tidy() error {
	for _, name := range []string{"journal", "old", "new", "done"} {
		if err := s.disk.removeAll(inFolder(name)); err != nil {
			return err
		}
	}
	if err := s.disk.remove(inFolder("lock")); err != nil {
		return err
	}
	return s.disk.remove(Folder)
}

func openFault(base string, err error) error {
	f := fault.New(filepath.ToSlash(base), "cannot be written to: "+reason(err), "give a folder that exists and that you may write to")
	f.Err = err
	return f
}
