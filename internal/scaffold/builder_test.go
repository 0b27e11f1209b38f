package scaffold

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPlan(t *testing.T) {
	base := t.TempDir()
	put(t, base, "shop/go.work", "go 1.26\n")
	put(t, base, "shop/same.txt", "same\n")
	put(t, base, "shop/mine.md", "mine\n")
	put(t, base, "shop/old.txt", "old\n")
	b := builder(t, base, filepath.Join(base, "shop"))
	b.Create("auth/go.mod", []byte("module auth\n"), Seeded, 0o644)
	b.Create("same.txt", []byte("same\n"), Generated, 0o644)
	b.Create("../.github/auth.yml", []byte("on: push\n"), Seeded, 0o644)
	b.Offer("mine.md", []byte("theirs\n"), Seeded, 0o644)
	b.Offer("new.md", []byte("new\n"), Seeded, 0o644)
	b.Update("go.work", []byte("go 1.26\n\nuse ./auth\n"), Seeded, "use ./auth")
	b.Delete("old.txt", Generated, "no longer made")
	p, err := b.Plan()
	if err != nil {
		t.Fatal(err)
	}
	data, err := p.JSON("new", false)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Schema  int
		Command string
		Applied bool
		Plan    []struct{ Op, Path, Owner, SHA256, Reason string }
	}
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, c := range got.Plan {
		if c.Op != "delete" && len(c.SHA256) != 64 || c.Op == "delete" && c.SHA256 != "" {
			t.Errorf("%s %s: hash %q", c.Op, c.Path, c.SHA256)
		}
		lines = append(lines, strings.Join([]string{c.Op, c.Path, c.Owner, c.Reason}, " "))
	}
	want := []string{
		"create ../.github/auth.yml seeded ",
		"create auth/go.mod seeded ",
		"update go.work seeded use ./auth",
		"skip mine.md seeded is there already and stays as it is",
		"create new.md seeded ",
		"delete old.txt generated no longer made",
		"skip same.txt generated is there already, with these bytes",
	}
	if diff := cmp.Diff(want, lines); diff != "" || got.Schema != 1 || got.Command != "new" || got.Applied {
		t.Errorf("%+v (-want +got):\n%s", got, diff)
	}
	if list := string(p.List()); !strings.Contains(list, "update go.work (use ./auth)\n") {
		t.Errorf("list:\n%s", list)
	}
	wantDiff := "--- /dev/null\n+++ b/auth/go.mod\n@@ -0,0 +1,1 @@\n+module auth\n"
	if diff := string(p.Diff()); !strings.Contains(diff, wantDiff) || !strings.Contains(diff, "--- a/old.txt\n+++ /dev/null\n") ||
		strings.Contains(diff, "same.txt") || strings.Contains(diff, "mine.md") {
		t.Errorf("diff:\n%s", diff)
	}
}

func TestConflictsAreListedTogether(t *testing.T) {
	base, outside := t.TempDir(), t.TempDir()
	put(t, base, "there.txt", "mine\n")
	put(t, base, "file", "a file\n")
	put(t, base, "folder/x", "x\n")
	link(t, outside, filepath.Join(base, "out"))
	link(t, filepath.Join("..", filepath.Base(outside)), filepath.Join(base, "rel"))
	link(t, "nowhere", filepath.Join(base, "dangling"))
	link(t, "there.txt", filepath.Join(base, "link.txt"))
	b := builder(t, base, base)
	b.Create("there.txt", []byte("ours\n"), Seeded, 0o644)
	b.Create("file/deep/a.txt", []byte("a\n"), Seeded, 0o644)
	b.Create("folder", []byte("a\n"), Seeded, 0o644)
	b.Create("out/a.txt", []byte("a\n"), Seeded, 0o644)
	b.Create("rel/deep/a.txt", []byte("a\n"), Seeded, 0o644)
	b.Create("dangling/a.txt", []byte("a\n"), Seeded, 0o644)
	b.Create("../above.txt", []byte("a\n"), Seeded, 0o644)
	b.Create("twice.txt", []byte("a\n"), Seeded, 0o644)
	b.Create("twice.txt", []byte("b\n"), Seeded, 0o644)
	b.Create("both", []byte("a\n"), Seeded, 0o644)
	b.Create("both/a.txt", []byte("a\n"), Seeded, 0o644)
	b.Update("missing.txt", []byte("a\n"), Seeded, "")
	b.Update("link.txt", []byte("a\n"), Seeded, "")
	b.Delete("missing-too.txt", Seeded, "")
	_, err := b.Plan()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("error %v is not a list", err)
	}
	var got []string
	for _, e := range joined.Unwrap() {
		got = append(got, e.Error())
	}
	slash := filepath.ToSlash(base)
	want := []string{
		"../above.txt: leads out of " + slash,
		"both: is planned as a file and as the folder of both/a.txt",
		"dangling: is a symbolic link to nothing",
		"file: is a file, and a folder belongs there",
		"folder: is a folder, and a file belongs there",
		"link.txt: is a symbolic link, which fractl neither follows nor replaces",
		"missing-too.txt: is not there",
		"missing.txt: is not there",
		"out: is a symbolic link that leads out of " + slash,
		"rel: is a symbolic link that leads out of " + slash,
		"there.txt: is there already",
		"twice.txt: is planned twice",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if entries, _ := os.ReadDir(outside); len(entries) != 0 {
		t.Errorf("the plan wrote outside: %v", entries)
	}
}

func TestLinkInsideIsFollowed(t *testing.T) {
	base := t.TempDir()
	put(t, base, "real/x", "x\n")
	link(t, "real", filepath.Join(base, "alias"))
	b := builder(t, base, base)
	b.Create("alias/a.txt", []byte("a\n"), Seeded, 0o644)
	if _, err := b.Plan(); err != nil {
		t.Error(err)
	}
}

func builder(t *testing.T, base, root string) *Builder {
	t.Helper()
	b, err := NewBuilder(base, root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func put(t *testing.T, base, name, text string) {
	t.Helper()
	full := filepath.Join(base, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, name string) {
	t.Helper()
	if err := os.Symlink(to, name); err != nil {
		t.Skip("no symbolic links here:", err)
	}
}
