package modulestxt

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/mod/module"
)

const good = `## workspace
# example.com/a v1.2.3
## explicit; go 1.21
example.com/a
example.com/a/sub
# example.com/b v0.0.0 => ./b
## explicit
example.com/b
# example.com/c v1.0.0-20200101000000-abcdefabcdef => example.com/fork/c v1.9.0+incompatible
## go 1.17
example.com/c/x
# example.com/d v1.0.0 => ../d
# example.com/d => ./d
# example.com/e => example.com/f v1.0.0
`

func TestParse(t *testing.T) {
	got := Parse([]byte(good))
	if len(got.Problems) != 0 {
		t.Fatalf("problems: %v", got.Problems)
	}
	want := &File{Workspace: true, Modules: []*Module{
		{Mod: mod("example.com/a", "v1.2.3"), Explicit: true, Go: "1.21", Line: 2, NoteLine: 3,
			Packages: []Package{{"example.com/a", 4}, {"example.com/a/sub", 5}}},
		{Mod: mod("example.com/b", "v0.0.0"), New: mod("./b", ""), Explicit: true, Line: 6, NoteLine: 7,
			Packages: []Package{{"example.com/b", 8}}},
		{Mod: mod("example.com/c", "v1.0.0-20200101000000-abcdefabcdef"), New: mod("example.com/fork/c", "v1.9.0+incompatible"),
			Go: "1.17", Line: 9, NoteLine: 10, Packages: []Package{{"example.com/c/x", 11}}},
		{Mod: mod("example.com/d", "v1.0.0"), New: mod("../d", ""), Line: 12},
		{Mod: mod("example.com/d", ""), New: mod("./d", ""), Line: 13},
		{Mod: mod("example.com/e", ""), New: mod("example.com/f", "v1.0.0"), Line: 14},
	}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(File{}, Module{})); diff != "" {
		t.Error(diff)
	}
	if text := string(got.Format()); text != good {
		t.Errorf("Format:\n%s\nwant:\n%s", text, good)
	}
}

func mod(path, version string) module.Version { return module.Version{Path: path, Version: version} }

func TestProblems(t *testing.T) {
	tests := []struct {
		name, text string
		want       string // line, "cosmetic" or "broken", a part of the text; "" for none
	}{
		{"empty", "", ""},
		{"no module", "example.com/a\n", `1 broken stands before any module line`},
		{"note before module", "## explicit\n# example.com/a v1.0.0\n", `1 broken stands before any module line`},
		{"blank first", "\n# example.com/a v1.0.0\n", `1 cosmetic empty line`},
		{"blank inside", "# example.com/a v1.0.0\n\nexample.com/a\n", `2 cosmetic empty line`},
		{"no version", "# example.com/a\n", `1 broken has no version`},
		{"bad version", "# example.com/a 1.0.0\n## explicit\nexample.com/a\n", `1 broken neither a version nor =>`},
		{"short version", "# example.com/a v1\n", `1 broken not canonical`},
		{"arrow torn", "# example.com/a v1.0.0 = > ./a\n", `1 broken not a replacement`},
		{"arrow without target", "# example.com/a v1.0.0 =>\n", `1 broken not a replacement`},
		{"wildcard without target", "# example.com/a =>\n", `1 broken neither a version nor a replacement`},
		{"target with a space", "# example.com/a v1.0.0 => ./my a\n", `1 broken not a replacement`},
		{"target version short", "# example.com/a v1.0.0 => example.com/b v1\n", `1 broken not canonical`},
		{"module path", "# example.com//a v1.0.0\n", `1 broken malformed module path`},
		{"two spaces", "# example.com/a  v1.0.0\n", `1 cosmetic spacing`},
		{"comment", "# example.com/a v1.0.0\n#note\n", `2 broken is not a package path`},
		{"words", "# example.com/a v1.0.0\nthis is prose\n", `2 broken is not a line of modules.txt`},
		{"indented package", "# example.com/a v1.0.0\n example.com/a\n", `2 cosmetic spacing`},
		{"note torn", "# example.com/a v1.0.0\n##explicit\n", `2 broken is not a package path`},
		{"note spacing", "# example.com/a v1.0.0\n## explicit;go 1.20\n", `2 cosmetic spacing`},
		{"note order", "# example.com/a v1.0.0\n## go 1.20; explicit\n", `2 cosmetic spacing`},
		{"unknown note", "# example.com/a v1.0.0\n## explicit; sealed\n", `2 cosmetic unknown note "sealed"`},
		{"second note", "# example.com/a v1.0.0\n## explicit\n## go 1.20\n", `3 cosmetic second line of notes`},
		{"two go versions", "# example.com/a v1.0.0\n## go 1.30\n## explicit; go 1.20\n", `3 broken both go 1.30 and go 1.20`},
		{"late note", "# example.com/a v1.0.0\nexample.com/a\n## explicit\n", `3 cosmetic notes after the packages`},
		{"go version", "# example.com/a v1.0.0\n## go one\n", `2 broken malformed go version "one"`},
		{"workspace below", "# example.com/a v1.0.0\n## workspace\n", `2 broken first line only`},
		{"workspace spacing", "##  workspace\n# example.com/a v1.0.0\n", `1 cosmetic spacing`},
		{"workspace and more", "## workspace; sealed\n# example.com/a v1.0.0\n", `1 cosmetic unknown note "sealed"`},
		{"crlf", "# example.com/a v1.0.0\r\n## explicit\r\nexample.com/a\r\n", `1 cosmetic CR LF: 3`},
		{"cut off", "# example.com/a v1.0.0\nexample.com/a/su", `2 cosmetic newline`},
		{"nul", "# example.com/a v1.0.0\nexample.com/a\x00\n", `2 broken NUL`},
		{"latin1", "# example.com/a v1.0.0\nexample.com/\xe4\n", `2 broken not UTF-8`},
		{"byte order mark", "\ufeff# example.com/a v1.0.0\n", `1 broken stands before any module line`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := Parse([]byte(tt.text))
			if tt.want == "" {
				if len(f.Problems) != 0 {
					t.Fatalf("problems: %v", f.Problems)
				}
				return
			}
			if len(f.Problems) == 0 {
				t.Fatal("no problem reported")
			}
			p := f.Problems[0]
			kind := "broken"
			if p.Cosmetic {
				kind = "cosmetic"
			}
			prefix, text, _ := strings.Cut(tt.want, " ")
			kindWant, text, _ := strings.Cut(text, " ")
			if fmt.Sprint(p.Line) != prefix || kind != kindWant || !strings.Contains(p.Text, text) {
				t.Errorf("got %d %s %s, want %s", p.Line, kind, p.Text, tt.want)
			}
		})
	}
}

