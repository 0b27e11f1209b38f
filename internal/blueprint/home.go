package blueprint

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/fractl/fractl/internal/blueprint/gitremote"
	"github.com/fractl/fractl/internal/blueprint/names"
	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/scaffold/lock"
	"github.com/fractl/fractl/internal/workspace"
)

// home is a fraction that is there, as its lock and its surroundings tell it.
type home struct {
	shelf shelf
	lock  *lock.Lock
	// made is what it is rendered from with the answers of the lock.
	made skeleton
}

// openHome reads the fraction of that name as seen from the folder cwd. It
// refuses one that this program did not make, or not with these templates.
func openHome(cwd, name string, shelf shelf) (*home, error) {
	dir, err := findFraction(cwd, name)
	if err != nil {
		return nil, err
	}
	h := &home{shelf: shelf}
	lockName := shownFrom(cwd, filepath.Join(dir, workspace.LockName))
	data, err := os.ReadFile(filepath.Join(dir, workspace.LockName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(lockName, "is not there, so that nothing tells what fractl made in this fraction",
			"take it from version control; pieces can only be added to what 'fractl new' made")
	}
	if err != nil {
		return nil, fault.New(lockName, "cannot be read: "+cause(err), "")
	}
	if h.lock, err = lock.Parse(lockName, data); err != nil {
		return nil, err
	}
	p, err := placeOf(dir, h.lock)
	if err != nil {
		return nil, err
	}
	if err := h.check(p, lockName); err != nil {
		return nil, err
	}
	if err := h.build(p, lockName); err != nil {
		return nil, err
	}
	return h, nil
}

// shownFrom is a path as seen from the folder cwd.
func shownFrom(cwd, name string) string {
	if real, err := resolve(cwd); err == nil {
		cwd = real
	}
	return slashRel(cwd, name)
}

// check holds the lock against what is around it.
func (h *home) check(p place, lockName string) error {
	const hint = "take the fractl.lock of this fraction from version control"
	a := h.lock.Answers
	if p.ws != nil && p.ws.Manifest != nil {
		for _, f := range p.ws.Fractions {
			if f.Dir == p.ws.Rel(p.target) && f.Name != a.Name {
				return fault.New(lockName, "is that of the fraction "+a.Name+", and this one is "+f.Name, hint)
			}
		}
	}
	name := path.Join(path.Dir(lockName), "go.mod")
	data, err := os.ReadFile(filepath.Join(p.target, "go.mod"))
	if err != nil {
		return fault.New(name, "cannot be read: "+cause(err), "a fraction has a module of its own")
	}
	file, err := modfile.Parse(name, data, nil)
	if err != nil {
		return workspace.SyntaxFault(name, err)
	}
	if file.Module == nil || file.Module.Mod.Path != a.Module {
		have := "has no module line"
		line := 0
		if file.Module != nil {
			have, line = "is the module "+file.Module.Mod.Path, file.Module.Syntax.Start.Line
		}
		return fault.At(name, line, have+", and "+workspace.LockName+" beside it was made for "+a.Module, hint)
	}
	return nil
}

// build gathers what the fraction is rendered from.
func (h *home) build(p place, lockName string) error {
	const newer = "use the fractl that made it"
	a := h.lock.Answers
	tree, err := h.shelf.kind(a.Kind)
	if err != nil {
		return fault.New(lockName, "speaks of the kind "+a.Kind+", which this fractl does not know", newer)
	}
	n, err := names.Fraction(a.Name)
	if err != nil {
		return fault.New(lockName, "has the name "+err.Error(), newer)
	}
	r, err := names.Resource(a.Resource, nil)
	if err != nil {
		return fault.New(lockName, "has the resource "+err.Error(), newer)
	}
	var picks []pick
	for _, spec := range a.Pieces {
		piece, err := h.shelf.pick("", spec)
		if err != nil {
			return fault.New(lockName, "speaks of the piece "+spec+", which this fractl does not know", newer)
		}
		piece.auto = slices.Contains(a.Auto, piece.Name)
		picks = append(picks, piece)
	}
	h.made = newSkeleton(h.shelf, p, tree, n, r, a, picks)
	digest, err := h.made.digest()
	if err != nil {
		return err
	}
	if digest != h.lock.Templates {
		return fault.New(lockName, "was made from other templates than those of this fractl", "use the fractl that made it, or bring the fraction up to date first")
	}
	return nil
}

// findFraction returns the absolute folder of a fraction: one of the workspace
// around cwd, the one that cwd stands in, or one in a folder of cwd.
func findFraction(cwd, name string) (string, error) {
	known, err := fractionsFrom(cwd)
	if err != nil {
		return "", err
	}
	if dir, ok := known[name]; ok {
		return dir, nil
	}
	if len(known) == 0 {
		return "", fault.New(name, "no such fraction; there is none here", "make one with 'fractl new', or go to the folder of one")
	}
	return "", fault.New(name, "no such fraction", didYouMean(name, slices.Collect(maps.Keys(known))))
}

// Fractions lists the names of the fractions that can be named in the folder
// cwd, sorted; none where something there cannot be read.
func Fractions(cwd string) []string {
	known, err := fractionsFrom(cwd)
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(known))
}

