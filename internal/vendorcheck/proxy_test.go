package vendorcheck

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// published are the modules of the tests' module proxy: no test of this package
// needs a network.
var published = []struct {
	path, version string
	files         map[string]string
}{
	{"example.com/errors", "v0.8.1", map[string]string{
		"go.mod": "module example.com/errors\n\ngo 1.12\n", "errors.go": "package errors\n\nconst V = 81\n"}},
	{"example.com/errors", "v0.9.1", map[string]string{
		"go.mod": "module example.com/errors\n\ngo 1.12\n", "errors.go": "package errors\n\nconst V = 91\n",
		"extra.go": "//go:build windows\n\npackage errors\n", "gen.go": "//go:build ignore\n\npackage main\n",
		"errors_test.go": "package errors\n", "LICENSE": "x\n", "docs/more.md": "x\n",
		"wrap/wrap.go": "package wrap\n\nimport _ \"example.com/errors\"\n"}},
	{"example.com/quote", "v1.5.1", map[string]string{
		"go.mod":   "module example.com/quote\n\ngo 1.16\n\nrequire example.com/sampler v1.0.0\n",
		"quote.go": "package quote\n\nimport _ \"example.com/sampler\"\n"}},
	{"example.com/quote", "v1.5.2", map[string]string{
		"go.mod":   "module example.com/quote\n\ngo 1.16\n\nrequire example.com/sampler v1.3.0\n",
		"quote.go": "package quote\n\nimport (\n\t\"embed\"\n\n\t_ \"example.com/sampler\"\n)\n\n//go:embed text\nvar fs embed.FS\n", "text/a.txt": "a\n", "text/.b": "b\n"}},
	{"example.com/sampler", "v1.0.0", map[string]string{
		"go.mod": "module example.com/sampler\n", "sampler.go": "package sampler\n"}},
	{"example.com/sampler", "v1.3.0", map[string]string{
		"go.mod": "module example.com/sampler\n", "sampler.go": "package sampler\n"}},
	{"example.com/tool", "v1.0.0", map[string]string{
		"go.mod": "module example.com/tool\n\ngo 1.18\n", "cmd/tool/main.go": "package main\n\nfunc main() {}\n"}},
	{"example.com/fork/errors", "v0.9.2", map[string]string{
		"go.mod": "module example.com/fork/errors\n\ngo 1.12\n", "errors.go": "package errors\n\nconst V = 92\n",
		"wrap/wrap.go": "package wrap\n"}},
	{"example.com/modern", "v1.0.0", map[string]string{
		"go.mod": "module example.com/modern\n\ngo 1.21\n", "modern.go": "package modern\n"}},
}

// goTool is the go command with a proxy and a module cache of its own.
type goTool struct{ environ []string }

// sharedGo makes the proxy once for all tests of the package.
var sharedGo = sync.OnceValues(func() (*goTool, error) {
	dir, err := os.MkdirTemp("", "vendorcheck")
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, err
	}
	tempDirs = append(tempDirs, dir)
	for _, p := range published {
		if err := publish(filepath.Join(dir, "proxy"), p.path, p.version, p.files); err != nil {
			return nil, err
		}
	}
	environ := slices.DeleteFunc(os.Environ(), func(kv string) bool {
		return strings.HasPrefix(kv, "GO") && !strings.HasPrefix(kv, "GOCACHE=") && !strings.HasPrefix(kv, "GOROOT=")
	})
	return &goTool{environ: append(environ,
		"GOPROXY=file://"+filepath.ToSlash(filepath.Join(dir, "proxy")), "GOSUMDB=off", "GOENV=off", "GOTOOLCHAIN=local",
		"GOMODCACHE="+filepath.Join(dir, "cache"), "GOFLAGS=-modcacherw", "GOWORK=")}, nil
})

// tempDirs are removed by TestMain: they outlive the test that made them.
var tempDirs []string

func TestMain(m *testing.M) {
	code := m.Run()
	for _, dir := range tempDirs {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

func newGo(t testing.TB) *goTool {
	t.Helper()
	g, err := sharedGo()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func publish(proxy, path, version string, files map[string]string) error {
	escaped, err := module.EscapePath(path)
	if err != nil {
		return err
	}
	src, err := os.MkdirTemp("", "module")
	if err != nil {
		return err
	}
	defer os.RemoveAll(src)
	for name, text := range files {
		if err := writeFile(filepath.Join(src, name), text); err != nil {
			return err
		}
	}
	base := filepath.Join(proxy, filepath.FromSlash(escaped), "@v", version)
	var archive bytes.Buffer
	if err := zip.CreateFromDir(&archive, module.Version{Path: path, Version: version}, src); err != nil {
		return err
	}
	for suffix, text := range map[string]string{
		".zip": archive.String(), ".mod": files["go.mod"],
		".info": fmt.Sprintf(`{"Version":%q,"Time":"2024-01-01T00:00:00Z"}`, version),
	} {
		if err := writeFile(base+suffix, text); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(name, text string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(text), 0o644)
}

// run runs the go command in dir and returns what it printed.
func (g *goTool) run(dir string, extra []string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(append(slices.Clone(g.environ), "PWD="+dir), extra...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// must is run for what has to succeed.
func (g *goTool) must(t testing.TB, dir string, extra []string, args ...string) {
	t.Helper()
	if out, err := g.run(dir, extra, args...); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// tree writes files below a new folder whose path holds no link.
func tree(t testing.TB, files map[string]string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := writeFile(filepath.Join(dir, filepath.FromSlash(name)), text); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// edit replaces text in a file, which has to hold it.
func edit(t testing.TB, dir, name, old, new string) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), old) {
		t.Fatalf("%s does not hold %q:\n%s", name, old, data)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(data), old, new, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}
