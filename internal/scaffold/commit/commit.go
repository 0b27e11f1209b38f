// Package commit carries out a plan so that all of it happens or nothing does.
//
// Everything is first written to a folder of its own, Folder, beside what it is
// going to change, on the same filesystem and so one rename away. A journal then
// lists the renames to come. An error, or a context that ends, undoes those that
// were done. A process that is killed leaves the journal behind, and Recover,
// which every command calls before it plans, undoes them then; where only the
// tidying up was left it does that.
//
// So that this holds over a loss of power as well, what a person had before is
// never at stake: the bytes that replace a file, the backup of the old ones and
// the journal are on the disk before the first rename. A new file is worth less,
// as the same answers make it again: its bytes are written out before the
// journal is synced, but it is not synced itself where the system can do the one
// without the other (writeOut).
//
// One process at a time commits below a folder: a second one waits.
package commit

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/scaffold"
)

// Apply carries out plan. When it returns an error the tree is as it was before,
// to the byte, unless the error says what could not be put back; that stays on
// record for Recover. A file that changed since the plan was made is an error.
func Apply(ctx context.Context, plan *scaffold.Plan) error {
	return apply(ctx, plan, nil)
}

// apply is Apply with a hook that is called before every operation that changes
// the disk, and whose error stands for the failure of that operation.
func apply(ctx context.Context, plan *scaffold.Plan, hook hook) (err error) {
	if plan.Empty() {
		return nil
	}
	s, err := open(plan.Base, true, hook)
	if err != nil {
		return err
	}
	defer func() {
		// Where the work stands, a folder that cannot be tidied away is no
		// failure of it: the next command finds and removes it.
		if cerr := s.close(); err != nil {
			err = errors.Join(err, cerr)
		}
	}()
	if s.found != clean {
		return fault.New(s.shown(), "holds what another fractl left when it was interrupted just now",
			"run the command again; it puts that in order first")
	}
	steps, err := s.layOut(plan)
	if err != nil {
		return err
	}
	if err := s.stage(ctx, plan, steps); err != nil {
		return err
	}
	if err := s.writeJournal(steps); err != nil {
		return err
	}
	if err := s.run(ctx, steps); err != nil {
		if undone := s.rollBack(steps).err(); undone != nil {
			// The cause alone would say that nothing was changed.
			return errors.Join(fault.New("", err.Error(), ""), undone)
		}
		return err
	}
	return nil
}

// run does every step and then declares the whole done.
func (s *session) run(ctx context.Context, steps []step) error {
	for _, st := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.do(st); err != nil {
			return stepFault(st, err)
		}
	}
	var parents []string
	for _, st := range steps {
		if dir := path.Dir(st.Path); exists(s.disk.root, dir) {
			parents = append(parents, dir)
		}
	}
	if err := s.syncAll(parents); err != nil {
		return err
	}
	// From here on the work stands. That this rename may not reach the disk
	// before a loss of power is harmless: the whole would be undone.
	return s.disk.rename(inFolder("journal"), inFolder("done"))
}

// do carries out one step.
func (s *session) do(st step) error {
	switch st.Kind {
	case stepTree:
		return s.disk.rename(st.Staged, st.Path)
	case stepFile:
		// A link never replaces a file that came up in the meantime.
		err := s.disk.link(st.Staged, st.Path)
		if err == nil || errors.Is(err, fs.ErrExist) {
			return err
		}
		if _, lerr := s.disk.root.Lstat(st.Path); lerr == nil {
			return fs.ErrExist
		}
		return s.disk.rename(st.Staged, st.Path) // a filesystem without links
	case stepReplace:
		if data, err := s.disk.root.ReadFile(st.Path); err != nil || scaffold.Hash(data) != st.Old {
			return errors.Join(errChanged, err)
		}
		return s.disk.rename(st.Staged, st.Path)
	case stepRemove:
		return s.disk.rename(st.Path, st.Backup)
	case stepFolder:
		err := s.disk.remove(st.Path)
		if err != nil && s.holdsAny(st.Path) {
			return nil // somebody has put something there; it stays
		}
		return err
	}
	return errors.New("unknown step " + string(st.Kind))
}

// holdsAny reports whether a folder is not empty.
func (s *session) holdsAny(dir string) bool {
	entries, err := fs.ReadDir(s.disk.root.FS(), dir)
	return err == nil && len(entries) > 0
}

// keep makes the backup of a file that is about to be replaced: the very file
// under a second name or, where the filesystem has no links, a copy.
func (s *session) keep(st step) error {
	if err := s.disk.link(st.Path, st.Backup); err == nil {
		return nil
	}
	old, err := s.disk.root.ReadFile(st.Path)
	if err != nil {
		return err
	}
	// Under a name that recovery does not look for until the copy is whole.
	if err := s.disk.write(st.Backup+".part", old, fs.FileMode(st.Mode)); err != nil {
		return err
	}
	if err := s.disk.chmod(st.Backup+".part", fs.FileMode(st.Mode)); err != nil {
		return err
	}
	return s.disk.rename(st.Backup+".part", st.Backup)
}

