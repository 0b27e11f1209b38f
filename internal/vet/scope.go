package vet

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/workspace"
)

// scope is what a run reports on: the packages that its patterns match.
type scope struct {
	ws       *workspace.Workspace
	patterns []pattern
}

// pattern matches folders, relative to the root, or import paths.
type pattern struct {
	text       string // as the user wrote it
	byPath     bool   // matches import paths
	expr       *regexp.Regexp
	base       string // the folder or import path in front of any "..."
	everything bool   // "..." matches below base
}

// group is one call of go list.
type group struct {
	dir      string // absolute
	gowork   string // value of GOWORK
	patterns []string
}

// plan reads the patterns: what they cover, and which calls of go list give the
// packages. Modules of go.work are listed together, every other alone.
func plan(ws *workspace.Workspace, o Options) (scope, []group, error) {
	s := scope{ws: ws}
	texts := o.Patterns
	if len(texts) == 0 {
		texts = []string{"./..."}
	}
	workMode := ws.WorkFile != nil && setting(o.Env, "GOWORK") != "off"
	work := group{dir: ws.Root, gowork: filepath.Join(ws.Root, "go.work")}
	alone := make(map[string]*group)
	var order []string
	for _, text := range texts {
		p, err := readPattern(ws, o.Dir, text)
		if err != nil {
			return s, nil, err
		}
		s.patterns = append(s.patterns, p)
		matched := false
		for _, m := range ws.Modules {
			arg, ok := p.listArg(ws, m)
			if !ok {
				continue
			}
			matched = true
			if workMode && used(ws, m) {
				work.patterns = append(work.patterns, inRoot(m, arg))
				continue
			}
			g, ok := alone[m.Dir]
			if !ok {
				g = &group{dir: ws.Abs(m.Dir), gowork: "off"}
				alone[m.Dir] = g
				order = append(order, m.Dir)
			}
			g.patterns = append(g.patterns, arg)
		}
		if !matched {
			return s, nil, fault.New(text, "matches no module of the workspace", "its modules are "+moduleDirs(ws))
		}
	}
	var groups []group
	if len(work.patterns) > 0 {
		groups = append(groups, work)
	}
	slices.Sort(order)
	for _, dir := range order {
		groups = append(groups, *alone[dir])
	}
	return s, groups, nil
}

// readPattern reads one pattern, given in the folder dir.
func readPattern(ws *workspace.Workspace, dir, text string) (pattern, error) {
	p := pattern{text: text}
	slashed := filepath.ToSlash(text)
	switch {
	case text == "":
		return p, fault.New("pattern", "is empty", "give a folder such as ./...")
	case text == "all" || text == "work":
		p.base, p.everything = ".", true
		p.expr = compile("...")
		return p, nil
	case strings.HasSuffix(slashed, ".go") && !strings.Contains(slashed, "..."):
		return p, fault.New(text, "is a file", "give its folder: ./"+path.Dir(slashed))
	}
	local := slashed == "." || slashed == ".." || strings.HasPrefix(slashed, "./") || strings.HasPrefix(slashed, "../") ||
		slashed == "..." || filepath.IsAbs(text)
	if !local {
		p.byPath = true
		p.base, p.everything = literal(slashed)
		p.expr = compile(slashed)
		folder, ok := ws.PackageDir(p.base)
		if ok && !p.everything && !isDir(ws.Abs(folder)) {
			return p, fault.New(text, "no such package: there is no folder "+folder, "give a package that exists, or ./...")
		}
		if !ok && !p.everything {
			hint := "give an import path of this workspace, or a folder such as ./..."
			if isDir(filepath.Join(dir, text)) {
				hint = "did you mean ./" + slashed + "?"
			}
			return p, fault.New(text, "no package of this workspace", hint)
		}
		return p, nil
	}
	abs := text
	if !filepath.IsAbs(text) {
		abs = filepath.Join(dir, text)
	}
	base, wild := literal(filepath.ToSlash(abs))
	if !isDir(filepath.FromSlash(base)) {
		return p, fault.New(text, "no such folder", "give a folder that exists, such as ./...")
	}
	real, err := filepath.EvalSymlinks(filepath.FromSlash(base))
	if err != nil {
		return p, fault.New(text, "no such folder", "give a folder that exists, such as ./...")
	}
	rel, err := filepath.Rel(ws.Root, real)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return p, fault.New(text, "is outside of the workspace", "run fractl in that workspace")
	}
	p.base, p.everything = filepath.ToSlash(rel), wild
	full := p.base
	if wild {
		full = path.Join(p.base, strings.TrimPrefix(strings.TrimPrefix(filepath.ToSlash(abs), base), "/"))
	}
	p.expr = compile(full)
	return p, nil
}

