package proof

import (
	"bytes"
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
)

var lib = module.Version{Path: "example.com/Lib", Version: "v1.2.3"}

// content is a module whose names sort otherwise with and without their prefix.
func content() *Content {
	c := &Content{Mod: lib, Files: map[string]Hash{}, Ignored: map[string]bool{"gen.go": true}, Known: true}
	for _, name := range []string{"a.go", "a/b.go", "a-b.go", "gen.go", "! odd name", "Z", "é"} {
		c.Files[name] = sha256.Sum256([]byte(name))
	}
	return c
}

// The hash is that of the go command.
func TestH1(t *testing.T) {
	dir := t.TempDir()
	for name := range content().Files {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := dirhash.HashDir(dir, lib.String(), dirhash.Hash1)
	if err != nil {
		t.Fatal(err)
	}
	if got := content().H1(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	read, _, err := readFolder(lib, dir)
	if err != nil || read.H1() != want {
		t.Errorf("the folder has %s, %v", read.H1(), err)
	}
}

// A name with a line break would let one list pass for another.
func TestLineBreak(t *testing.T) {
	c := &Content{Mod: lib, Files: map[string]Hash{"a\nb": {}}}
	if got := c.H1(); got != "" {
		t.Errorf("%q", got)
	}
}

// What is kept comes back, and what was damaged is of no use.
func TestKeep(t *testing.T) {
	v := &Vault{Kept: t.TempDir(), ModCache: t.TempDir()}
	c := content()
	for range 2 {
		if err := v.Keep(c); err != nil {
			t.Fatal(err)
		}
	}
	e, err := v.Look(lib, []string{"h1:other=", c.H1()})
	if err != nil || e.Content == nil || !e.Content.Ignored["gen.go"] || e.Content.Ignored["a.go"] {
		t.Fatalf("%+v, %v", e, err)
	}
	if e, err := v.Look(lib, []string{"h1:other="}); err != nil || e.Content != nil || !e.Absent {
		t.Errorf("another hash: %+v, %v", e, err)
	}
	name, err := v.keptName(lib)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		changed := bytes.Clone(data)
		changed[i] ^= 1
		if err := os.WriteFile(name, changed, 0o666); err != nil {
			t.Fatal(err)
		}
		// The marks are not proven, everything else is.
		if e, _ := v.Look(lib, []string{c.H1()}); e.Content != nil && !strings.Contains(" !", string(data[i])) && !strings.Contains(" !", string(changed[i])) {
			t.Errorf("a flipped bit of %q at %d is taken for right", data[i], i)
		}
	}
}

func TestFile(t *testing.T) {
	other := content()
	other.Mod.Path = "example.com/a"
	text := Format([]*Content{content(), other})
	if again := Format([]*Content{other, content()}); !bytes.Equal(text, again) {
		t.Error("the order shows")
	}
	name := filepath.Join(t.TempDir(), "x", "vendor.sums")
	if err := WriteFile(name, []*Content{content(), other}); err != nil {
		t.Fatal(err)
	}
	f, err := ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []*Content{content(), other} {
		got, err := f.content(want.Mod)
		if err != nil || got == nil || got.H1() != want.H1() {
			t.Errorf("%s: %v, %v", want.Mod, got, err)
		}
	}
	if _, err := ReadFile(filepath.Join(t.TempDir(), "none")); !os.IsNotExist(err) {
		t.Errorf("no file: %v", err)
	}
}

func FuzzFile(f *testing.F) {
	f.Add(string(Format([]*Content{content()})))
	f.Add(fileHead + "module a v1\nmodule b v1\nAAAA x\n")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := parseFile(text)
		if err != nil {
			return
		}
		for mod := range file.sections {
			c, err := file.content(mod)
			if err != nil {
				continue
			}
			again, err := parseFile(string(Format([]*Content{c})))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := again.content(mod); err != nil || got.H1() != c.H1() {
				t.Fatalf("%v, %v", got, err)
			}
		}
	})
}
