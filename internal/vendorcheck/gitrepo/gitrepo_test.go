package gitrepo

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func git(t testing.TB, dir string, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "core.excludesFile=", "-c", "user.name=x", "-c", "user.email=x@example.com"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Skip("no git to compare with: ", err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func write(t testing.TB, dir, name, text string) {
	t.Helper()
	name = filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestAgainstGit makes ignore files and names by chance, and asks git about each.
func TestAgainstGit(t *testing.T) {
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	names := []string{"a", "b.log", "vendor", "x.o", ".env", "lib", "c d", "a[1]", "#x", "!y", "doc.txt"}
	patterns := []string{"*.log", "a", "/a", "a/", "!b.log", "vendor/*", "!vendor/lib", "**/x.o", "lib/**", "lib/**/x.o", ".env", "c d", "c d ", `c\ d`, "[ab]", "[!a]", "*", "!*/", "#x", `\#x`, `\!y`, "/vendor/lib/", "*.[oa]", "doc.*", "a/b.log", "?", "", "vendor", "**", "/**/a"}
	for seed := range 300 {
		chance := rand.New(rand.NewPCG(uint64(seed), 3))
		root := filepath.Join(dir, fmt.Sprint(seed))
		write(t, root, ".keep", "")
		git(t, root, "init", "-q")
		for _, file := range []string{".gitignore", "vendor/.gitignore", "vendor/lib/.gitignore"}[:1+chance.IntN(3)] {
			var text strings.Builder
			for range 1 + chance.IntN(4) {
				text.WriteString(patterns[chance.IntN(len(patterns))] + "\n")
			}
			write(t, root, file, text.String())
		}
		var paths []string
		for range 12 {
			var p []string
			for range 1 + chance.IntN(4) {
				p = append(p, names[chance.IntN(len(names))])
			}
			paths = append(paths, strings.Join(p, "/"))
		}
		slices.Sort(paths)
		ignores := NewIgnores(root)
		for _, p := range slices.Compact(paths) {
			_, code := git(t, root, "check-ignore", "-q", "--no-index", p)
			m, got := ignores.Ignored(p)
			if got != (code == 0) {
				a, _ := os.ReadFile(filepath.Join(root, ".gitignore"))
				b, _ := os.ReadFile(filepath.Join(root, "vendor/.gitignore"))
				c, _ := os.ReadFile(filepath.Join(root, "vendor/lib/.gitignore"))
				t.Errorf("seed %d, %q: ignored %t by %v, git says %t\n%s--\n%s--\n%s", seed, p, got, m, code == 0, a, b, c)
			}
		}
	}
}

func TestIndex(t *testing.T) {
	for _, version := range []string{"2", "3", "4"} {
		dir := t.TempDir()
		git(t, dir, "init", "-q")
		want := []string{"a", "a b/c", "vendor/example.com/lib/lib.go", "vendor/example.com/lib/lic.go", strings.Repeat("long/", 40) + "x"}
		for _, name := range want {
			write(t, dir, name, "x")
		}
		git(t, dir, "add", ".")
		git(t, dir, "update-index", "--index-version", version)
		if version == "3" {
			write(t, dir, "later", "")
			git(t, dir, "add", "-N", "later") // needs an extended flag
			want = append(want, "later")
		}
		got, err := Tracked(dir)
		if err != nil || len(got) != len(want) {
			t.Errorf("version %s: %v, %v", version, got, err)
		}
		for _, name := range want {
			if !got[name] {
				t.Errorf("version %s: %q is missing in %v", version, name, got)
			}
		}
		if Root(filepath.Join(dir, "vendor")) != dir {
			t.Error("the root is not found")
		}
	}
	if got, err := Tracked(t.TempDir()); err != nil || len(got) != 0 {
		t.Errorf("no index: %v, %v", got, err)
	}
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte("DIRC\x00\x00\x00\x02\x00\x00\x00\x01"))
	f.Add(append([]byte("DIRC\x00\x00\x00\x04\x00\x00\x00\x01"), make([]byte, 70)...))
	f.Fuzz(func(t *testing.T, data []byte) { _, _ = parseIndex(data) })
}