// literal is the part of a pattern in front of its first wildcard, in whole
// path elements.
func literal(p string) (base string, wild bool) {
	at := strings.Index(p, "...")
	if at < 0 {
		return path.Clean(p), false
	}
	base = p[:strings.LastIndexByte(p[:at], '/')+1]
	if base == "" {
		return ".", true
	}
	return path.Clean(base), true
}

// compile turns a pattern into an expression as the go command does: "..."
// matches any text, and "x/..." matches x too.
func compile(p string) *regexp.Regexp {
	expr := strings.ReplaceAll(regexp.QuoteMeta(path.Clean(p)), `\.\.\.`, `.*`)
	if rest, ok := strings.CutSuffix(expr, `/.*`); ok {
		expr = rest + `(/.*)?`
	}
	return regexp.MustCompile(`^` + expr + `$`)
}

// listArg is the argument by which go list, in the folder of m, finds what p
// matches in m; ok is false where that is nothing.
func (p pattern) listArg(ws *workspace.Workspace, m *workspace.Module) (arg string, ok bool) {
	if p.byPath {
		if !p.everything {
			dir, _ := ws.PackageDir(p.base)
			if ws.ModuleOf(dir) != m {
				return "", false
			}
			return below(m, dir), true
		}
		if p.base == "." || within(m.Path, p.base) {
			return "./...", true
		}
		if rest, ok := strings.CutPrefix(p.base, m.Path+"/"); ok && isDir(ws.Abs(path.Join(m.Dir, rest))) {
			return "./" + rest + "/...", true
		}
		return "", false
	}
	switch {
	case ws.ModuleOf(p.base) == m && p.everything:
		return strings.TrimSuffix(below(m, p.base), "/") + "/...", true
	case ws.ModuleOf(p.base) == m:
		return below(m, p.base), true
	}
	return "./...", p.everything && within(m.Dir, p.base)
}

// below is the folder dir as a pattern relative to m's.
func below(m *workspace.Module, dir string) string {
	rel := dir
	if m.Dir != "." {
		rel = strings.TrimPrefix(strings.TrimPrefix(dir, m.Dir), "/")
	}
	if rel == "" || rel == "." {
		return "."
	}
	return "./" + rel
}

// inRoot turns an argument relative to m's folder into one relative to the root.
func inRoot(m *workspace.Module, arg string) string {
	if arg = path.Join(m.Dir, arg); arg == "." {
		return arg
	}
	return "./" + arg
}

// matches reports whether the package in folder dir is in the scope.
func (s scope) matches(dir string) bool {
	return slices.ContainsFunc(s.patterns, func(p pattern) bool {
		if !p.byPath {
			return p.expr.MatchString(dir)
		}
		m := s.ws.ModuleOf(dir)
		return m != nil && p.expr.MatchString(path.Join(m.Path, strings.TrimPrefix(below(m, dir), ".")))
	})
}

// covers reports whether a finding in the file belongs to the scope. A file
// that is no Go file speaks for all packages of its module.
func (s scope) covers(file string) bool {
	dir := path.Dir(file)
	if strings.HasSuffix(file, ".go") {
		return s.matches(dir)
	}
	if path.Base(dir) == "vendor" {
		dir = path.Dir(dir)
	}
	return slices.ContainsFunc(s.patterns, func(p pattern) bool {
		base := p.base
		if p.byPath {
			var ok bool
			if base, ok = s.ws.PackageDir(p.base); !ok {
				return true
			}
		}
		return within(base, dir) || p.everything && within(dir, base)
	})
}

// used reports whether go.work lists m.
func used(ws *workspace.Workspace, m *workspace.Module) bool {
	for _, u := range ws.WorkFile.Use {
		dir := filepath.FromSlash(u.Path)
		if !filepath.IsAbs(dir) {
			dir = ws.Abs(u.Path)
		}
		if filepath.Clean(dir) == ws.Abs(m.Dir) {
			return true
		}
	}
	return false
}

func moduleDirs(ws *workspace.Workspace) string {
	var list []string
	for _, m := range ws.Modules {
		list = append(list, m.Dir)
	}
	return strings.Join(list, ", ")
}

// setting is the value of a variable, the last one winning as in os/exec.
func setting(env []string, name string) string {
	val := ""
	for _, kv := range env {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			val = v
		}
	}
	return val
}

// within reports whether path p is dir or lies below it; "." holds all.
func within(p, dir string) bool {
	return dir == "." || p == dir || strings.HasPrefix(p, dir+"/")
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}