// fractionsFrom maps the names of the fractions that are seen from a folder to
// their own.
func fractionsFrom(cwd string) (map[string]string, error) {
	cwd, err := resolve(cwd)
	if err != nil {
		return nil, err
	}
	known := map[string]string{}
	if dir := folderOf(workspace.LockName, existing(cwd)); dir != "" {
		known[lockedName(dir)] = dir
	}
	if err := lockedBelow(cwd, known); err != nil {
		return nil, err
	}
	ws, err := workspace.Find(existing(cwd))
	if errors.Is(err, workspace.ErrNone) {
		return known, nil
	}
	if err != nil {
		return nil, err
	}
	if err := lockedBelow(ws.Root, known); err != nil {
		return nil, err
	}
	for _, m := range ws.Modules {
		if dir := ws.Abs(m.Dir); isFile(filepath.Join(dir, workspace.LockName)) {
			known[lockedName(dir)] = dir
		}
	}
	for _, f := range ws.Fractions {
		known[f.Name] = ws.Abs(f.Dir)
	}
	return known, nil
}

// lockedBelow adds the fractions that stand in the folders of dir.
func lockedBelow(dir string, known map[string]string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fault.New(filepath.ToSlash(dir), "cannot be read: "+cause(err), "")
	}
	for _, e := range entries {
		if sub := filepath.Join(dir, e.Name()); e.IsDir() && isFile(filepath.Join(sub, workspace.LockName)) {
			known[lockedName(sub)] = sub
		}
	}
	return nil
}

// lockedName is the name of the fraction in a folder with a lock; that of the
// folder where the lock does not tell, which is then an error of its own.
func lockedName(dir string) string {
	data, err := os.ReadFile(filepath.Join(dir, workspace.LockName))
	if err == nil {
		if l, err := lock.Parse(workspace.LockName, data); err == nil && l.Answers.Name != "" {
			return l.Answers.Name
		}
	}
	return filepath.Base(dir)
}

// placeOf is the place of a fraction that is there. What locate found when it was
// made may have changed since: a repository or a workspace came to be around it.
// The lock still tells, by where its files stand.
func placeOf(target string, l *lock.Lock) (place, error) {
	p := place{target: target, root: filepath.Dir(target)}
	ws, err := workspace.Find(p.root)
	if err != nil && !errors.Is(err, workspace.ErrNone) {
		return place{}, err
	}
	if p.ws = ws; ws != nil {
		p.root, p.seen = ws.Root, ws.Root
	}
	p.git = gitremote.Top(p.root)
	if p.seen == "" {
		p.seen = p.git
	}
	if p.top = p.git; p.top == "" {
		p.top = p.seen
	}
	for _, f := range l.Files {
		above, _, ok := strings.Cut("/"+f.Path, "/"+githubMount)
		if ok {
			p.top = filepath.Join(target, filepath.FromSlash(above))
			p.lone = f.Path == githubMount+"workflows/ci.yml"
		}
		p.own = p.own || strings.HasPrefix(f.Path, contractsMount)
	}
	if p.seen == "" || p.lone {
		p.seen = target
	}
	if p.top == "" {
		p.top = p.seen
	}
	p.work = folderOf("go.work", target)
	return p, nil
}

// cause is the innermost reason of an I/O error, without the path.
func cause(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}
