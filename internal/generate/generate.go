// Package generate finds the go:generate directives of a workspace, tells which
// of their outputs are stale, and carries them out. Calls of mockgen are its own
// business: they need no installed program, and their state is known by content.
// Everything else is run as go generate would.
package generate

import (
	"context"
	"fmt"
	"go/types"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/generate/directive"
	"github.com/fractl/fractl/internal/generate/mockgen"
	"github.com/fractl/fractl/internal/workspace"
)

// Options say what one run looks at, and how.
type Options struct {
	// Dir is the working folder; patterns are relative to it.
	Dir string
	// Patterns are "./…" patterns and import paths, with "..." at the end; none
	// means "./...".
	Patterns []string
	// Run and Skip choose directives by their text, as those of go generate.
	Run, Skip *regexp.Regexp
	// Tags are build tags, separated by commas.
	Tags string
	// Timeout bounds each directive; 0 means no bound.
	Timeout time.Duration
	// Jobs is how many directives run at a time; 0 means one for each core.
	Jobs int
	// Cache is the folder of what is known and of built tools.
	Cache string
	// Pinned is the version of mockgen for modules that name none.
	Pinned string
	// Env is the environment; nil means that of the process.
	Env []string
}

// Kind is what a directive is to this package.
type Kind string

// The kinds.
const (
	Mock  Kind = "mock"
	Other Kind = "command"
)

// State is what is known of what a directive makes.
type State string

// The states.
const (
	Fresh    State = "fresh"    // it is what the directive would make
	Stale    State = "stale"    // it is something else
	Missing  State = "missing"  // it is not there
	Unknown  State = "unknown"  // nobody has looked yet
	Always   State = "always"   // it declares no inputs, and is run each time
	Excluded State = "excluded" // build constraints exclude its file
	Orphaned State = "orphaned" // a mock whose interface is gone
	Failed   State = "failed"   // it could not be made
)

// Item is one directive with all that is known of it.
type Item struct {
	directive.Directive
	Kind Kind
	// Mock is the call of mockgen; nil for other commands.
	Mock *mockgen.Call
	// Version is that of mockgen.
	Version string
	// Output is where a mock goes, relative to the root; "" where it is printed
	// or not known.
	Output string
	// InputFiles are what it reads, as far as that is declared or plain, relative
	// to the root and sorted.
	InputFiles []string
	State      State
	// Reason says why it is not fresh.
	Reason string
	// Hint is the next step where it failed; may be "".
	Hint string
	// Printed is what a command printed.
	Printed string

	module *workspace.Module
	// made is the content that it should have; ran says that it was carried out,
	// wrote that something changed by it.
	made       []byte
	key        string
	ran, wrote bool
}

// Engine holds what the directives of one workspace share.
type Engine struct {
	ws    *workspace.Workspace
	opt   Options
	env   []string
	cache *cache
	tools *mockgen.Tools
	// goroot and goVersion are those of the go command.
	goroot, goVersion string
	modcache          string
	shapes            *mockgen.Shapes
	names             *names
	// loaded are the packages of mocks that are made from types, by import path.
	loaded map[string]*types.Package
	// Items are in the order of their folders, files and lines.
	Items []*Item
	// Notes are sentences about versions that were chosen for want of one.
	Notes []string
}

// Find reads all directives that the patterns cover. A malformed one is an
// error that names its file and line.
func Find(ctx context.Context, ws *workspace.Workspace, o Options) (*Engine, error) {
	if o.Env == nil {
		o.Env = os.Environ()
	}
	e := &Engine{ws: ws, opt: o, env: o.Env}
	if err := e.askGo(ctx); err != nil {
		return nil, err
	}
	e.cache = &cache{dir: filepath.Join(o.Cache, "generate")}
	e.tools = &mockgen.Tools{Dir: filepath.Join(o.Cache, "tools"), GoVersion: e.goVersion}
	e.shapes = &mockgen.Shapes{PackageDir: func(importPath string) string {
		if dir, ok := ws.PackageDir(importPath); ok {
			return ws.Abs(dir)
		}
		return ""
	}}
	e.names = &names{ws: ws, goroot: e.goroot, modcache: e.modcache, build: e.buildContext(), known: make(map[string]string)}
	if err := e.collect(); err != nil {
		return nil, err
	}
	return e, nil
}

// getenv is the last value of a name.
func (e *Engine) getenv(name string) string {
	for _, kv := range slices.Backward(e.env) {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			return v
		}
	}
	return ""
}

// askGo finds the go command's root and version. GOROOT is part of what
// directives see.
func (e *Engine) askGo(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "go", "env", "GOROOT", "GOVERSION", "GOMODCACHE")
	cmd.Dir, cmd.Env = e.ws.Root, e.env
	out, err := cmd.Output()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err != nil || len(lines) != 3 {
		return fault.New("go", "cannot be asked for GOROOT and GOVERSION", "install Go and put it on PATH")
	}
	e.goroot, e.goVersion, e.modcache = lines[0], lines[1], lines[2]
	return nil
}

// Abs is the absolute path of a file of the workspace.
func (e *Engine) Abs(rel string) string { return e.ws.Abs(rel) }

// Summary says in a few words what a run did.
func (e *Engine) Summary() string {
	var wrote, same, commands, fresh int
	for _, item := range e.Items {
		switch {
		case !item.ran && item.State == Fresh:
			fresh++
		case item.ran && item.Kind == Other:
			commands++
		case item.wrote:
			wrote++
		case item.ran:
			same++
		}
	}
	return fmt.Sprintf("%d mocks written, %d as they were, %d known to be fresh; %d commands run", wrote, same, fresh, commands)
}

// MockOf is the directive that makes the mock of an interface, from a file or in
// its package, or nil.
func (e *Engine) MockOf(file, name string) *Item {
	for _, item := range e.Items {
		if item.Kind != Mock || path.Dir(item.File) != path.Dir(file) {
			continue
		}
		switch item.Mock.Mode {
		case mockgen.Source:
			if e.rel(item.Dir, item.Mock.Input) == file {
				return item
			}
		case mockgen.Package:
			if slices.Contains(item.Mock.Interfaces, name) {
				return item
			}
		}
	}
	return nil
}

// Go runs the go command in a folder and gives what it prints.
func Go(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}
