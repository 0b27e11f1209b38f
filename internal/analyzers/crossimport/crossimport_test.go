package crossimport

import (
	"context"
	"fmt"
	"os"
	"path"
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

// workspaces are the ones below testdata/src.
var workspaces = []string{"shop", "nested", "inferred"}

// TestAnalyzer runs the face for other drivers on every package: it must see
// what a scan sees, but for the folder that the go command drops as a whole.
// analysistest itself reads no comments in files that a build leaves out.
func TestAnalyzer(t *testing.T) {
	for _, name := range workspaces {
		t.Run(name, func(t *testing.T) {
			ws := load(t, name)
			want := make(map[string]bool)
			list, err := Scan(context.Background(), ws)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range list {
				if path.Base(path.Dir(f.File)) != "dropped" {
					want[fmt.Sprintf("%s:%d:%d-%d: %s", f.File, f.Line, f.Column, f.EndColumn, f.Message)] = true
				}
			}
			got := make(map[string]bool)
			for _, r := range analysistest.Run(quiet{}, ws.Root, Analyzer, "./...") {
				for _, d := range r.Diagnostics {
					pos, end := r.Pass.Fset.Position(d.Pos), r.Pass.Fset.Position(d.End)
					got[fmt.Sprintf("%s:%d:%d-%d: %s", ws.Rel(pos.Filename), pos.Line, pos.Column, end.Column, d.Message)] = true
					if inferred := d.Category == "inferred/warning"; inferred == ws.Declared() {
						t.Errorf("%s: category %q", pos, d.Category)
					}
				}
			}
			if len(want) == 0 {
				t.Error("the scan finds nothing")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("scan (-) and analyzer (+) differ:\n%s", diff)
			}
		})
	}
}

// quiet takes the place of a *testing.T where analysistest's own comparison is
// not wanted.
type quiet struct{}

func (quiet) Errorf(string, ...any) {}

// TestScan holds the scan of a whole workspace to the same comments, in files
// of every build.
func TestScan(t *testing.T) {
	for _, name := range workspaces {
		t.Run(name, func(t *testing.T) {
			ws := load(t, name)
			list, err := Scan(context.Background(), ws)
			if err != nil {
				t.Fatal(err)
			}
			want := wanted(t, ws)
			for _, f := range list {
				at := fmt.Sprintf("%s:%d", f.File, f.Line)
				i := slices.IndexFunc(want[at], func(re *regexp.Regexp) bool { return re.MatchString(f.Message) })
				if i < 0 {
					t.Errorf("%s: not expected: %s", at, f.Message)
					continue
				}
				want[at] = slices.Delete(want[at], i, i+1)
				if f.Hint == "" || f.EndColumn <= f.Column {
					t.Errorf("%s: hint %q, columns %d to %d", at, f.Hint, f.Column, f.EndColumn)
				}
				if declared := f.Severity == finding.Error; declared != ws.Declared() {
					t.Errorf("%s: severity %s", at, f.Severity)
				}
			}
			for at, left := range want {
				for _, re := range left {
					t.Errorf("%s: nothing matches %s", at, re)
				}
			}
			again, err := Scan(context.Background(), load(t, name))
			if err != nil || !slices.EqualFunc(list, again, func(a, b finding.Finding) bool { return finding.Compare(a, b) == 0 }) {
				t.Errorf("a second scan differs (%v)", err)
			}
		})
	}
}

func TestHints(t *testing.T) {
	for _, tc := range []struct{ workspace, file, want string }{
		{"shop", "order/plugin.go", "call auth through contracts/auth/v1 instead"},
		{"shop", "order/pay/main.go", "put what pay needs of order into a contract, contracts/order/v1, and call it through that"},
		{"inferred", "order/main.go", "call auth through api/auth instead; if auth/token is for every fraction, list it under contracts or shared in fractl.yaml"},
	} {
		ws := load(t, tc.workspace)
		src, err := os.ReadFile(ws.Abs(tc.file))
		if err != nil {
			t.Fatal(err)
		}
		list := newChecker(ws).findings(tc.file, src)
		if len(list) == 0 || list[0].Hint != tc.want {
			t.Errorf("%s: %+v, want the hint %q", tc.file, list, tc.want)
		}
	}
}

// TestRequirement holds the lines of go.mod that a finding points at.
func TestRequirement(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.work":      "go 1.26\n\nuse (\n\t./a\n\t./b\n)\n",
		"a/go.mod":     "module example.com/a\n\ngo 1.26\n\nrequire example.com/b v0.0.0\n\nreplace example.com/b => ../b\n",
		"b/go.mod":     "module example.com/b\n\ngo 1.26\n",
		"a/a.go":       "package a\n\nimport \"example.com/b/sub\"\n\nvar _ = sub.X\n",
		"b/sub/sub.go": "package sub\n\nvar X int\n",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	ws, err := workspace.Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	list, err := Scan(context.Background(), ws)
	if err != nil || len(list) != 1 {
		t.Fatalf("%v %v", list, err)
	}
	want := []finding.Related{
		{File: "a/go.mod", Line: 5, Message: "requires example.com/b"},
		{File: "a/go.mod", Line: 7, Message: "replaces example.com/b by ../b"},
	}
	if !slices.Equal(list[0].Related, want) {
		t.Errorf("related %+v, want %+v", list[0].Related, want)
	}
}

// FuzzReferences holds that no bytes make the reader panic or place a reference
// outside of its file.
func FuzzReferences(f *testing.F) {
	for _, name := range workspaces {
		_ = filepath.WalkDir(filepath.Join("testdata", "src", name), func(p string, d os.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(p, ".go") {
				if src, err := os.ReadFile(p); err == nil {
					f.Add(src)
				}
			}
			return nil
		})
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		s := parseSource("p.go", src)
		s.program()
		s.fromContract()
		for _, r := range s.references() {
			if r.start < 0 || r.end <= r.start || r.end > len(src) || r.path == "" && r.kind != importRef {
				t.Fatalf("%+v in %d bytes", r, len(src))
			}
		}
	})
}

func load(t *testing.T, name string) *workspace.Workspace {
	t.Helper()
	dir, err := filepath.EvalSymlinks(filepath.Join("testdata", "src", name))
	if err != nil {
		t.Fatal(err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		t.Fatal(err)
	}
	ws, err := workspace.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return ws
}

var wantComment = regexp.MustCompile("// want (`[^`]*`)")

// wanted reads the want comments of all Go files, by file and line.
func wanted(t *testing.T, ws *workspace.Workspace) map[string][]*regexp.Regexp {
	t.Helper()
	files, err := ws.GoFiles()
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string][]*regexp.Regexp)
	for _, file := range files {
		src, err := os.ReadFile(ws.Abs(file))
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(src), "\n") {
			for _, m := range wantComment.FindAllStringSubmatch(line, -1) {
				at := fmt.Sprintf("%s:%d", file, i+1)
				want[at] = append(want[at], regexp.MustCompile(strings.Trim(m[1], "`")))
			}
		}
	}
	return want
}