// stage writes all new content into the folder of the commit.
func (s *session) stage(ctx context.Context, plan *scaffold.Plan, steps []step) error {
	var dirs []string
	for _, st := range steps {
		if st.Kind != stepTree {
			continue
		}
		for _, f := range st.Files {
			for dir := path.Dir(path.Join(st.Staged, f.Path)); len(dir) >= len(st.Staged); dir = path.Dir(dir) {
				dirs = append(dirs, dir)
			}
		}
	}
	slices.Sort(dirs) // a folder before those in it
	dirs = slices.Compact(dirs)
	dirs = append([]string{inFolder("new"), inFolder("old")}, dirs...)
	for _, dir := range dirs {
		if err := s.disk.mkdir(dir); err != nil {
			return stageFault(dir, err)
		}
	}
	for _, st := range steps {
		if st.Kind == stepReplace {
			if err := s.keep(st); err != nil {
				return stageFault(st.Path, err)
			}
		}
	}
	folders, err := s.disk.openAll(dirs)
	defer folders.close()
	if err != nil {
		return err
	}
	for batch := range slices.Chunk(s.staging(plan, steps), 200) { // open at once
		if err := s.writeBatch(ctx, folders, batch); err != nil {
			return err
		}
	}
	if !syncNew {
		dirs = []string{inFolder("new"), inFolder("old")}
	}
	return s.syncAll(dirs)
}

// staged is one file on its way into the folder of the commit.
type staged struct {
	name   string // where it is written
	target string // where it goes
	mode   fs.FileMode
	data   []byte
	// replaces is true where it goes in the place of a file of the user. Then it
	// gets the mode as it is, whatever the umask, and has to be on the disk.
	replaces bool
}

// staging lists the files to write.
func (s *session) staging(plan *scaffold.Plan, steps []step) []staged {
	changes := map[string]scaffold.Change{}
	for _, c := range plan.Changes {
		changes[plan.InBase(c)] = c
	}
	var list []staged
	for _, st := range steps {
		switch st.Kind {
		case stepTree:
			for _, f := range st.Files {
				c := changes[path.Join(st.Path, f.Path)]
				list = append(list, staged{path.Join(st.Staged, f.Path), c.Path, c.Mode, c.New, false})
			}
		case stepFile:
			c := changes[st.Path]
			list = append(list, staged{st.Staged, c.Path, c.Mode, c.New, false})
		case stepReplace:
			c := changes[st.Path]
			list = append(list, staged{st.Staged, c.Path, fs.FileMode(st.Mode), c.New, true})
		}
	}
	return list
}

// writeBatch makes files one after the other, which a filesystem does no faster
// at once, and lets each wait for the disk while the next is made: the disk then
// takes many in one go.
func (s *session) writeBatch(ctx context.Context, dirs folders, batch []staged) error {
	var g errgroup.Group
	var failed error
	for _, w := range batch {
		if failed = ctx.Err(); failed != nil {
			break
		}
		f, err := dirs.fill(w.name, w.data, w.mode)
		if err == nil {
			if w.replaces {
				failed = s.disk.chmod(w.name, w.mode)
			}
			g.Go(func() error {
				if err := s.disk.settle(f, w.name, w.replaces); err != nil {
					return stageFault(w.target, err)
				}
				return nil
			})
		} else {
			failed = err
		}
		if failed != nil {
			failed = stageFault(w.target, failed)
			break
		}
	}
	return errors.Join(failed, g.Wait())
}

// syncAll writes the entries of folders to the disk, all at once.
func (s *session) syncAll(dirs []string) error {
	slices.Sort(dirs)
	var g errgroup.Group
	g.SetLimit(32)
	for _, dir := range slices.Compact(dirs) {
		g.Go(func() error { return s.disk.syncDir(dir) })
	}
	return g.Wait()
}

// stepFault names the file of a step that failed.
func stepFault(st step, err error) error {
	f := fault.New(st.Path, "cannot be written: "+reason(err), "nothing was changed; mend that and run the command again")
	switch {
	case errors.Is(err, fs.ErrExist):
		f.Fact = "came into being while fractl was at work"
	case errors.Is(err, errChanged):
		f.Fact = errChanged.Error()
	}
	f.Err = err
	return f
}

// errChanged is a file that is no longer what the plan was made for.
var errChanged = errors.New("changed while fractl was at work")

// stageFault names the file whose content could not be written.
func stageFault(target string, err error) error {
	f := fault.New(target, "cannot be written: "+reason(err), "nothing was changed; mend that and run the command again")
	f.Err = err
	return f
}

// reason is the innermost cause of an I/O error, without the paths.
func reason(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	var le *os.LinkError
	if errors.As(err, &le) {
		return le.Err.Error()
	}
	return err.Error()
}

// inFolder is a path in the folder of the commit, relative to the base.
func inFolder(elem ...string) string {
	return path.Join(append([]string{Folder}, elem...)...)
}

// shown is the folder of the commit as a person may look for it.
func (s *session) shown() string {
	return filepath.ToSlash(filepath.Join(s.base, Folder))
}
