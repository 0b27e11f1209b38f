package goenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// home makes a home folder whose 'go env -w' file and toolchain hold the given
// texts, and returns the environment that leads there.
func home(t *testing.T, userFile, toolchainFile string) (dir string, environ []string) {
	t.Helper()
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" || runtime.GOOS == "plan9" {
		t.Skip("the folder of the user's settings has another name here")
	}
	dir = t.TempDir()
	write(t, filepath.Join(dir, ".config", "go", "env"), userFile, 0o644)
	write(t, filepath.Join(dir, "go", "bin", "go"), "#!/bin/sh\n", 0o755)
	write(t, filepath.Join(dir, "go", "go.env"), toolchainFile, 0o644)
	write(t, filepath.Join(dir, "go", "VERSION"), "go1.99.1\ntime 2030-01-01\n", 0o644)
	if err := os.MkdirAll(filepath.Join(dir, "go", "pkg", "tool"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir, []string{"HOME=" + dir, "PATH=" + filepath.Join(dir, "nothing") + string(filepath.ListSeparator) + filepath.Join(dir, "go", "bin")}
}

func write(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func TestPrecedence(t *testing.T) {
	dir, environ := home(t, "GOFLAGS=-mod=mod\n# A=1\nlower=2\nGOWORK=off\n", "# defaults\nGOFLAGS=-x\nGOTOOLCHAIN=auto\n")
	tests := []struct {
		name, key string
		extra     []string
		value     string
		from      Origin
	}{
		{"environment wins", "GOFLAGS", []string{"GOFLAGS=-mod=vendor"}, "-mod=vendor", Environment},
		{"empty counts as unset", "GOFLAGS", []string{"GOFLAGS="}, "-mod=mod", UserFile},
		{"user file", "GOWORK", nil, "off", UserFile},
		{"toolchain", "GOTOOLCHAIN", nil, "auto", Toolchain},
		{"comment", "# A", nil, "", Unset},
		{"lower case", "lower", nil, "", Unset},
		{"user file off", "GOFLAGS", []string{"GOENV=off"}, "-x", Toolchain},
		{"user file missing", "GOFLAGS", []string{"GOENV=" + filepath.Join(dir, "none")}, "-x", Toolchain},
		{"config home", "GOFLAGS", []string{"XDG_CONFIG_HOME=" + filepath.Join(dir, "elsewhere")}, "-x", Toolchain},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			value, from := Read(append(slices.Clone(environ), tt.extra...)).Get(tt.key)
			if value != tt.value || from != tt.from {
				t.Errorf("%s = %q %s, want %q %s", tt.key, value, from, tt.value, tt.from)
			}
		})
	}
	e := Read(environ)
	if e.Goroot() != filepath.Join(dir, "go") || e.Version() != "1.99.1" {
		t.Errorf("toolchain %s in %s", e.Version(), e.Goroot())
	}
}

// TestLinkedGo finds the toolchain behind a link in PATH.
func TestLinkedGo(t *testing.T) {
	dir, _ := home(t, "", "")
	if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "go", "bin", "go"), filepath.Join(dir, "bin", "go")); err != nil {
		t.Fatal(err)
	}
	real, err := filepath.EvalSymlinks(filepath.Join(dir, "go"))
	if err != nil {
		t.Fatal(err)
	}
	if got := Read([]string{"PATH=" + filepath.Join(dir, "bin")}).Goroot(); got != real {
		t.Errorf("toolchain in %q, want %q", got, real)
	}
}

// TestAgreesWithGo holds the answers to those of the go command at hand.
func TestAgreesWithGo(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "env")
	write(t, file, "GOFLAGS=-mod=readonly\nGOPRIVATE=example.com\n", 0o644)
	for _, extra := range [][]string{nil, {"GOFLAGS=-mod=mod"}, {"GOENV=" + file}, {"GOENV=" + file, "GOFLAGS=-tags=x"}, {"GOENV=off"}} {
		environ := append(os.Environ(), extra...)
		e := Read(environ)
		for _, key := range []string{"GOFLAGS", "GOPRIVATE", "GOTOOLCHAIN", "GOROOT"} {
			cmd := exec.Command("go", "env", key)
			cmd.Env = environ
			cmd.Dir = dir
			out, err := cmd.Output()
			if err != nil {
				t.Skipf("go env: %v", err)
			}
			want := strings.TrimSpace(string(out))
			got, _ := e.Get(key)
			if key == "GOROOT" {
				got = e.Goroot()
			}
			if got != want {
				t.Errorf("with %v: %s = %q, go says %q", extra, key, got, want)
			}
		}
	}
}

func TestSplit(t *testing.T) {
	tests := []struct {
		text string
		want []string
		bad  bool
	}{
		{"", nil, false},
		{" -mod=mod\t-x ", []string{"-mod=mod", "-x"}, false},
		{`"-ldflags=-s -w" '--tags=a b'`, []string{"-ldflags=-s -w", "--tags=a b"}, false},
		{`-a=b"c`, []string{`-a=b"c`}, false},
		{`"-a`, nil, true},
		{"mod=vendor", nil, true},
		{"-", nil, true},
		{"---x", nil, true},
		{"-=x", nil, true},
	}
	for _, tt := range tests {
		got, err := Split(tt.text)
		if !slices.Equal(got, tt.want) || (err != nil) != tt.bad {
			t.Errorf("Split(%q) = %q, %v", tt.text, got, err)
		}
	}
}

func TestFlag(t *testing.T) {
	flags := []string{"-mod=mod", "-v", "--mod=vendor", "-modfile=x.mod"}
	for name, want := range map[string]string{"mod": "vendor", "modfile": "x.mod", "v": ""} {
		if got, ok := Flag(flags, name); got != want || !ok {
			t.Errorf("%s = %q, %v", name, got, ok)
		}
	}
	if _, ok := Flag(flags, "modfil"); ok {
		t.Error("a part of a name counts")
	}
}

func FuzzSplit(f *testing.F) {
	f.Add(`-a "-b c" '-d'`)
	f.Fuzz(func(t *testing.T, text string) {
		flags, err := Split(text)
		if err != nil {
			return
		}
		for _, f := range flags {
			if !strings.HasPrefix(f, "-") || !strings.Contains(text, f) {
				t.Errorf("Split(%q) gives %q", text, f)
			}
		}
	})
}
