package blueprint

import (
	"slices"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/scaffold/edit"
)

// sections plans the sections that pieces have in a YAML file, such as those of
// their settings in config.yaml. The rest of the file is its user's.
func (t *transition) sections(made, wanted *placed) error {
	old, err := t.read(made.target)
	if err != nil || old == nil {
		return err
	}
	rec, ok := t.record[made.target]
	if !ok {
		return t.replace(made, wanted)
	}
	pristine, err := rec.Text()
	if err != nil {
		return err
	}
	e := sectionEdit{t: t, name: t.shown(made.target), target: made.target, disk: old, pristine: pristine}
	for _, s := range made.sections {
		if !slices.ContainsFunc(wanted.sections, same(s)) {
			if err := e.remove(s); err != nil {
				return err
			}
		}
	}
	for i, s := range wanted.sections {
		if slices.ContainsFunc(made.sections, same(s)) {
			continue
		}
		var later []string
		for _, l := range wanted.sections[i+1:] {
			later = append(later, l.Key)
		}
		if err := e.add(s, later); err != nil {
			return err
		}
	}
	t.builder.Update(e.name, e.disk, rec.Owner, "")
	t.after[made.target] = e.disk
	return t.keep(made.target, rec.Owner, made.Mode, e.pristine)
}

// same compares sections but for where they stand.
func same(s edit.Section) func(edit.Section) bool {
	return func(o edit.Section) bool { return o.Key == s.Key && o.Text == s.Text }
}

// sectionEdit does to the record of a file what it does to the file.
type sectionEdit struct {
	t              *transition
	name, target   string
	disk, pristine []byte
}

// remove takes a section out. One that its user has edited is in the way; one
// that was never put there stays.
func (e *sectionEdit) remove(s edit.Section) error {
	was, ok, err := findSection(e.name, e.pristine, s.Key)
	if err != nil || !ok {
		return err
	}
	is, ok, err := findSection(e.name, e.disk, s.Key)
	if err != nil {
		return err
	}
	if ok && is.Text != was.Text {
		e.t.refuse(e.target, s.Key, []byte(was.Text+"\n"), []byte(is.Text+"\n"))
	}
	if e.pristine, err = s.RemoveFrom(e.name, e.pristine); err == nil {
		e.disk, err = s.RemoveFrom(e.name, e.disk)
	}
	return err
}

// add puts a section in, before those that come later in wiring order.
func (e *sectionEdit) add(s edit.Section, later []string) error {
	is, there, err := findSection(e.name, e.disk, s.Key)
	if err != nil {
		return err
	}
	if there && is.Text != s.Text {
		e.t.conflicts = append(e.t.conflicts, fault.At(e.name, is.Line, "has a section "+s.Key+" already", "nothing was written; rename or remove it"))
		return nil
	}
	if !there {
		if e.disk, err = s.AddTo(e.name, e.disk, later); err != nil {
			return err
		}
	}
	if _, there, err = findSection(e.name, e.pristine, s.Key); err != nil || there {
		return err
	}
	e.pristine, err = s.AddTo(e.name, e.pristine, later)
	return err
}

func findSection(name string, data []byte, key string) (edit.Section, bool, error) {
	all, err := edit.Sections(name, data)
	i := slices.IndexFunc(all, func(s edit.Section) bool { return s.Key == key })
	if err != nil || i < 0 {
		return edit.Section{}, false, err
	}
	return all[i], true, nil
}
