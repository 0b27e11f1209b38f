package blueprint

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/fractl/fractl/internal/scaffold"
	"github.com/fractl/fractl/internal/scaffold/commit"
	"github.com/fractl/fractl/internal/scaffold/lock"
	"github.com/fractl/fractl/templates"
)

var update = flag.Bool("update", false, "rewrite testdata/golden")

// goldenCases are the trees whose every byte is committed: each kind of fraction
// in a workspace and alone, and the workspace itself.
func goldenCases() map[string]func(t *testing.T, dir string) *Outcome {
	cases := map[string]func(*testing.T, string) *Outcome{
		"workspace": func(t *testing.T, dir string) *Outcome { return initWorkspace(t, dir) },
	}
	for _, tree := range templates.Trees() {
		cases[tree.Kind] = func(t *testing.T, dir string) *Outcome {
			apply(t, initWorkspace(t, dir))
			return fraction(t, Request{Cwd: dir, Name: "user-profile", Kind: tree.Kind, Resource: "api-key"})
		}
		cases[tree.Kind+"-alone"] = func(t *testing.T, dir string) *Outcome {
			return fraction(t, Request{Cwd: dir, Name: "auth", Kind: tree.Kind, Without: tree.Default})
		}
	}
	return cases
}

func TestGolden(t *testing.T) {
	names := map[string]bool{}
	for name, make := range goldenCases() {
		names[name+".txtar"] = true
		t.Run(name, func(t *testing.T) {
			dir := emptyDir(t)
			out := make(t, dir)
			file := filepath.Join("..", "..", "testdata", "golden", name+".txtar")
			got := archive(out.Plan)
			if *update {
				if err := os.WriteFile(file, txtar.Format(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatalf("%v; write it with go test ./internal/blueprint -run TestGolden -update", err)
			}
			// As maps, so that both a missing and an unexpected file are shown.
			if diff := cmp.Diff(asMap(want), asMap(got)); diff != "" {
				t.Errorf("the plan differs from %s (-want +got); rewrite it with -update:\n%s", file, diff)
			}
			checkPreview(t, dir, out.Plan)
		})
	}
	entries, err := os.ReadDir(filepath.Join("..", "..", "testdata", "golden"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !names[e.Name()] {
			t.Errorf("testdata/golden/%s belongs to no case", e.Name())
		}
	}
}

// archive is a plan as text. Copies of pieces, which are tested where they are
// kept, and what is computed from all others, are listed without their content.
func archive(p *scaffold.Plan) *txtar.Archive {
	var list strings.Builder
	a := &txtar.Archive{}
	for _, c := range p.Changes {
		fmt.Fprintf(&list, "%s %s %s %s\n", c.Op, c.Mode, c.Owner, c.Path)
		if base := filepath.Base(c.Path); isPieceCopy(c.Path) || base == "go.sum" || base == "fractl.lock" {
			continue
		}
		a.Files = append(a.Files, txtar.File{Name: c.Path, Data: c.New})
	}
	a.Comment = []byte(list.String())
	return a
}

func isPieceCopy(name string) bool {
	for _, p := range templates.Pieces() {
		if strings.Contains(name, "/internal/"+p.Name+"/") {
			return true
		}
	}
	return false
}

func asMap(a *txtar.Archive) map[string]string {
	m := map[string]string{"(the list)": string(a.Comment)}
	for _, f := range a.Files {
		m[f.Name] = string(f.Data)
	}
	return m
}

// checkPreview holds that what --dry-run shows is what is then reported as done,
// and what then is on the disk, no more and no less.
func checkPreview(t *testing.T, dir string, p *scaffold.Plan) {
	t.Helper()
	before := tree(t, dir)
	preview := decode(t, p, false)
	if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
		t.Fatalf("the preview wrote (-want +got):\n%s", diff)
	}
	if err := commit.Apply(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	applied := decode(t, p, true)
	if preview.Applied || !applied.Applied {
		t.Errorf("applied is %t in the preview and %t after the work", preview.Applied, applied.Applied)
	}
	applied.Applied = false
	if diff := cmp.Diff(preview, applied); diff != "" {
		t.Errorf("the preview differs from the report (-preview +report):\n%s", diff)
	}
	want := before
	for _, c := range preview.Plan {
		if want[c.Path] = c.SHA256; c.Op == "delete" {
			delete(want, c.Path)
		}
	}
	got := tree(t, dir)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the preview differs from the disk (-preview +disk):\n%s", diff)
	}
}

type planJSON struct {
	Schema  int
	Command string
	Applied bool
	Plan    []struct{ Op, Path, Owner, SHA256, Reason string }
}

func decode(t *testing.T, p *scaffold.Plan, applied bool) planJSON {
	t.Helper()
	data, err := p.JSON("new", applied)
	if err != nil {
		t.Fatal(err)
	}
	var got planJSON
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// TestRenderedTwice holds that the same answers give the same bytes.
func TestRenderedTwice(t *testing.T) {
	for name, make := range goldenCases() {
		one, two := make(t, emptyDir(t)).Plan, make(t, emptyDir(t)).Plan
		if !slices.EqualFunc(one.Changes, two.Changes, func(a, b scaffold.Change) bool {
			return a.Path == b.Path && a.Op == b.Op && a.Mode == b.Mode && a.Owner == b.Owner && bytes.Equal(a.New, b.New)
		}) {
			t.Errorf("%s: two plans for the same answers differ", name)
		}
	}
}

// TestRenderedFormat holds what is true of every rendered file: LF, a newline at
// the end, no mark of a template, no path of fractl itself, and in Go the format
// of gofmt.
func TestRenderedFormat(t *testing.T) {
	for name, make := range goldenCases() {
		for _, c := range make(t, emptyDir(t)).Plan.Changes {
			text := string(c.New)
			switch {
			case strings.Contains(text, "\r"):
				t.Errorf("%s: %s has CR", name, c.Path)
			case text != "" && !strings.HasSuffix(text, "\n"):
				t.Errorf("%s: %s has no newline at its end", name, c.Path)
			case strings.Contains(text, "<no value>"), strings.Contains(text, templates.PiecesImport) && !isPieceCopy(c.Path):
				t.Errorf("%s: %s holds what a template should not leave", name, c.Path)
			}
			if strings.HasSuffix(c.Path, ".go") {
				formatted, err := format.Source(c.New)
				if err != nil {
					t.Errorf("%s: %s: %v", name, c.Path, err)
				} else if diff := cmp.Diff(string(formatted), text); diff != "" {
					t.Errorf("%s: %s is not gofmt'ed (-want +got):\n%s", name, c.Path, diff)
				}
			}
		}
	}
}

// TestLockHoldsTheFiles holds the lock to the files that were written.
func TestLockHoldsTheFiles(t *testing.T) {
	dir := emptyDir(t)
	apply(t, initWorkspace(t, dir))
	out := fraction(t, Request{Cwd: dir, Name: "auth", Kind: "service"})
	apply(t, out)
	data, err := os.ReadFile(filepath.Join(dir, "auth", "fractl.lock"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := lock.Parse("fractl.lock", data)
	if err != nil {
		t.Fatal(err)
	}
	want := lock.Answers{Name: "auth", Kind: "service", Module: "example.com/shop/auth", Resource: "item", Pieces: out.Pieces}
	if diff := cmp.Diff(want, l.Answers); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	generated, outside := 0, 0
	for _, f := range l.Files {
		text, err := f.Text()
		if err != nil {
			t.Error(err)
		}
		disk, err := os.ReadFile(filepath.Join(dir, "auth", filepath.FromSlash(f.Path)))
		if err != nil || !bytes.Equal(text, disk) {
			t.Errorf("%s: the pristine text is not that on the disk: %v", f.Path, err)
		}
		if f.Owner == scaffold.Generated {
			generated++
		}
		if strings.HasPrefix(f.Path, "../") {
			outside++
		}
	}
	created := 0
	for _, c := range out.Plan.Changes {
		if c.Op == scaffold.Create {
			created++
		}
	}
	if len(l.Files) != created-1 || generated == 0 || outside == 0 {
		t.Errorf("%d files in the lock (%d generated, %d outside), %d created", len(l.Files), generated, outside, created)
	}
}

// emptyDir is a folder with nothing around it that fractl would take for a
// workspace, by its real path.
func emptyDir(t testing.TB) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func initWorkspace(t testing.TB, dir string) *Outcome {
	t.Helper()
	out, err := Workspace(WorkspaceRequest{Cwd: dir, Module: "example.com/shop"})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func fraction(t testing.TB, req Request) *Outcome {
	t.Helper()
	out, err := Fraction(req)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func apply(t testing.TB, out *Outcome) {
	t.Helper()
	if err := commit.Apply(t.Context(), out.Plan); err != nil {
		t.Fatal(err)
	}
}

// tree maps every file below dir to the hash of its content.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		got[slashRel(dir, name)] = scaffold.Hash(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}
