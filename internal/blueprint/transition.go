package blueprint

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/scaffold"
	"github.com/fractl/fractl/internal/scaffold/lock"
	"github.com/fractl/fractl/internal/workspace"
)

// transition brings a fraction from one set of pieces to another. It renders
// both and touches only what differs between them, so that everything else may
// have been edited at will.
type transition struct {
	made, wanted skeleton
	force        bool
	builder      *scaffold.Builder
	recorder     *lock.Recorder
	// record is the lock as it will be, by the absolute paths of its files.
	record map[string]lock.File
	// disk are the files that were looked at, by absolute path; nil where there
	// is none. after are those that the plan changes, nil where one goes.
	disk, after map[string][]byte
	// source are the Go files of the fraction, by their paths in it.
	source map[string][]byte
	edited EditedError
	// conflicts are what is in the way beside what the builder finds.
	conflicts []error
	out       *Changed
}

// change plans the way from the pieces that the fraction has to others, which
// are complete and in wiring order.
func (h *home) change(picks []pick, force bool, idle []string) (*Changed, error) {
	last, err := h.made.place.lastMigration()
	if err != nil {
		return nil, err
	}
	answers := answersOf(h.lock.Answers, picks, last)
	d := h.made.data
	wanted := newSkeleton(h.shelf, h.made.place, h.made.tree, d.Name, d.Resource, answers, picks)
	p := wanted.place
	out := &Changed{Name: d.Name.Name, Dir: p.target, Idle: idle,
		Added: missing(picks, h.made.picks), Removed: missing(h.made.picks, picks)}
	b, err := scaffold.NewBuilder(p.base(), p.root)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	t := &transition{made: h.made, wanted: wanted, force: force, builder: b, out: out,
		record: map[string]lock.File{}, disk: map[string][]byte{}, after: map[string][]byte{}}
	for _, f := range h.lock.Files {
		t.record[filepath.Join(p.target, filepath.FromSlash(f.Path))] = f
	}
	if t.recorder, err = lock.NewRecorder(); err != nil {
		return nil, err
	}
	if len(out.Added)+len(out.Removed) > 0 {
		err = t.run()
	}
	if err == nil && len(t.edited.Files) > 0 {
		err = &t.edited
	}
	if err == nil {
		err = t.writeLock(answers)
	}
	if err != nil {
		return nil, err
	}
	out.Plan, err = b.Plan()
	if err = errors.Join(append(t.conflicts, err)...); err != nil {
		return nil, err
	}
	if err := t.checkUses(); err != nil {
		return nil, err
	}
	return out, nil
}

// missing are the pieces that are in a and not in b.
func missing(a, b []pick) []string {
	var list []string
	for _, p := range a {
		if !slices.ContainsFunc(b, func(q pick) bool { return q.String() == p.String() }) {
			list = append(list, p.String())
		}
	}
	return list
}

// run plans what happens to each file that differs.
func (t *transition) run() error {
	made, err := t.made.render()
	if err != nil {
		return err
	}
	wanted, err := t.wanted.render()
	if err != nil {
		return err
	}
	pairs := map[string]*pair{}
	for i, files := range [][]placed{made, wanted} {
		for _, f := range files {
			if pairs[f.target] == nil {
				pairs[f.target] = &pair{target: f.target}
			}
			pairs[f.target].side[i] = &f
		}
	}
	for _, name := range slices.Sorted(maps.Keys(pairs)) {
		p := pairs[name]
		if p.side[0] != nil && p.side[1] != nil && bytes.Equal(p.side[0].Content, p.side[1].Content) {
			continue
		}
		if err := t.file(p); err != nil {
			return err
		}
	}
	if err := t.module(pairs); err != nil {
		return err
	}
	return t.manifest()
}

// pair is one file with the pieces that the fraction has and with those wanted.
type pair struct {
	target string
	side   [2]*placed
}

func (t *transition) file(p *pair) error {
	switch {
	case filepath.Dir(p.target) == t.made.place.target && isModuleFile(p.target):
		return nil // see module
	case p.side[0] == nil:
		return t.create(p.side[1])
	case p.side[1] == nil:
		return t.remove(p.side[0])
	case len(p.side[0].sections)+len(p.side[1].sections) > 0:
		return t.sections(p.side[0], p.side[1])
	}
	return t.replace(p.side[0], p.side[1])
}

// create plans a new file.
func (t *transition) create(f *placed) error {
	t.builder.Create(t.shown(f.target), f.Content, f.owner, f.Mode)
	t.after[f.target] = f.Content
	return t.keep(f.target, f.owner, f.Mode, f.Content)
}

// remove plans the end of a file, unless it holds what a person wrote.
func (t *transition) remove(f *placed) error {
	rec, ok := t.record[f.target]
	if !ok {
		return nil // not one that this fraction got from fractl
	}
	old, err := t.read(f.target)
	if err != nil {
		return err
	}
	delete(t.record, f.target)
	if old == nil {
		return nil // gone already
	}
	if !untouched(old, rec) {
		pristine, err := rec.Text()
		if err != nil {
			return err
		}
		t.refuse(f.target, "", pristine, old)
	}
	t.builder.Delete(t.shown(f.target), rec.Owner, "")
	t.after[f.target] = nil
	if numbered.MatchString(filepath.Base(f.target)) {
		t.out.Migrations = append(t.out.Migrations, t.shown(f.target))
	}
	return nil
}

