package mockmake

import (
	"bytes"
	"errors"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func standard(importPath string) (string, bool) { return path.Base(importPath), true }

// TestGolden holds the text to what mockgen v0.6.0 wrote for the same source. To
// write the files again: mockgen -typed -source=store.go
// -destination=mock_store.go -package=store, and -source=store.go
// -destination=mocks/mock_store.go, in folder store of a module example.com/m.
func TestGolden(t *testing.T) {
	src, err := os.ReadFile("testdata/store.go.txt")
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]Settings{
		"typed": {
			Args: []string{"-typed", "-source=store.go", "-destination=mock_store.go", "-package=store"}, Package: "store", Typed: true,
			Destination: "mock_store.go", OutputPath: "example.com/m/store",
		},
		"plain": {
			Args:        []string{"-source=store.go", "-destination=mocks/mock_store.go"},
			Destination: "mocks/mock_store.go", OutputPath: "example.com/m/store/mocks",
		},
	} {
		t.Run(name, func(t *testing.T) {
			want, err := os.ReadFile("testdata/" + name + ".golden")
			if err != nil {
				t.Fatal(err)
			}
			s.Filename = "store.go"
			for range 2 {
				pkg, err := FromSource("store.go", src, "example.com/m/store", nil, standard)
				if err != nil {
					t.Fatal(err)
				}
				got, err := Write(pkg, s, standard)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, want) {
					t.Error(cmp.Diff(string(want), string(got)))
				}
			}
		})
	}
}

func TestUnsure(t *testing.T) {
	for name, src := range map[string]string{
		"generic":        "type A[T any] interface{ Do(t T) }",
		"embedded":       "import \"io\"\n\ntype A interface{ io.Reader }",
		"elsewhere":      "type A interface{ B }",
		"cycle":          "type A interface{ B }\n\ntype B interface{ A }",
		"dot":            "import . \"io\"\n\ntype A interface{ Do() }",
		"array":          "const n = 3\n\ntype A interface{ Do([n]int) }",
		"instance":       "type A interface{ Do(l List[int]) }",
		"struct":         "type A interface{ Do(s struct{ n int }) }",
		"interface":      "type A interface{ Do(s interface{ M() }) }",
		"constraint":     "type A interface{ ~int | string }",
		"unknown import": "type A interface{ Do(r io.Reader) }",
	} {
		if _, err := FromSource("a.go", []byte("package p\n\n"+src+"\n"), "example.com/p", nil, standard); !errors.Is(err, ErrUnsure) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := FromSource("a.go", []byte("package p\n\nimport \"x/y\"\n\ntype A interface{ Do(y.T) }\n"), "p", nil, func(string) (string, bool) { return "", false }); !errors.Is(err, ErrUnsure) {
		t.Errorf("a package without a name: %v", err)
	}
	if _, err := FromSource("a.go", []byte("package"), "p", nil, standard); err == nil {
		t.Error("no error for what does not parse")
	}
}

// FuzzFromSource holds that no source makes the reader panic, and that what it
// writes is a Go file, the same twice.
func FuzzFromSource(f *testing.F) {
	src, err := os.ReadFile("testdata/store.go.txt")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(src))
	f.Add("package p\n\ntype any interface{ func(func ...func()) (a, b [0]any) }\n")
	f.Fuzz(func(t *testing.T, src string) {
		pkg, err := FromSource("a.go", []byte(src), "example.com/p", nil, standard)
		if err != nil || strings.ContainsAny(src, "\x00") {
			return
		}
		s := Settings{Package: "mocks", Destination: "m.go", Typed: true, Filename: "a.go"}
		one, err1 := Write(pkg, s, standard)
		two, err2 := Write(pkg, s, standard)
		if !bytes.Equal(one, two) || (err1 == nil) != (err2 == nil) {
			t.Fatal("twice is not the same")
		}
	})
}
