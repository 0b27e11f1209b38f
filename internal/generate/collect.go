package generate

import (
	"fmt"
	"go/build"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/generate/directive"
	"github.com/fractl/fractl/internal/generate/mockgen"
	"github.com/fractl/fractl/internal/workspace"
)

// collect reads the files that the patterns cover.
func (e *Engine) collect() error {
	covers, err := e.patterns()
	if err != nil {
		return err
	}
	files, err := e.ws.GoFiles()
	if err != nil {
		return err
	}
	ctx := e.buildContext()
	for _, rel := range files {
		if !covers(path.Dir(rel)) {
			continue
		}
		src, err := os.ReadFile(e.ws.Abs(rel))
		if err != nil {
			return workspace.Unreadable(rel, err)
		}
		if !directive.Has(src) {
			continue
		}
		abs := e.ws.Abs(rel)
		list, err := directive.Parse(rel, filepath.Dir(abs), src, directive.Filter{Run: e.opt.Run, Skip: e.opt.Skip}, e.getenv, e.goroot)
		if err != nil {
			return err
		}
		matches, err := ctx.MatchFile(filepath.Dir(abs), filepath.Base(abs))
		for _, d := range list {
			item, ierr := e.item(d)
			if ierr != nil {
				return ierr
			}
			if err == nil && !matches {
				item.State, item.Reason = Excluded, "build constraints exclude "+rel
			}
			e.Items = append(e.Items, item)
		}
	}
	e.worked()
	// By folder first: the files of a package belong together.
	slices.SortStableFunc(e.Items, func(a, b *Item) int { return strings.Compare(path.Dir(a.File), path.Dir(b.File)) })
	slices.Sort(e.Notes)
	e.Notes = slices.Compact(e.Notes)
	return nil
}

// worked finds the mocks on whose files other lines of the same folder work
// afterwards, such as one that puts a licence in front: what the file should be
// is then not for mockgen alone to say.
func (e *Engine) worked() {
	for _, item := range e.Items {
		if item.Kind != Mock || item.Output == "" || item.State == Excluded {
			continue
		}
		name := path.Base(item.Output)
		for _, other := range e.Items {
			if other.Kind == Other && other.State != Excluded && path.Dir(other.File) == path.Dir(item.File) && strings.Contains(strings.Join(other.Words, " "), name) {
				item.State, item.Reason = Always, fmt.Sprintf("line %d of %s works on what it makes", other.Line, other.File)
			}
		}
	}
}

func (e *Engine) buildContext() build.Context {
	ctx := build.Default
	if v := e.getenv("GOOS"); v != "" {
		ctx.GOOS = v
	}
	if v := e.getenv("GOARCH"); v != "" {
		ctx.GOARCH = v
	}
	// The go command sets this one, so that files can be for it alone.
	ctx.BuildTags = append(ctx.BuildTags, "generate")
	for tag := range strings.SplitSeq(e.opt.Tags, ",") {
		if tag != "" {
			ctx.BuildTags = append(ctx.BuildTags, tag)
		}
	}
	return ctx
}

// item looks at what a directive calls.
func (e *Engine) item(d directive.Directive) (*Item, error) {
	item := &Item{Directive: d, Kind: Other, State: Always, module: e.ws.ModuleOf(path.Dir(d.File))}
	call, ok, err := mockgen.Recognize(d.Words)
	if err != nil {
		return nil, &fault.Error{Subject: d.Place(), Fact: err.Error(), Hint: "run 'fractl mock PACKAGE.INTERFACE' for a line that is right"}
	}
	if !ok {
		if d.Inputs != nil {
			item.State = Unknown
		}
		return item, e.declared(item)
	}
	item.Kind, item.Mock, item.State = Mock, call, Unknown
	item.Version = e.version(item)
	if call.Destination != "" {
		item.Output = e.rel(d.Dir, call.Destination)
	} else {
		item.State, item.Reason = Always, "it prints its mock"
	}
	for _, file := range append([]string{call.Input}, call.Reads...) {
		if file != "" {
			item.InputFiles = append(item.InputFiles, e.rel(d.Dir, file))
		}
	}
	slices.Sort(item.InputFiles)
	return item, nil
}

// version is that of mockgen for a directive: its own, else the module's, else
// the one that this program was made with.
func (e *Engine) version(item *Item) string {
	if item.Mock.Version != "" {
		return item.Mock.Version
	}
	if item.module != nil {
		for _, r := range item.module.File.Require {
			if r.Mod.Path == mockgen.ModulePath {
				return r.Mod.Version
			}
		}
		e.Notes = append(e.Notes, item.module.GoMod()+" names no version of "+mockgen.ModulePath+": its mocks are made by "+e.opt.Pinned)
	}
	return e.opt.Pinned
}

// declared expands the patterns of a directive's inputs.
func (e *Engine) declared(item *Item) error {
	for _, pattern := range item.Inputs {
		names, err := filepath.Glob(filepath.Join(item.Dir, filepath.FromSlash(pattern)))
		if err != nil {
			return fault.At(item.File, item.Line, "fractl:inputs has the malformed pattern "+pattern, "write names with * for parts of them")
		}
		if len(names) == 0 {
			return fault.At(item.File, item.Line, "fractl:inputs names "+pattern+", and there is no such file", "mend the pattern, or remove it")
		}
		for _, name := range names {
			item.InputFiles = append(item.InputFiles, e.ws.Rel(name))
		}
	}
	slices.Sort(item.InputFiles)
	item.InputFiles = slices.Compact(item.InputFiles)
	return nil
}

func (e *Engine) rel(dir, file string) string {
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	return e.ws.Rel(file)
}

// patterns gives what the package patterns cover, by folders relative to the
// root.
func (e *Engine) patterns() (func(dir string) bool, error) {
	list := e.opt.Patterns
	if len(list) == 0 {
		list = []string{"./..."}
	}
	var tests []func(string) bool
	for _, p := range list {
		base, deep := strings.CutSuffix(p, "...")
		base = strings.TrimSuffix(base, "/")
		var dir string
		switch {
		case p == "all" || p == "work":
			dir, deep = ".", true
		case p == "." || p == ".." || strings.HasPrefix(p, "./") || strings.HasPrefix(p, "../") || filepath.IsAbs(p):
			abs := base
			if !filepath.IsAbs(base) {
				abs = filepath.Join(e.opt.Dir, filepath.FromSlash(base))
			}
			dir = e.ws.Rel(abs)
			if info, err := os.Stat(abs); err != nil || !info.IsDir() {
				return nil, fault.New(p, "no such folder", "give a package, or a folder and /...")
			}
		default:
			found, ok := e.ws.PackageDir(base)
			if !ok {
				return nil, fault.New(p, "no package of this workspace", "give a package of one of its modules, or ./...")
			}
			dir = found
		}
		tests = append(tests, func(at string) bool {
			return at == dir || deep && (dir == "." || strings.HasPrefix(at, dir+"/"))
		})
	}
	return func(dir string) bool {
		return slices.ContainsFunc(tests, func(t func(string) bool) bool { return t(dir) })
	}, nil
}
