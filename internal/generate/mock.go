package generate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/generate/mockgen"
	"github.com/fractl/fractl/internal/workspace"
)

// look tells the state of what a directive makes, as far as that is known
// without making it.
func (e *Engine) look(item *Item) {
	if item.State != Unknown {
		return
	}
	key, ok := e.keyOf(item)
	if !ok {
		item.Reason = "what it reads is not there"
		return
	}
	item.key = key
	list, ok := e.cache.get(key)
	if !ok {
		item.Reason = "nobody has made it from what it reads now"
		return
	}
	item.State, item.Reason = Fresh, ""
	for _, o := range list {
		e.compare(item, o)
		if item.State != Fresh {
			return
		}
	}
}

// compare holds a file that is there against what it should be.
func (e *Engine) compare(item *Item, o output) {
	data, err := os.ReadFile(e.ws.Abs(o.file))
	switch {
	case errors.Is(err, os.ErrNotExist):
		item.State, item.Reason = Missing, o.file+" is not there"
	case err != nil:
		item.State, item.Reason = Stale, workspace.Unreadable(o.file, err).Error()
	case sumOf(data) == o.sum:
		item.State, item.Reason = Fresh, ""
	case item.Kind == Mock:
		item.State, item.Reason = Stale, o.file+" is not what mockgen "+item.Version+" makes now"
	default:
		item.State, item.Reason = Stale, o.file+" is not what the command left"
	}
}

// makeMock makes what a mock should be, in memory.
func (e *Engine) makeMock(ctx context.Context, item *Item) error {
	out, err := e.make(ctx, item)
	if err != nil {
		return err
	}
	item.made = out
	if item.Output != "" && item.key != "" {
		e.cache.put(item.key, []output{{item.Output, sumOf(out)}})
	}
	return nil
}

// destinationModule is the folder of the module that the mock goes into.
func (e *Engine) destinationModule(item *Item) string {
	dir := item.Dir
	if item.Mock.Destination != "" {
		dir = filepath.Dir(filepath.Join(item.Dir, item.Mock.Destination))
		if filepath.IsAbs(item.Mock.Destination) {
			dir = filepath.Dir(item.Mock.Destination)
		}
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at
		}
		if filepath.Dir(at) == at {
			return dir
		}
	}
}

// environment is that of the process of a directive, with Go's own programs
// first on PATH, as go generate has it.
func (e *Engine) environment(item *Item) []string {
	env := append(slices.Clone(e.env), item.Environment(e.goroot, e.getenv)...)
	return append(env, "PATH="+filepath.Join(e.goroot, "bin")+string(os.PathListSeparator)+e.getenv("PATH"))
}

// explain turns what mockgen said into a reason, with the nearest name where an
// interface is not there.
func (e *Engine) explain(item *Item, err error) (reason, hint string) {
	var f *mockgen.Failure
	if !errors.As(err, &f) {
		return err.Error(), ""
	}
	reason = strings.TrimPrefix(f.Error(), "prog: ")
	if i := strings.Index(reason, "Loading input failed: "); i >= 0 {
		reason = reason[i+len("Loading input failed: "):]
	}
	if item.Mock.Mode != mockgen.Package {
		return reason, ""
	}
	dir, ok := e.ws.PackageDir(item.Mock.ImportPath)
	if item.Mock.ImportPath == "." {
		dir, ok = e.ws.Rel(item.Dir), true
	}
	if !ok {
		return reason, ""
	}
	known := mockgen.Interfaces(e.ws.Abs(dir))
	for _, name := range item.Mock.Interfaces {
		if !slices.Contains(known, name) {
			hint = fmt.Sprintf("package %s has no interface %s", item.Mock.ImportPath, name)
			if near := workspace.Nearest(name, known); near != "" {
				hint += "; did you mean " + near + "?"
			}
			return reason, hint
		}
	}
	return reason, ""
}

// printed is what a generator said before it failed.
func printed(err error) string {
	var f *mockgen.Failure
	if errors.As(err, &f) {
		return f.Output
	}
	return ""
}
