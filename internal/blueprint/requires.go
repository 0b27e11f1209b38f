package blueprint

import (
	"bytes"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/scaffold/edit"
	"github.com/fractl/fractl/internal/workspace"
)

// isModuleFile reports whether a file is one of the two that say which modules
// are required.
func isModuleFile(target string) bool {
	base := filepath.Base(target)
	return base == "go.mod" || base == "go.sum"
}

// module plans go.mod and go.sum. Their records hold what fractl has put there:
// a requirement that was there already is not entered, so that it stays when the
// piece goes.
func (t *transition) module(pairs map[string]*pair) error {
	dir := t.made.place.target
	mod, sum := pairs[filepath.Join(dir, "go.mod")], pairs[filepath.Join(dir, "go.sum")]
	if mod == nil || sum == nil {
		return nil
	}
	kept, err := t.requires(mod)
	if err != nil {
		return err
	}
	return t.sums(sum, kept)
}

// requires plans go.mod. It reports whether something stays for the sake of code
// that is not of fractl, so that what that needs in turn must stay as well.
func (t *transition) requires(mod *pair) (kept bool, err error) {
	made, err := requirements(mod.side[0].Template, mod.side[0].Content)
	if err != nil {
		return false, err
	}
	wanted, err := requirements(mod.side[1].Template, mod.side[1].Content)
	if err != nil {
		return false, err
	}
	if maps.Equal(made, wanted) {
		return false, nil
	}
	e, err := t.openRequires(mod.target)
	if err != nil || e == nil {
		return false, err
	}
	imports, err := t.imports()
	if err != nil {
		return false, err
	}
	e.drop(made, wanted, imports)
	e.put(made, wanted, imports)
	// Only the go command knows what the requirements of others need.
	t.out.Tidy = e.kept || len(e.disk) < len(e.diskWas) && e.hasOthers()
	return e.kept, e.write(t)
}

// requirement is what go.mod says of a module.
type requirement struct {
	version  string
	indirect bool
}

func requirements(name string, content []byte) (map[string]requirement, error) {
	file, err := modfile.Parse(name, content, nil)
	if err != nil {
		return nil, workspace.SyntaxFault(name, err)
	}
	m := map[string]requirement{}
	for _, r := range file.Require {
		m[r.Mod.Path] = requirement{r.Mod.Version, r.Indirect}
	}
	return m, nil
}

// requireEdit changes the requirements of a go.mod and those of its record.
type requireEdit struct {
	target             string
	name               string
	text, pristine     []byte
	disk, record       map[string]requirement
	diskWas, recordWas map[string]requirement
	kept               bool
}

// openRequires reads go.mod and its record; nil where there is no record.
func (t *transition) openRequires(target string) (*requireEdit, error) {
	e := &requireEdit{target: target, name: t.shown(target)}
	var err error
	if e.text, err = t.read(target); err != nil {
		return nil, err
	}
	rec, ok := t.record[target]
	if !ok {
		return nil, nil
	}
	if e.pristine, err = rec.Text(); err != nil {
		return nil, err
	}
	if e.disk, err = requirements(e.name, e.text); err != nil {
		return nil, err
	}
	if e.record, err = requirements(e.name, e.pristine); err != nil {
		return nil, err
	}
	e.diskWas, e.recordWas = maps.Clone(e.disk), maps.Clone(e.record)
	return e, nil
}

// drop takes out what fractl has put in and nothing imports any more. Where
// something still does, what the rest needs cannot be told apart, and stays too.
func (e *requireEdit) drop(made, wanted map[string]requirement, imports []string) {
	var gone []string
	for p := range made {
		if _, stays := wanted[p]; stays {
			continue
		}
		if _, ours := e.record[p]; ours && e.imported(p, imports) {
			e.kept = true
		}
		gone = append(gone, p)
	}
	for _, p := range gone {
		_, ours := e.record[p]
		delete(e.record, p)
		have, there := e.disk[p]
		switch {
		case !there:
		case ours && !e.kept:
			delete(e.disk, p)
		default:
			have.indirect = !e.imported(p, imports)
			e.disk[p] = have
		}
	}
}

