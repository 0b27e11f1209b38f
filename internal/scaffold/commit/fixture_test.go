package commit

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/fractl/fractl/internal/scaffold"
)

// fixture is a small repository that a plan creates, updates and deletes in.
func fixture(t *testing.T) string {
	base := t.TempDir()
	put(t, base, "go.work", "go 1.26\n", 0o644)
	put(t, base, "fractl.yaml", "version: 1\n", 0o640)
	put(t, base, "contracts/go.mod", "module example.com/contracts\n", 0o644)
	put(t, base, "old/remove.me", "gone soon\n", 0o644)
	put(t, base, "emptied/deep/a.me", "gone soon\n", 0o644)
	put(t, base, "emptied/b.me", "gone soon\n", 0o600)
	if err := os.Chmod(filepath.Join(base, "emptied", "deep"), 0o750); err != nil {
		t.Fatal(err)
	}
	put(t, base, "filled/out.me", "gone soon\n", 0o644)
	put(t, base, "old/sub/stays", "mine\n", 0o644)
	return base
}

func plan(t testing.TB, base string) *scaffold.Plan {
	t.Helper()
	p, err := makePlan(base)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func makePlan(base string) (*scaffold.Plan, error) {
	b, err := scaffold.NewBuilder(base, base)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	b.Create("auth/go.mod", []byte("module example.com/auth\n"), scaffold.Seeded, 0o644)
	b.Create("auth/cmd/auth/main.go", []byte("package main\n"), scaffold.Seeded, 0o644)
	b.Create("auth/run.sh", []byte("#!/bin/sh\n"), scaffold.Seeded, 0o755)
	b.Create("contracts/auth/v1/openapi.yaml", []byte("openapi: 3.0.3\n"), scaffold.Seeded, 0o644)
	b.Create("README.md", []byte("# shop\n"), scaffold.Seeded, 0o644)
	b.Update("go.work", []byte("go 1.26\n\nuse ./auth\n"), scaffold.Seeded, "use ./auth")
	b.Update("fractl.yaml", []byte("version: 1\nfractions: {auth: {dir: auth}}\n"), scaffold.Seeded, "")
	b.Delete("old/remove.me", scaffold.Generated, "no longer made")
	b.Delete("emptied/deep/a.me", scaffold.Generated, "")
	b.Delete("emptied/b.me", scaffold.Generated, "")
	b.Delete("filled/out.me", scaffold.Generated, "")
	b.Create("filled/in/new.me", []byte("new\n"), scaffold.Generated, 0o644)
	return b.Plan()
}

// wanted is the snapshot of the fixture after the plan.
func wanted() map[string]string {
	return map[string]string{
		"auth/": "drwxr-xr-x", "auth/cmd/": "drwxr-xr-x", "auth/cmd/auth/": "drwxr-xr-x",
		"auth/go.mod":                    "-rw-r--r-- module example.com/auth\n",
		"auth/cmd/auth/main.go":          "-rw-r--r-- package main\n",
		"auth/run.sh":                    "-rwxr-xr-x #!/bin/sh\n",
		"contracts/":                     "drwxr-xr-x",
		"contracts/go.mod":               "-rw-r--r-- module example.com/contracts\n",
		"contracts/auth/":                "drwxr-xr-x",
		"contracts/auth/v1/":             "drwxr-xr-x",
		"contracts/auth/v1/openapi.yaml": "-rw-r--r-- openapi: 3.0.3\n",
		"README.md":                      "-rw-r--r-- # shop\n",
		"go.work":                        "-rw-r--r-- go 1.26\n\nuse ./auth\n",
		"fractl.yaml":                    "-rw-r----- version: 1\nfractions: {auth: {dir: auth}}\n",
		"old/":                           "drwxr-xr-x",
		"old/sub/":                       "drwxr-xr-x",
		"old/sub/stays":                  "-rw-r--r-- mine\n",
		"filled/":                        "drwxr-xr-x",
		"filled/in/":                     "drwxr-xr-x",
		"filled/in/new.me":               "-rw-r--r-- new\n",
	}
}

// snapshot maps every path below base, but for the folder of the commit, to its
// mode and content.
func snapshot(t testing.TB, base string) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := filepath.WalkDir(base, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == base {
			return err
		}
		rel, _ := filepath.Rel(base, name)
		if rel == Folder {
			return fs.SkipDir
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if d.IsDir() {
			got[filepath.ToSlash(rel)+"/"] = info.Mode().String()
			return nil
		}
		data, err := os.ReadFile(name)
		got[filepath.ToSlash(rel)] = info.Mode().String() + " " + string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func put(t testing.TB, base, name, content string, mode fs.FileMode) {
	t.Helper()
	full := filepath.Join(base, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

func noFolder(t *testing.T, step int, base string) {
	t.Helper()
	if _, err := os.Lstat(filepath.Join(base, Folder)); err == nil {
		t.Errorf("step %d: %s is left behind", step, Folder)
	}
}
