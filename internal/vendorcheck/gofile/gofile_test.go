package gofile

import (
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestConstraints(t *testing.T) {
	for text, ignored := range map[string]bool{
		"package p\n":                                              false,
		"//go:build ignore\n\npackage p\n":                         true,
		"//go:build ignore && linux\n\npackage p\n":                true,
		"//go:build ignore || linux\n\npackage p\n":                false,
		"//go:build !ignore\n\npackage p\n":                        false,
		"//go:build !linux && linux\n\npackage p\n":                false,
		"//go:build !(linux || ignore)\n\npackage p\n":             false,
		"// +build ignore\n\npackage p\n":                          true,
		"// +build ignore\npackage p\n":                            false, // no blank line
		"// +build linux ignore\n\npackage p\n":                    false,
		"// +build linux\n// +build ignore\n\npackage p\n":         true,
		"// +build linux,ignore\n\npackage p\n":                    true,
		"// A comment.\n\n//go:build ignore\n\npackage p\n":        true,
		"/* licence\n */\n\n// +build ignore\n\npackage p\n":       true,
		"/* licence */ /* more */\n//go:build ignore\npackage p\n": true,
		"\xef\xbb\xbf//go:build ignore\n\npackage p\n":             true,
		"//go:build ignore\r\n\r\npackage p\r\n":                   true,
		"// +build ignore\r\n\r\npackage p\r\n":                    true,
		"package p\n\n//go:build ignore\n":                         false,
		"//go:build linux\n// +build ignore\n\npackage p\n":        false, // go:build goes first
	} {
		if got := Read([]byte(text)).Ignored; got != ignored {
			t.Errorf("%q: ignored %t, want %t", text, got, ignored)
		}
	}
}

func TestEmbeds(t *testing.T) {
	src := "package p\n\nimport \"embed\"\n\n//go:embed a.txt \"b c.txt\" `d`\n//go:embed all:e\nvar f embed.FS\n\n// go:embed no\n//go:embedded no\nvar g string\n"
	if got := Read([]byte(src)).Embeds; !slices.Equal(got, []string{"a.txt", "b c.txt", "d", "all:e"}) {
		t.Errorf("%q", got)
	}
	if got := Read([]byte(strings.Replace(src, "import \"embed\"", "", 1))).Embeds; got != nil {
		t.Errorf("without the import: %q", got)
	}
}

// TestStandardLibrary compares with go/parser over everything in GOROOT.
func TestStandardLibrary(t *testing.T) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(strings.TrimSpace(string(out)), "src")
	n := 0
	err = filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || testing.Short() && n > 500 {
			return err
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		n++
		compare(t, name, src)
		return nil
	})
	if err != nil || n < 500 {
		t.Fatalf("%d files, %v", n, err)
	}
}

func compare(t *testing.T, name string, src []byte) {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, src, parser.ImportsOnly)
	if err != nil {
		return
	}
	var want []Import
	for _, spec := range f.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		want = append(want, Import{path, fset.PositionFor(spec.Path.Pos(), false).Line})
	}
	got := Read(src)
	if got.Broken || got.Package != f.Name.Name || !slices.Equal(got.Imports, want) {
		t.Errorf("%s: %+v, want package %s, %v", name, got, f.Name.Name, want)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("// c\n/* d */ package p; import (\n\t. \"a\"; _ `b`\n\tc \"c\" // x\n)\nimport \"d\"\nvar x = 1\n")
	f.Add("package p\nimport\n\"x\"\n")
	f.Add("//go:build a && !b\n\npackage é\n\nimport ()\n")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := parser.ParseFile(token.NewFileSet(), "", text, 0); err == nil {
			compare(t, "fuzz.go", []byte(text))
		}
	})
}