// put brings in what is missing, raises what is older, and says which modules
// are imported.
func (e *requireEdit) put(made, wanted map[string]requirement, imports []string) {
	for p, want := range wanted {
		if made[p] == want {
			continue
		}
		have, there := e.disk[p]
		if _, had := made[p]; had {
			if rec, ok := e.record[p]; ok {
				rec.indirect = want.indirect
				e.record[p] = rec
			}
		} else if !there {
			e.record[p] = want
		}
		switch {
		case !there:
			have = want
		case semver.Compare(have.version, want.version) < 0:
			have.version = want.version
		}
		have.indirect = want.indirect && !e.imported(p, imports)
		e.disk[p] = have
	}
}

// hasOthers reports whether there are requirements that fractl has not put in.
func (e *requireEdit) hasOthers() bool {
	for p := range e.disk {
		if _, ours := e.record[p]; !ours {
			return true
		}
	}
	return false
}

// imported reports whether one of the imports is of a package of the module: the
// required one with the longest path that it begins with.
func (e *requireEdit) imported(module string, imports []string) bool {
	return slices.ContainsFunc(imports, func(imp string) bool {
		best := ""
		for p := range e.diskWas {
			if within(imp, p) && len(p) > len(best) {
				best = p
			}
		}
		return best == module || best == "" && within(imp, module)
	})
}

func (e *requireEdit) write(t *transition) error {
	if !maps.Equal(e.disk, e.diskWas) {
		out, err := edit.Requires(e.name, e.text, requireLines(e.disk))
		if err != nil {
			return err
		}
		t.builder.Update(e.name, out, t.record[e.target].Owner, "")
	}
	if maps.Equal(e.record, e.recordWas) {
		return nil
	}
	pristine, err := edit.Requires(e.name, e.pristine, requireLines(e.record))
	if err != nil {
		return err
	}
	return t.keep(e.target, t.record[e.target].Owner, 0o644, pristine)
}

func requireLines(m map[string]requirement) []*modfile.Require {
	var list []*modfile.Require
	for _, p := range slices.Sorted(maps.Keys(m)) {
		r := &modfile.Require{Indirect: m[p].indirect}
		r.Mod.Path, r.Mod.Version = p, m[p].version
		list = append(list, r)
	}
	return list
}

// sums plans go.sum; kept is what requires said.
func (t *transition) sums(sum *pair, kept bool) error {
	rec, ok := t.record[sum.target]
	if !ok || bytes.Equal(sum.side[0].Content, sum.side[1].Content) {
		return nil
	}
	old, err := t.read(sum.target)
	if err != nil {
		return err
	}
	if old == nil {
		return fault.New(t.shown(sum.target), "is not there", "make it with 'go mod tidy' first")
	}
	pristine, err := rec.Text()
	if err != nil {
		return err
	}
	made, wanted := lineSet(sum.side[0].Content), lineSet(sum.side[1].Content)
	disk, record := lineSet(old), lineSet(pristine)
	for line := range made {
		if wanted[line] {
			continue
		}
		if record[line] && !kept {
			delete(disk, line)
		}
		delete(record, line)
	}
	for line := range wanted {
		if !made[line] && !disk[line] {
			disk[line], record[line] = true, true
		}
	}
	if !maps.Equal(disk, lineSet(old)) {
		t.builder.Update(t.shown(sum.target), joinSums(textOf(disk), nil), rec.Owner, "")
	}
	return t.keep(sum.target, rec.Owner, 0o644, joinSums(textOf(record), nil))
}

func lineSet(text []byte) map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 3 {
			set[strings.Join(f, " ")] = true
		}
	}
	return set
}

func textOf(set map[string]bool) []byte {
	return []byte(strings.Join(slices.Sorted(maps.Keys(set)), "\n"))
}

// imports lists what the Go files of the fraction import once the plan is
// carried out, whatever their build constraints.
func (t *transition) imports() ([]string, error) {
	_, after, err := t.goFiles()
	if err != nil {
		return nil, err
	}
	set := map[string]bool{}
	for name, src := range after {
		file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly)
		if file == nil || err != nil {
			continue // the compiler will say so
		}
		for _, spec := range file.Imports {
			if p, err := strconv.Unquote(spec.Path.Value); err == nil {
				set[p] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(set)), nil
}