// refuse notes that an edit is in the way, or that it is thrown away.
func (t *transition) refuse(target, section string, pristine, old []byte) {
	name := t.shown(target)
	what := name
	if section != "" {
		what += ", section " + section
	}
	if t.force {
		t.out.Discarded = append(t.out.Discarded, what)
		return
	}
	t.edited.Files = append(t.edited.Files, Edited{Path: what, Diff: diff.Diff("a/"+name, pristine, "b/"+name, old)})
}

// replace plans other content for a file. One that a person has edited stays.
func (t *transition) replace(made, wanted *placed) error {
	rec, ok := t.record[made.target]
	old, err := t.read(made.target)
	if err != nil {
		return err
	}
	name := t.shown(made.target)
	switch {
	case old == nil && wanted.owner == scaffold.Generated:
		return t.create(wanted)
	case old == nil:
		return nil // its user has no need of it
	case bytes.Equal(old, wanted.Content):
	case ok && untouched(old, rec) && rec.SHA256 == scaffold.Hash(made.Content):
		t.builder.Update(name, wanted.Content, wanted.owner, "")
		t.after[made.target] = wanted.Content
	case wanted.owner == scaffold.Generated:
		t.conflicts = append(t.conflicts, fault.New(name, "was edited, and fractl writes it", "nothing was written; move the edit elsewhere, then delete the file"))
		return nil
	case ok && rec.SHA256 == scaffold.Hash(wanted.Content):
		return nil // it was left alone when the pieces came
	default:
		t.builder.Keep(name, wanted.owner, "was edited; to be changed by hand")
		t.out.Left = append(t.out.Left, Left{Path: name, Diff: diff.Diff("a/"+name, made.Content, "b/"+name, wanted.Content)})
		return nil
	}
	return t.keep(made.target, wanted.owner, wanted.Mode, wanted.Content)
}

// untouched reports whether a file is as it was made, but perhaps for the line
// ends that a checkout on Windows gives it.
func untouched(text []byte, rec lock.File) bool {
	return scaffold.Hash(text) == rec.SHA256 ||
		scaffold.Hash(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))) == rec.SHA256
}

// keep enters a file into the record.
func (t *transition) keep(target string, owner scaffold.Owner, mode fs.FileMode, text []byte) error {
	rec, err := t.recorder.Record(slashRel(t.made.place.target, target), owner, mode, text)
	if err == nil {
		t.record[target] = rec
	}
	return err
}

// writeLock plans the new record.
func (t *transition) writeLock(answers lock.Answers) error {
	digest, err := t.wanted.digest()
	if err != nil {
		return err
	}
	l := lock.Lock{Schema: 1, Templates: digest, Answers: answers, Files: slices.Collect(maps.Values(t.record))}
	data, err := l.Marshal()
	if err != nil {
		return err
	}
	target := filepath.Join(t.made.place.target, workspace.LockName)
	old, err := t.read(target)
	if err != nil {
		return err
	}
	if !bytes.Equal(old, data) {
		t.builder.Update(t.shown(target), data, scaffold.Generated, "")
	}
	return nil
}

// read returns the content of a file, nil where there is none.
func (t *transition) read(target string) ([]byte, error) {
	if data, ok := t.disk[target]; ok {
		return data, nil
	}
	data, err := os.ReadFile(target)
	if errors.Is(err, fs.ErrNotExist) {
		data, err = nil, nil
	} else if err != nil {
		return nil, fault.New(t.shown(target), "cannot be read: "+cause(err), "")
	} else if data == nil {
		data = []byte{}
	}
	t.disk[target] = data
	return data, err
}

// shown is a path relative to the root of the plan.
func (t *transition) shown(target string) string { return slashRel(t.made.place.root, target) }

// EditedError says that a change would throw away what a person has written.
type EditedError struct {
	// Files are sorted by path.
	Files []Edited
}

// Edited is a file, or a section of one, that was edited since fractl made it.
type Edited struct {
	// Path is relative to the plan's root; a section is named after it.
	Path string
	// Diff is what was edited, in the unified format.
	Diff []byte
}

func (e *EditedError) Error() string { return errors.Join(e.Unwrap()...).Error() }

// Unwrap returns a fault for each file.
func (e *EditedError) Unwrap() []error {
	slices.SortFunc(e.Files, func(a, b Edited) int { return cmp.Compare(a.Path, b.Path) })
	var all []error
	for i, f := range e.Files {
		hint := ""
		if i == len(e.Files)-1 {
			hint = "nothing was written; save the edits elsewhere and put back what fractl made, or throw them away with --force"
		}
		all = append(all, fault.New(f.Path, "was edited, and goes with the piece", hint))
	}
	return all
}
