package crossschema

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/workspace"
)

// TestScan holds a scan to the comments `want "…"` of Go and SQL files, and
// `want+1 "…"` about the line below.
func TestScan(t *testing.T) {
	ws := load(t)
	list := scan(t, ws)
	want := wanted(t, ws)
	for _, f := range list {
		at := fmt.Sprintf("%s:%d", f.File, f.Line)
		i := slices.IndexFunc(want[at], func(re *regexp.Regexp) bool { return re.MatchString(f.Message) })
		if i < 0 {
			t.Errorf("%s: unexpected: %s", at, f.Message)
			continue
		}
		want[at] = slices.Delete(want[at], i, i+1)
		if f.Fraction == "" || f.Hint == "" || len(f.Related) == 0 || f.Column < 1 || f.EndLine < f.Line || f.EndColumn <= f.Column {
			t.Errorf("%s: not whole: %+v", at, f)
		}
		severity := finding.Error
		if strings.Contains(f.Message, "one of") || strings.HasSuffix(f.File, "_test.go") {
			severity = finding.Warning
		}
		if f.Severity != severity {
			t.Errorf("%s: %s is %v", at, f.Message, f.Severity)
		}
	}
	for at, res := range want {
		for _, re := range res {
			t.Errorf("%s: nothing like %q", at, re)
		}
	}
	if diff := cmp.Diff(list, scan(t, ws)); diff != "" {
		t.Errorf("a second scan differs:\n%s", diff)
	}
}

// TestPlaces holds that a finding on one line points at the name.
func TestPlaces(t *testing.T) {
	ws := load(t)
	for _, f := range scan(t, ws) {
		src, err := os.ReadFile(ws.Abs(f.File))
		if err != nil {
			t.Fatal(err)
		}
		line := strings.Split(string(src), "\n")[f.Line-1]
		if f.EndLine != f.Line || f.EndColumn-1 > len(line) {
			t.Errorf("%s:%d:%d to %d:%d is not in the line", f.File, f.Line, f.Column, f.EndLine, f.EndColumn)
			continue
		}
		what := line[f.Column-1 : f.EndColumn-1]
		if len(what) > 1 && !strings.Contains(f.Message, strings.TrimPrefix(strings.Trim(what, `"`), "public.")) &&
			!strings.Contains(what, "names.") && !strings.Contains(what, "platform.") && !strings.Contains(what, "auth.hash") && what != "users" {
			t.Errorf("%s:%d: %q is marked for %s", f.File, f.Line, what, f.Message)
		}
	}
}

// TestAnalyzer runs the face for other drivers on every package: together they
// see what a scan sees, but for what this build leaves out.
func TestAnalyzer(t *testing.T) {
	ws := load(t)
	want := make(map[string]bool)
	for _, f := range scan(t, ws) {
		if !strings.HasSuffix(f.File, "_windows.go") && !strings.Contains(f.File, "order/migrations/") && !strings.Contains(f.File, "pay/db/") {
			want[fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Message)] = true
		}
	}
	got := make(map[string]bool)
	for _, r := range analysistest.Run(quiet{}, ws.Root, Analyzer, "./...") {
		for _, d := range r.Diagnostics {
			pos := r.Pass.Fset.Position(d.Pos)
			file := ws.Rel(pos.Filename)
			if !strings.HasPrefix(file, "pay/db/") {
				got[fmt.Sprintf("%s:%d:%d: %s", file, pos.Line, pos.Column, d.Message)] = true
			}
		}
	}
	if len(want) == 0 {
		t.Error("the scan finds nothing")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("scan (-) and analyzer (+) differ:\n%s", diff)
	}
}

type quiet struct{}

func (quiet) Errorf(string, ...any) {}

// TestLone holds that a workspace of one fraction is left alone.
func TestLone(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "go.mod", "module example.com/lone\n\ngo 1.26\n")
	write(t, dir, "one/main.go", "package main\n\nconst q = \"SELECT * FROM users\"\n\nfunc main() {}\n")
	write(t, dir, "one/users.sql", "CREATE TABLE users (id int);\n")
	ws, err := workspace.Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	if list := scan(t, ws); len(list) > 0 {
		t.Error(list)
	}
}

// TestUnreadable holds that what cannot be read is told, and the rest checked.
func TestUnreadable(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("the superuser can read everything")
	}
	dir := t.TempDir()
	write(t, dir, "go.mod", "module example.com/two\n\ngo 1.26\n")
	write(t, dir, "a/main.go", "package main\n\nconst q = \"SELECT * FROM t\"\n\nfunc main() {}\n")
	write(t, dir, "b/main.go", "package main\n\nfunc main() {}\n")
	write(t, dir, "b/t.sql", "CREATE TABLE t (id int);\n")
	write(t, dir, "b/u.sql", "CREATE TABLE u (id int);\n")
	if err := os.Chmod(filepath.Join(dir, "b/u.sql"), 0); err != nil {
		t.Fatal(err)
	}
	ws, err := workspace.Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	list, err := Scan(context.Background(), ws)
	if err == nil || !strings.Contains(err.Error(), "b/u.sql: cannot be read") {
		t.Errorf("error %v", err)
	}
	if len(list) != 1 {
		t.Errorf("findings: %v", list)
	}
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T) *workspace.Workspace {
	t.Helper()
	ws, err := workspace.Find("testdata/src/shop")
	if err != nil {
		t.Fatal(err)
	}
	return ws
}

func scan(t *testing.T, ws *workspace.Workspace) []finding.Finding {
	t.Helper()
	list, err := Scan(context.Background(), ws)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

var wantComment = regexp.MustCompile(`want(\+1)? "([^"]+)"`)

func wanted(t *testing.T, ws *workspace.Workspace) map[string][]*regexp.Regexp {
	t.Helper()
	files, err := ws.GoFiles()
	if err != nil {
		t.Fatal(err)
	}
	scripts, err := ws.SQLFiles()
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string][]*regexp.Regexp)
	for _, file := range append(files, scripts...) {
		src, err := os.ReadFile(ws.Abs(file))
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(src), "\n") {
			for _, m := range wantComment.FindAllStringSubmatch(line, -1) {
				at := fmt.Sprintf("%s:%d", file, i+1+len(m[1])/2)
				want[at] = append(want[at], regexp.MustCompile(regexp.QuoteMeta(m[2])))
			}
		}
	}
	return want
}
