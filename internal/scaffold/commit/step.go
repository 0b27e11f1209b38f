package commit

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/scaffold"
)

// step is one entry of the journal: one visible change. All paths are relative
// to the base, with "/".
type step struct {
	Kind stepKind `json:"kind"`
	// Path is what changes.
	Path string `json:"path"`
	// Staged is where the new content waits.
	Staged string `json:"staged,omitempty"`
	// Backup is where the old content is kept until the end.
	Backup string `json:"backup,omitempty"`
	// Old and New are the hashes of the content before and after.
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
	// Mode are the permission bits of a file that is replaced, or of a folder.
	Mode uint32 `json:"mode,omitempty"`
	// Files are those of a new tree, relative to Path.
	Files []stepFileHash `json:"files,omitempty"`
}

type stepFileHash struct {
	Path string `json:"path"`
	New  string `json:"new"`
}

type stepKind string

const (
	stepTree    stepKind = "tree"    // a new folder with all that is in it
	stepFile    stepKind = "file"    // a new file in a folder that was there
	stepReplace stepKind = "replace" // new bytes for a file
	stepRemove  stepKind = "remove"
	stepFolder  stepKind = "folder" // a folder goes, which the steps before have emptied
)

// layOut turns a plan into steps and holds it against the tree once more. Files
// whose folder is new move together with the topmost new folder, in one rename.
func (s *session) layOut(plan *scaffold.Plan) ([]step, error) {
	var steps []step
	trees := map[string]int{} // the topmost new folder → its step
	for _, c := range plan.Changes {
		if c.Op == scaffold.Skip {
			continue
		}
		target := plan.InBase(c)
		st := step{Path: target, New: c.SHA256}
		if c.Op != scaffold.Create {
			st.Old = scaffold.Hash(c.Old)
		}
		mode, err := s.confirm(c, target)
		if err != nil {
			return nil, err
		}
		st.Mode = uint32(mode)
		switch c.Op {
		case scaffold.Create:
			top, err := s.topmostNew(target)
			if err != nil {
				return nil, err
			}
			if top == target {
				st.Kind = stepFile
				break
			}
			i, ok := trees[top]
			if !ok {
				i = len(steps)
				trees[top] = i
				steps = append(steps, step{Kind: stepTree, Path: top})
			}
			steps[i].Files = append(steps[i].Files, stepFileHash{strings.TrimPrefix(target, top+"/"), c.SHA256})
			continue
		case scaffold.Update:
			st.Kind = stepReplace
		case scaffold.Delete:
			st.Kind = stepRemove
		}
		steps = append(steps, st)
	}
	folders, err := s.emptied(steps)
	if err != nil {
		return nil, err
	}
	steps = append(steps, folders...)
	for i := range steps {
		n := strconv.Itoa(i)
		if steps[i].Kind != stepRemove && steps[i].Kind != stepFolder {
			steps[i].Staged = inFolder("new", n)
		}
		if steps[i].Kind == stepReplace || steps[i].Kind == stepRemove {
			steps[i].Backup = inFolder("old", n)
		}
	}
	return steps, nil
}

// emptied returns the steps for the folders in which nothing is left, the deeper
// ones first.
func (s *session) emptied(steps []step) ([]step, error) {
	gone, filled := map[string]bool{}, map[string]bool{}
	var dirs []string
	for _, st := range steps {
		for dir := path.Dir(st.Path); dir != "."; dir = path.Dir(dir) {
			if st.Kind == stepRemove {
				dirs = append(dirs, dir)
			} else {
				filled[dir] = true
			}
		}
		if st.Kind == stepRemove {
			gone[st.Path] = true
		}
	}
	slices.Sort(dirs)
	var folders []step
	for _, dir := range slices.Backward(slices.Compact(dirs)) { // what is in a folder comes after it
		entries, err := fs.ReadDir(s.disk.root.FS(), dir)
		if err != nil {
			return nil, fault.New(dir, "cannot be read: "+reason(err), "")
		}
		left := slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return !gone[path.Join(dir, e.Name())] })
		if left || filled[dir] {
			continue
		}
		info, err := s.disk.root.Lstat(dir)
		if err != nil || !info.IsDir() {
			continue // a link, whose folder is somebody else's
		}
		gone[dir] = true
		folders = append(folders, step{Kind: stepFolder, Path: dir, Mode: uint32(info.Mode().Perm())})
	}
	return folders, nil
}

// confirm checks that the file is still as the plan saw it, and returns the
// permission bits that it has.
func (s *session) confirm(c scaffold.Change, target string) (fs.FileMode, error) {
	changed := fault.New(c.Path, "changed while fractl was at work", "run the command again")
	info, err := s.disk.root.Lstat(target)
	if c.Op == scaffold.Create {
		if err == nil {
			return 0, changed
		}
		return 0, nil
	}
	if err != nil || !info.Mode().IsRegular() {
		changed.Err = err
		return 0, changed
	}
	now, err := s.disk.root.ReadFile(target)
	if err != nil || !bytes.Equal(now, c.Old) {
		changed.Err = err
		return 0, changed
	}
	return info.Mode().Perm(), nil
}

// topmostNew is the highest folder above target that is not there yet, or
// target itself.
func (s *session) topmostNew(target string) (string, error) {
	top := target
	for dir := path.Dir(target); dir != "."; dir = path.Dir(dir) {
		info, err := s.disk.root.Stat(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			top = dir
		case err != nil:
			return "", fault.New(dir, "cannot be looked at: "+reason(err), "")
		case !info.IsDir():
			return "", fault.New(dir, "is a file, and a folder belongs there", "")
		default:
			return top, nil
		}
	}
	return top, nil
}

// journal is the record of what a commit is about to do.
type journal struct {
	Schema int    `json:"schema"`
	Steps  []step `json:"steps"`
}

// journalEnd is the last line of a journal. One without it was never complete,
// and so none of its steps was begun.
const journalEnd = "\nend\n"

// writeJournal writes the journal to the disk. Until it is there in full nothing
// has happened.
func (s *session) writeJournal(steps []step) error {
	data, err := json.Marshal(journal{Schema: 1, Steps: steps})
	if err != nil {
		return err
	}
	name := inFolder("journal")
	f, err := s.disk.fill(s.disk.root, name, name, append(data, journalEnd...), 0o644)
	if err != nil {
		return stageFault(name, err)
	}
	// All three at once: a filesystem does them in one go. Without its entry in
	// the folder, and that of the folder, nobody would find the journal.
	var g errgroup.Group
	g.Go(func() error { return s.disk.settle(f, name, true) })
	g.Go(func() error { return s.syncAll([]string{Folder, "."}) })
	if err := g.Wait(); err != nil {
		return stageFault(name, err)
	}
	return nil
}

// readJournal parses a complete journal; one that leads out of the base is
// refused by the root through which every step goes.
func readJournal(data []byte) ([]step, error) {
	var j journal
	if err := json.Unmarshal(bytes.TrimSuffix(data, []byte(journalEnd)), &j); err != nil {
		return nil, err
	}
	if j.Schema != 1 {
		return nil, errors.New("schema " + strconv.Itoa(j.Schema) + " is not one that this fractl reads")
	}
	for _, st := range j.Steps {
		if !slices.Contains([]stepKind{stepTree, stepFile, stepReplace, stepRemove, stepFolder}, st.Kind) {
			return nil, errors.New("unknown step " + strconv.Quote(string(st.Kind)))
		}
	}
	return j.Steps, nil
}
