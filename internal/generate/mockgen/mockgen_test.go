package mockgen

import (
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

func TestRecognize(t *testing.T) {
	for _, c := range []struct {
		line, version, mode, input, destination string
		ok                                      bool
	}{
		{"mockgen -source=a.go -destination=m.go", "", "source", "a.go", "m.go", true},
		{"/usr/bin/mockgen -source a.go", "", "source", "a.go", "", true},
		{"mockgen --source=a.go --destination m/m.go -typed", "", "source", "a.go", "m/m.go", true},
		{"mockgen -destination=m.go database/sql/driver Conn,Driver", "", "package", "", "m.go", true},
		{"mockgen -archive=p.a -destination=m.go x Y", "", "archive", "p.a", "m.go", true},
		{"mockgen -model_gob=p.gob", "", "gob", "p.gob", "", true},
		{"go run go.uber.org/mock/mockgen -source=a.go", "", "source", "a.go", "", true},
		{"go run go.uber.org/mock/mockgen@v0.5.0 -source=a.go", "v0.5.0", "source", "a.go", "", true},
		{"go run -mod=mod -tags x go.uber.org/mock/mockgen -source=a.go", "", "source", "a.go", "", true},
		{"go tool mockgen -source=a.go", "", "source", "a.go", "", true},
		{"go tool go.uber.org/mock/mockgen -source=a.go", "", "source", "a.go", "", true},
		{"go run go.uber.org/mock/mockgen@latest -source=a.go", "", "", "", "", false},
		{"go run github.com/golang/mock/mockgen -source=a.go", "", "", "", "", false},
		{"go tool stringer -type=X", "", "", "", "", false},
		{"go build ./...", "", "", "", "", false},
		{"go run", "", "", "", "", false},
		{"stringer -type=X", "", "", "", "", false},
	} {
		call, ok, err := Recognize(strings.Fields(c.line))
		if ok != c.ok || err != nil {
			t.Errorf("%s: %t, %v", c.line, ok, err)
			continue
		}
		if ok && (call.Version != c.version || string(call.Mode) != c.mode || call.Input != c.input || call.Destination != c.destination) {
			t.Errorf("%s: %+v", c.line, call)
		}
	}
}

func TestRecognizeShell(t *testing.T) {
	for script, want := range map[string]bool{
		`go run go.uber.org/mock/mockgen -build_flags="-tags=gomock" -package quic -destination m.go x Y`: true,
		`mockgen -source='a b.go'`:        true,
		`mockgen -source=a.go && rm x`:    false,
		`mockgen -source=a.go > m.go`:     false,
		`mockgen -source=$FILE`:           false,
		`GOOS=linux mockgen -source=a.go`: false,
		`mockgen -source=*.go`:            false,
		`mockgen "unclosed`:               false,
	} {
		call, ok, err := Recognize([]string{"sh", "-c", script})
		if ok != want || err != nil {
			t.Errorf("%s: %t, %v", script, ok, err)
		}
		if strings.Contains(script, "a b.go") && call.Input != "a b.go" {
			t.Errorf("%s: %+v", script, call)
		}
		if strings.Contains(script, "gomock") && !slices.Contains(call.Args, "-build_flags=-tags=gomock") {
			t.Errorf("%s: %q", script, call.Args)
		}
	}
}

func TestBadArguments(t *testing.T) {
	for _, line := range []string{"mockgen", "mockgen x", "mockgen x Y Z", "mockgen -sources=a.go", "mockgen -typed=perhaps -source=a.go"} {
		if _, ok, err := Recognize(strings.Fields(line)); !ok || err == nil {
			t.Errorf("%s: %t, %v", line, ok, err)
		}
	}
}

func TestWithDestination(t *testing.T) {
	for line, want := range map[string]string{
		"mockgen -destination=a.go -source=b.go":   "-destination=X -source=b.go",
		"mockgen --destination a.go -source b.go":  "--destination X -source b.go",
		"mockgen -source=destination.go -package=": "-source=destination.go -package=",
	} {
		call, _, err := Recognize(strings.Fields(line))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(call.WithDestination("X"), " "); got != want {
			t.Errorf("%s: %s", line, got)
		}
	}
}

// TestPinned holds the version that is used where nothing names one to go.mod's.
func TestPinned(t *testing.T) {
	data, err := os.ReadFile("../../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		t.Fatal(err)
	}
	tools, _, _ := strings.Cut(toolsModule, "@")
	for _, r := range mod.Require {
		if r.Mod.Path == ModulePath && r.Mod.Version != Pinned || r.Mod.Path == tools && tools+"@"+r.Mod.Version != toolsModule {
			t.Errorf("go.mod requires %s", r.Mod)
		}
	}
}

// TestShape holds what makes a mock stale and what does not.
func TestShape(t *testing.T) {
	const src = "package p\n\nimport \"io\"\n\n// A does.\ntype A interface {\n\tDo(r io.Reader) error\n}\n\nfunc F() int { return 1 }\n"
	base := shapeOf([]byte(src)).text
	for name, same := range map[string]string{
		"comment":       strings.Replace(src, "// A does.", "// A does it.", 1),
		"no comment":    strings.Replace(src, "// A does.\n", "", 1),
		"inner comment": strings.Replace(src, "\tDo(", "\t// Do it.\n\tDo(", 1),
		"body":          strings.Replace(src, "return 1", "return 2", 1),
		"layout":        strings.Replace(src, "\n\n", "\n\n\n", 1),
		"method":        src + "\nfunc (a *T) m() {}\n",
		"unexported":    src + "\nfunc f() {}\n",
	} {
		if got := shapeOf([]byte(same)).text; got != base {
			t.Errorf("%s changes the shape:\n%s\n%s", name, base, got)
		}
	}
	for name, other := range map[string]string{
		"parameter":  strings.Replace(src, "r io.Reader", "w io.Writer", 1),
		"name":       strings.Replace(src, "r io.Reader", "rd io.Reader", 1),
		"import":     strings.Replace(src, `"io"`, `io "bytes"`, 1),
		"constraint": "//go:build linux\n\n" + src,
		"package":    strings.Replace(src, "package p", "package q", 1),
		"constant":   src + "\nconst N = 3\n",
		"broken":     strings.Replace(src, "type A", "typ A", 1),
	} {
		if got := shapeOf([]byte(other)).text; got == base {
			t.Errorf("%s does not change the shape", name)
		}
	}
}

// FuzzShape holds that no file makes the reader panic, and that its shape is the
// same twice.
func FuzzShape(f *testing.F) {
	f.Add("package p\n\ntype A interface{ B }\n")
	f.Fuzz(func(t *testing.T, src string) {
		first, second := shapeOf([]byte(src)), shapeOf([]byte(src))
		if first.text != second.text {
			t.Fatal("twice is not the same")
		}
	})
}
