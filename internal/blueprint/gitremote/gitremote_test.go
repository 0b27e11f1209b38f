package gitremote

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/mod/module"
)

func TestFromURL(t *testing.T) {
	for remote, want := range map[string]string{
		"https://github.com/example/shop.git":            "github.com/example/shop",
		"https://github.com/example/shop":                "github.com/example/shop",
		"https://github.com/example/shop/":               "github.com/example/shop",
		"https://user:secret@git.example.com/a/b.git":    "git.example.com/a/b",
		"http://GitHub.com/Example/Shop.git":             "github.com/Example/Shop",
		"https://git.example.com:8443/group/sub/x.git":   "git.example.com/group/sub/x",
		"ssh://git@github.com/example/shop.git":          "github.com/example/shop",
		"ssh://git@github.com:2222/example/shop.git":     "github.com/example/shop",
		"git+ssh://git@github.com/example/shop.git":      "github.com/example/shop",
		"git://git.kernel.org/pub/scm/git/git.git":       "git.kernel.org/pub/scm/git/git",
		"git@github.com:example/shop.git":                "github.com/example/shop",
		"git@github.com:/example/shop.git":               "github.com/example/shop",
		"github.com:example/shop":                        "github.com/example/shop",
		"/srv/git/shop.git":                              "",
		"../shop.git":                                    "",
		"file:///srv/git/shop.git":                       "",
		"C:/git/shop.git":                                "",
		`C:\git\shop.git`:                                "",
		"git@gitserver:team/shop.git":                    "",
		"https://localhost/shop.git":                     "",
		"https://github.com/":                            "",
		"https://github.com/example/a b.git":             "",
		"git@github.com:~user/shop.git":                  "github.com/~user/shop",
		"https://github.com/../x.git":                    "",
		"":                                               "",
		"ext::ssh -i key git@github.com example/shop %S": "",
	} {
		if got := FromURL(remote); got != want {
			t.Errorf("%s: %q, want %q", remote, got, want)
		}
	}
}

const origin = "[core]\n\tbare = false\n[remote \"origin\"]\n\turl = git@github.com:example/shop.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n"

func TestModulePath(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"origin":                {map[string]string{".git/HEAD": "ref: x\n", ".git/config": origin}, "github.com/example/shop"},
		"no config":             {map[string]string{".git/HEAD": "ref: x\n"}, ""},
		"no remote":             {map[string]string{".git/HEAD": "ref: x\n", ".git/config": "[core]\n"}, ""},
		"the only remote":       {map[string]string{".git/HEAD": "x", ".git/config": "[Remote \"hub\"]\n URL = \"https://git.example.com/a/b\" ; ours\n"}, "git.example.com/a/b"},
		"comment and two URLs":  {map[string]string{".git/HEAD": "x", ".git/config": "[remote \"origin\"]\n# url = https://no.example/no\nurl = https://one.example/a # first\nurl = https://two.example/b\n"}, "one.example/a"},
		"two, none is origin":   {map[string]string{".git/HEAD": "x", ".git/config": "[remote \"a\"]\nurl = https://a.example/a\n[remote \"b\"]\nurl = https://b.example/b\n"}, ""},
		"a branch is no remote": {map[string]string{".git/HEAD": "x", ".git/config": "[branch \"main\"]\nurl = https://a.example/a\n"}, ""},
		"worktree": {map[string]string{".git": "gitdir: real/.git/worktrees/w\n", "real/.git/worktrees/w/commondir": "../..\n",
			"real/.git/config": origin}, "github.com/example/shop"},
		"submodule": {map[string]string{".git": "gitdir: real/.git/modules/m\n", "real/.git/modules/m/config": origin}, "github.com/example/shop"},
	} {
		top := t.TempDir()
		for file, text := range c.files {
			put(t, filepath.Join(top, filepath.FromSlash(file)), text)
		}
		if got := Top(filepath.Join(top)); got != top {
			t.Errorf("%s: top %q", name, got)
		}
		got, err := ModulePath(top)
		if err != nil || got != c.want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
}

func TestTop(t *testing.T) {
	top := t.TempDir()
	put(t, filepath.Join(top, ".git", "HEAD"), "ref: refs/heads/main\n")
	deep := filepath.Join(top, "a", "b")
	// A folder called .git without a HEAD is no repository.
	put(t, filepath.Join(deep, ".git", "x"), "")
	if got := Top(deep); got != top {
		t.Errorf("top %q, want %q", got, top)
	}
}

func TestBrokenGitFile(t *testing.T) {
	top := t.TempDir()
	put(t, filepath.Join(top, ".git"), "nonsense\n")
	if got, err := ModulePath(top); err == nil {
		t.Errorf("no error, module path %q", got)
	}
}

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// FuzzConfig holds that no configuration gives anything but a module path.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(origin))
	f.Add([]byte("[remote \"origin\"]url=https://a.example/b\n"))
	f.Add([]byte("[remote \"origin\nurl = x:y"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, u := range parseConfig(data) {
			if p := FromURL(u); p != "" && module.CheckPath(p) != nil {
				t.Errorf("%q gives %q", u, p)
			}
		}
	})
}