// TestLinesOfADroppedModule holds that a module line which the go command drops
// is one problem, not one for each line below it.
func TestLinesOfADroppedModule(t *testing.T) {
	f := Parse([]byte("# example.com/a one\n## explicit\nexample.com/a\nexample.com/a/b\n# example.com/b v1.0.0\nexample.com/b\n"))
	if len(f.Problems) != 1 || len(f.Modules) != 1 || len(f.Modules[0].Packages) != 1 {
		t.Errorf("problems %v, modules %v", f.Problems, f.Modules)
	}
}

// TestWorkspaceHeaderWindow: the go command reads 512 bytes to look for the
// header.
func TestWorkspaceHeaderWindow(t *testing.T) {
	long := "## " + strings.Repeat("x;", 300) + " workspace\n"
	if Parse([]byte(long)).Workspace {
		t.Error("a header past 512 bytes counts")
	}
	if !Parse([]byte("## sealed; workspace\n")).Workspace {
		t.Error("a header with another token does not count")
	}
}

func TestProblemsAreBounded(t *testing.T) {
	f := Parse(bytes.Repeat([]byte("# example.com/a v1.0.0 x\n"), 1000))
	if len(f.Problems) != MaxProblems || f.Dropped != 1000-MaxProblems {
		t.Errorf("%d problems and %d dropped", len(f.Problems), f.Dropped)
	}
}

// FuzzParse: what parses without a problem is written back byte for byte, and
// what is written parses to the same list again.
func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(strings.ReplaceAll(good, "\n", "\r\n")))
	f.Add([]byte("# a v1.0.0\n## go 1.2 3; explicit;; x\na/b\n"))
	f.Add([]byte("## x; workspace\n# => v1.0.0\n# a => =>\n"))
	f.Add([]byte("\x00# a v1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		one := Parse(data)
		text := one.Format()
		if len(one.Problems) == 0 && !bytes.Equal(text, data) {
			t.Fatalf("no problem reported, but %q is written back as %q", data, text)
		}
		two := Parse(text)
		if again := two.Format(); !bytes.Equal(again, text) {
			t.Fatalf("%q is written back as %q", text, again)
		}
		if one.Workspace != two.Workspace || len(one.Modules) != len(two.Modules) {
			t.Fatalf("%q parses to another list than %q", text, data)
		}
		for i, a := range one.Modules {
			b := two.Modules[i]
			if a.Mod != b.Mod || a.New != b.New || a.Explicit != b.Explicit || a.Go != b.Go || len(a.Packages) != len(b.Packages) {
				t.Fatalf("module %d of %q is %+v, was %+v", i, text, b, a)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	var text strings.Builder
	for i := range 300 {
		fmt.Fprintf(&text, "# example.com/mod%03d v1.2.3\n## explicit; go 1.21\n", i)
		for j := range 6 {
			fmt.Fprintf(&text, "example.com/mod%03d/pkg%d\n", i, j)
		}
	}
	data := []byte(text.String())
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if f := Parse(data); len(f.Problems) != 0 {
			b.Fatal(f.Problems)
		}
	}
}
