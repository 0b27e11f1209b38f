package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// subject is a module, or a workspace that is put together of several.
type subject struct {
	name string
	// modules are MODULE@VERSION, each with the folder it is put in.
	modules []placed
	// work is added to go.work; without it there is one module and no go.work.
	work string
	tree string // a folder in place of modules
	// hubMust is the bar of a small subject, where few packages hang on the hub.
	hubMust float64
}

type placed struct{ module, dir string }

// subjects are pinned. etcd's modules are released one by one and made a
// workspace again, without the replacements that would forbid that.
var subjects = []subject{
	{
		name: "etcd",
		modules: []placed{
			{"go.etcd.io/etcd/api/v3@v3.6.0", "api"}, {"go.etcd.io/etcd/client/pkg/v3@v3.6.0", "client/pkg"},
			{"go.etcd.io/etcd/client/v3@v3.6.0", "client/v3"}, {"go.etcd.io/etcd/pkg/v3@v3.6.0", "pkg"},
			{"go.etcd.io/etcd/server/v3@v3.6.0", "server"}, {"go.etcd.io/etcd/etcdutl/v3@v3.6.0", "etcdutl"},
			{"go.etcd.io/etcd/etcdctl/v3@v3.6.0", "etcdctl"}, {"go.etcd.io/etcd/tests/v3@v3.6.0", "tests"},
		},
		work: "replace google.golang.org/genproto => google.golang.org/genproto v0.0.0-20250303144028-a0af3efb3deb\n",
	},
	{name: "kratos", modules: []placed{{"github.com/go-kratos/kratos/v2@v2.8.3", "."}}, hubMust: 0.40},
	{name: "caddy", modules: []placed{{"github.com/caddyserver/caddy/v2@v2.10.0", "."}}},
	{name: "openfga", modules: []placed{{"github.com/openfga/openfga@v1.8.0", "."}}},
}

// prepare copies the subject into dir.
func (s subject) prepare(dir string) error {
	if s.tree != "" {
		return os.CopyFS(dir, os.DirFS(s.tree))
	}
	work := "go 1.24.0\n"
	for _, m := range s.modules {
		from, err := download(m.module)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(m.dir))
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			return err
		}
		work += "use ./" + m.dir + "\n"
	}
	if err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if d.IsDir() {
			mode = 0o755
		}
		return os.Chmod(name, mode)
	}); err != nil {
		return err
	}
	if s.work != "" {
		for _, m := range s.modules {
			if err := dropForbidden(filepath.Join(dir, m.dir, "go.mod")); err != nil {
				return err
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "go.work"), []byte(work+s.work), 0o644); err != nil {
			return err
		}
	}
	// What the tools read of other modules is there before the first is timed.
	_, err := output(dir, append([]string{"go", "list", "-deps", "-test"}, patterns(dir)...)...)
	return err
}

func dropForbidden(name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var kept []string
	for line := range strings.Lines(string(data)) {
		if !strings.Contains(line, "FORBIDDEN_DEPENDENCY") {
			kept = append(kept, line)
		}
	}
	return os.WriteFile(name, []byte(strings.Join(kept, "")), 0o644)
}

// download gives the folder of a module in the module cache.
func download(module string) (string, error) {
	out, err := output(os.TempDir(), "go", "mod", "download", "-json", module)
	if err != nil {
		return "", err
	}
	var m struct{ Dir string }
	return m.Dir, json.Unmarshal(out, &m)
}

func output(dir string, args ...string) ([]byte, error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, &stderr)
	}
	return out, nil
}

// patterns match every package of the tree: the go command wants each module of
// a workspace named.
func patterns(dir string) []string {
	data, err := os.ReadFile(filepath.Join(dir, "go.work"))
	if err != nil {
		return []string{"./..."}
	}
	var list []string
	for line := range strings.Lines(string(data)) {
		if use, ok := strings.CutPrefix(strings.TrimSpace(line), "use "); ok {
			list = append(list, strings.TrimSpace(use)+"/...")
		}
	}
	return list
}

// place is a tree with the files to edit.
type place struct {
	dir        string
	patterns   []string
	packages   int
	leaf, hub  file
	folder     string // a package to look at alone
	dependents int
}

type file struct{ name, pkg string }

// survey chooses a package that nobody imports and the one that most do.
func survey(dir string) (place, error) {
	p := place{dir: dir, patterns: patterns(dir)}
	out, err := output(dir, append([]string{"go", "list", "-json=ImportPath,Name,Dir,GoFiles,Deps"}, p.patterns...)...)
	if err != nil {
		return p, err
	}
	type listed struct {
		ImportPath, Name, Dir string
		GoFiles, Deps         []string
	}
	var list []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var l listed
		if err := dec.Decode(&l); err != nil {
			return p, err
		}
		list = append(list, l)
	}
	p.packages = len(list)
	importers := make(map[string]int)
	for _, l := range list {
		for _, d := range l.Deps {
			importers[d]++
		}
	}
	leaves := slices.Clone(list)
	// The leaf with most below it is the dearest to look at again.
	slices.SortStableFunc(leaves, func(a, b listed) int { return len(b.Deps) - len(a.Deps) })
	rel := func(l listed) file {
		name, err := filepath.Rel(dir, filepath.Join(l.Dir, l.GoFiles[0]))
		if err != nil {
			name = filepath.Join(l.Dir, l.GoFiles[0])
		}
		return file{filepath.ToSlash(name), l.Name}
	}
	for _, l := range leaves {
		if len(l.GoFiles) > 0 && importers[l.ImportPath] == 0 && l.Name != "main" {
			p.leaf = rel(l)
			p.folder = "./" + filepath.ToSlash(filepath.Dir(p.leaf.name))
			break
		}
	}
	for _, l := range list {
		if len(l.GoFiles) > 0 && l.Name != "main" && importers[l.ImportPath] > p.dependents {
			p.hub, p.dependents = rel(l), importers[l.ImportPath]
		}
	}
	if p.leaf.name == "" || p.hub.name == "" {
		return p, fmt.Errorf("no leaf or no hub among %d packages", p.packages)
	}
	return p, nil
}

// edit appends text to a file, and returns what puts it back.
func (p place) edit(f file, text string) (undo func() error, err error) {
	name := filepath.Join(p.dir, filepath.FromSlash(f.name))
	before, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(name, append(slices.Clone(before), text...), 0o644); err != nil {
		return nil, err
	}
	return func() error { return os.WriteFile(name, before, 0o644) }, nil
}
