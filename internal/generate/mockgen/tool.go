package mockgen

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/fractl/fractl/internal/fault"
)

// Tools builds mockgen in the versions that are asked for, each once, and keeps
// them in a folder. It is safe for concurrent use, and so is the folder.
type Tools struct {
	// Dir is where they are kept, such as fractl/tools in the user's cache.
	Dir string
	// GoVersion is that of the go command, "go1.26.8".
	GoVersion string

	mu   sync.Mutex
	done map[string]func() (string, error)
}

// Get gives the program of a version. moduleDir is the folder of a module that
// may require it: then it is built from what that module's go.sum vouches for.
// Else it is installed by its version, as go install does.
func (t *Tools) Get(ctx context.Context, version, moduleDir string) (string, error) {
	t.mu.Lock()
	if t.done == nil {
		t.done = make(map[string]func() (string, error))
	}
	get, ok := t.done[version]
	if !ok {
		get = sync.OnceValues(func() (string, error) { return t.make(ctx, version, moduleDir) })
		t.done[version] = get
	}
	t.mu.Unlock()
	return get()
}

func (t *Tools) make(ctx context.Context, version, moduleDir string) (string, error) {
	name := "mockgen"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	file := filepath.Join(t.Dir, fmt.Sprintf("mockgen@%s-%s-%s-%s", version, t.GoVersion, runtime.GOOS, runtime.GOARCH), name)
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	dir, err := scratch(t.Dir)
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	built := filepath.Join(dir, name)
	// The module's own go.mod and go.sum first: they need no network where its
	// mocks were ever made.
	out, err := t.run(ctx, moduleDir, nil, "go", "build", "-o", built, ToolPath)
	if err != nil || !is(built, version) {
		empty := filepath.Join(dir, "empty")
		if err := os.Mkdir(empty, 0o777); err != nil {
			return "", err
		}
		out, err = t.run(ctx, empty, []string{"GOFLAGS=", "GOWORK=off", "GOBIN=" + dir}, "go", "install", ToolPath+"@"+version)
		if err != nil && ctx.Err() == nil {
			// Old versions require an x/tools that a new Go does not compile.
			if mended, mendErr := t.mend(ctx, empty, built, version); mendErr == nil {
				out, err = mended, nil
			}
		}
	}
	if err != nil {
		return "", fault.New("mockgen "+version, "cannot be built: "+firstLine(out), "run 'go get -tool "+ToolPath+"@"+version+"' in the module, and 'go mod download'")
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return "", err
	}
	if err := os.Rename(built, file); err != nil {
		if _, statErr := os.Stat(file); statErr == nil {
			return file, nil // another run was faster
		}
		return "", err
	}
	return file, nil
}

// toolsModule is a module that compiles with the Go releases that this program
// is for.
const toolsModule = "golang.org/x/tools@v0.52.0"

// mend builds an old version with a newer x/tools, which only reads source: what
// is written does not depend on it.
func (t *Tools) mend(ctx context.Context, dir, built, version string) (string, error) {
	env := []string{"GOFLAGS=-mod=mod", "GOWORK=off"}
	var out string
	for _, args := range [][]string{
		{"mod", "init", "example.com/mockgen"},
		{"get", ToolPath + "@" + version, toolsModule},
		{"build", "-o", built, ToolPath},
	} {
		var err error
		if out, err = t.run(ctx, dir, env, "go", args...); err != nil {
			return out, err
		}
	}
	return out, nil
}

// scratch makes a folder beside those of the programs, so that a rename into
// them is one on one file system; where there cannot be one it is a temporary
// folder.
func scratch(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o777); err == nil {
		if made, err := os.MkdirTemp(dir, "build-"); err == nil {
			return made, nil
		}
	}
	return "", fault.New(dir, "is not writable", "set XDG_CACHE_HOME to a folder that is")
}

// is looks into a built program: what a workspace selects, or a module replaces,
// may be another version than the one asked for.
func is(file, version string) bool {
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return false
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == ModulePath {
			return m.Version == version && m.Replace == nil
		}
	}
	return false
}

func (t *Tools) run(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=", "GOARCH=")
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		err = errors.Join(ctx.Err(), err)
	}
	return string(out), err
}

func firstLine(s string) string {
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "go: downloading") {
			return line
		}
	}
	return "the go command says nothing"
}
