package blueprint

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/fractl/fractl/internal/blueprint/gitremote"
	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/workspace"
)

// place says where a fraction goes and what is around it. All paths are
// absolute, with symbolic links resolved as far as they exist.
type place struct {
	// target is the fraction's folder.
	target string
	// ws is the workspace around it, or nil.
	ws *workspace.Workspace
	// root is what the paths of the plan are relative to: the root of the
	// workspace, else the folder above target.
	root string
	// seen is what the templates take for the root: that of the workspace, else
	// the top of the repository, else target itself.
	seen string
	// top is where .github/ stands: the top of the git repository, else seen.
	top string
	// git is the top of the git repository, or "".
	git string
	// work is the folder of the go.work that applies to target, or "".
	work string
	// lone is true where there is neither a workspace nor a repository.
	lone bool
	// own is true where the contract stands in the fraction whatever is around.
	own bool
}

// locate finds the place of a fraction that is asked for in the folder cwd; dir
// is relative to cwd, and "" lets the surroundings decide.
func locate(cwd, name, dir string) (place, error) {
	start := cwd
	if dir != "" {
		start = filepath.Join(cwd, filepath.FromSlash(dir))
		if filepath.IsAbs(filepath.FromSlash(dir)) {
			start = filepath.FromSlash(dir)
		}
	}
	start, err := resolve(start)
	if err != nil {
		return place{}, err
	}
	p := place{target: start}
	anchor := existing(start)
	p.ws, err = workspace.Find(anchor)
	if err != nil && !errors.Is(err, workspace.ErrNone) {
		return place{}, err
	}
	switch {
	case p.ws != nil:
		if dir == "" {
			p.target = filepath.Join(p.ws.Root, name)
		}
		p.root, p.seen = p.ws.Root, p.ws.Root
		p.git = gitremote.Top(p.ws.Root)
	default:
		if dir == "" {
			p.target = filepath.Join(start, name)
		}
		p.root = filepath.Dir(p.target)
		p.git = gitremote.Top(anchor)
		if p.seen = p.git; p.git == "" {
			p.seen, p.lone = p.target, true
		}
	}
	if p.top = p.git; p.git == "" {
		p.top = p.seen
	}
	p.work = folderOf("go.work", existing(p.target))
	return p, p.check(name, dir)
}

// check refuses a place where a fraction cannot stand.
func (p place) check(name, dir string) error {
	if p.ws == nil {
		return p.checkNeighbours()
	}
	rel := p.ws.Rel(p.target)
	if rel == "." {
		return fault.New("--dir "+dir, "is the root of the workspace, which holds fractions and is none", "leave --dir out, or give a folder below it")
	}
	for _, f := range p.ws.Fractions {
		if f.Name == name {
			at := f.Dir
			if line := p.manifestLine(name); line > 0 {
				at = fmt.Sprintf("%s:%d", workspace.ManifestName, line)
			}
			return fault.New(at, fmt.Sprintf("fraction %s exists already, in the folder %s", name, f.Dir), "choose another name; nothing was written")
		}
	}
	for _, f := range p.ws.Fractions {
		switch {
		case f.Dir == rel:
			return fault.New(rel, "is the folder of the fraction "+f.Name, "give another folder with --dir")
		case within(rel, f.Dir) && f.Dir != ".":
			return fault.New(rel, "lies inside the fraction "+f.Name, "give a folder outside of "+f.Dir+" with --dir")
		}
	}
	if dir == "" && p.ws.Manifest == nil && p.ws.WorkFile == nil && isFile(filepath.Join(p.ws.Root, workspace.LockName)) {
		return fault.New(filepath.ToSlash(p.ws.Root), "is itself a fraction that stands alone, and fractions do not nest",
			"run it in the folder above, make a workspace there with 'fractl init', or say where with --dir")
	}
	return p.checkNeighbours()
}

// checkNeighbours looks at what stands in the target's place and beside it.
func (p place) checkNeighbours() error {
	if isFile(filepath.Join(p.target, workspace.LockName)) {
		return fault.New(path.Join(p.shown(), workspace.LockName), "a fraction stands in this folder already", "choose another name or --dir; nothing was written")
	}
	entries, err := os.ReadDir(filepath.Dir(p.target))
	if err != nil {
		return nil // not there yet, or the plan says what is wrong with it
	}
	base := filepath.Base(p.target)
	for _, e := range entries {
		if e.Name() != base && strings.EqualFold(e.Name(), base) {
			return fault.New(base, "differs from "+e.Name()+" beside it in the case of letters only, which Windows and macOS take for the same",
				"choose another name")
		}
	}
	return nil
}

// shown is the target relative to the root of the plan.
func (p place) shown() string { return slashRel(p.root, p.target) }

// manifestLine is the line of the fraction in fractl.yaml, or 0.
func (p place) manifestLine(name string) int {
	if p.ws.Manifest != nil {
		for _, f := range p.ws.Manifest.Fractions {
			if f.Name == name {
				return f.Line
			}
		}
	}
	return 0
}

// base is the deepest folder that exists and holds everything that a plan may
// touch at this place.
func (p place) base() string {
	base := p.target
	if p.ws != nil {
		base = common(base, p.ws.Root)
	}
	if !p.lone {
		base = common(base, p.top)
	}
	if p.work != "" {
		base = common(base, p.work)
	}
	return existing(base)
}

// resolve makes a path absolute and resolves the links in the part that exists.
func resolve(p string) (string, error) {
	abs, err := filepath.Abs(p)
	if err != nil {
		return "", err
	}
	there := existing(abs)
	real, err := filepath.EvalSymlinks(there)
	if err != nil {
		return "", fault.New(filepath.ToSlash(there), "cannot be looked at: "+err.Error(), "")
	}
	rest, err := filepath.Rel(there, abs)
	if err != nil {
		return "", err
	}
	return filepath.Join(real, rest), nil
}

// existing is the nearest folder at or above p that is there.
func existing(p string) string {
	for {
		if info, err := os.Stat(p); err == nil && info.IsDir() {
			return p
		}
		parent := filepath.Dir(p)
		if parent == p {
			return p
		}
		p = parent
	}
}

// folderOf is the nearest folder at or above dir that holds the file, or "".
func folderOf(name, dir string) string {
	for {
		if isFile(filepath.Join(dir, name)) {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

// common is the deepest folder that holds both paths.
func common(a, b string) string {
	for a != b {
		if len(a) < len(b) {
			a, b = b, a
		}
		parent := filepath.Dir(a)
		if parent == a {
			return a
		}
		a = parent
	}
	return a
}

// slashRel is filepath.Rel with "/"; the paths are absolute and clean.
func slashRel(from, to string) string {
	rel, err := filepath.Rel(from, to)
	if err != nil {
		return filepath.ToSlash(to)
	}
	return filepath.ToSlash(rel)
}

// within reports whether path p is dir or lies below it.
func within(p, dir string) bool {
	return dir == "." || p == dir || strings.HasPrefix(p, dir+"/")
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}
