// Package timermode says which of the two meanings the channels of package
// time have in the programs that a package becomes part of.
//
// Go 1.23 made them unbuffered and lets the collector take a timer that nobody
// refers to. GODEBUG=asynctimerchan=1 brings the old meaning back, and its
// default comes from the go line of the main module, or of go.work where one is
// in force: never from the module or the file that holds the code. Go 1.27
// removed the setting. Source: https://go.dev/doc/godebug and
// defaultGODEBUG of cmd/go.
package timermode

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"
)

// setting is the GODEBUG key that this is all about.
const setting = "asynctimerchan"

// Mode is a meaning and what decided it.
type Mode struct {
	// Known is false where no file decides: nothing that differs between the
	// two meanings should be reported then.
	Known bool
	// Collected: an unreferenced timer is collected though nobody stopped it.
	Collected bool
	// Synchronous: len and cap of a timer's channel are 0, and nothing can be
	// received once Stop or Reset has returned.
	Synchronous bool
	// File is the absolute path of the file that decided, with its line; ""
	// where the toolchain did.
	File string
	Line int
	// Text is what stands there: "go 1.22", "godebug asynctimerchan=1".
	Text string
}

// String names the decider: "go.mod:3: go 1.22", or "Go 1.27.4".
func (m Mode) String() string {
	if m.File == "" {
		return m.Text
	}
	return filepath.Base(m.File) + ":" + strconv.Itoa(m.Line) + ": " + m.Text
}

// Directive is a //go:debug line of a main package or of a test.
type Directive struct {
	File string
	Line int
	Key  string
	// Value is what follows the "=".
	Value string
}

// Query is what the answer depends on.
type Query struct {
	// Dir is the package's folder.
	Dir string
	// GOWORK is the environment's value: "", "off", or a file.
	GOWORK string
	// Toolchain is the version of the Go toolchain, "go1.26.8", or "" where it
	// is not known.
	Toolchain string
	// Directives apply on top of the files, the last one of a key winning.
	Directives []Directive
}

// Find answers q. A file that cannot be read or parsed decides nothing: the go
// command reports it, and what is unknown stays silent.
func Find(q Query) Mode {
	main, ok := mainFile(q.Dir, q.GOWORK)
	if minor(q.Toolchain) >= 27 {
		return Mode{Known: true, Collected: true, Synchronous: true, Text: "Go " + strings.TrimPrefix(q.Toolchain, "go")}
	}
	if ok && minor(main.least.text) >= 27 {
		return newMode(main.name, main.least.line, main.least.keyword+" "+main.least.text)
	}

	// As the go command does: the lines of the main module, then those of the
	// package, each key's last one; then the version that fills the rest in.
	var key, def *Directive
	for _, d := range append(main.godebug, q.Directives...) {
		switch d.Key {
		case setting:
			key = &d
		case "default":
			def = &d
		}
	}
	switch {
	case key != nil:
		m := newMode(key.File, key.Line, key.text(main.name))
		m.Collected = key.Value != "1"
		// 2 is the debugging value: asynchronous, and collected all the same.
		m.Synchronous = key.Value != "1" && key.Value != "2"
		return m
	case def != nil && minor(def.Value) >= 0:
		return byVersion(newMode(def.File, def.Line, def.text(main.name)), minor(def.Value))
	case !ok:
		return Mode{}
	}
	return byVersion(newMode(main.name, main.version.line, main.version.keyword+" "+main.version.text), minor(main.version.text))
}

func newMode(file string, line int, text string) Mode {
	return Mode{Known: true, Collected: true, Synchronous: true, File: file, Line: line, Text: text}
}

func byVersion(m Mode, minor int) Mode {
	m.Collected = minor >= 23
	m.Synchronous = minor >= 23
	return m
}

func (d Directive) text(main string) string {
	word := "//go:debug "
	if d.File == main {
		word = "godebug "
	}
	return word + d.Key + "=" + d.Value
}

// file is what matters of a go.work or a main module's go.mod.
type file struct {
	name    string
	version line
	// least is the higher of the go and the toolchain line: no older
	// toolchain builds this.
	least   line
	godebug []Directive
}

type line struct {
	line          int
	keyword, text string
}

// mainFile reads the go.work in force at dir, else the go.mod above it.
func mainFile(dir, gowork string) (file, bool) {
	mod, ok := above(dir, "go.mod")
	if !ok {
		return file{}, false
	}
	work := gowork
	if work == "" {
		work, _ = above(dir, "go.work")
	}
	if work != "" && work != "off" {
		if f, uses := readWork(work, filepath.Dir(mod)); uses {
			return f, true
		}
	}
	return readMod(mod)
}

func above(dir, name string) (string, bool) {
	for {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, true
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", false
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", false
		}
		dir = parent
	}
}

// readWork reads name; uses is false where it does not use the module in dir,
// which the go command then builds only with GOWORK=off.
func readWork(name, dir string) (f file, uses bool) {
	data, err := os.ReadFile(name)
	if err != nil {
		return file{}, false
	}
	work, err := modfile.ParseWork(name, data, nil)
	if err != nil {
		return file{}, false
	}
	for _, use := range work.Use {
		path := filepath.FromSlash(use.Path)
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(name), path)
		}
		if same(path, dir) {
			uses = true
		}
	}
	// A go.work without a go line is of Go 1.18, which knew no such line.
	return newFile(name, "1.18", 1, work.Go, work.Toolchain, work.Godebug), uses
}

func readMod(name string) (file, bool) {
	data, err := os.ReadFile(name)
	if err != nil {
		return file{}, false
	}
	// ParseLax alone would drop the godebug and toolchain lines; it serves
	// where a newer Go's directive is unknown to Parse.
	mod, err := modfile.Parse(name, data, nil)
	if err != nil {
		if mod, err = modfile.ParseLax(name, data, nil); err != nil {
			return file{}, false
		}
	}
	first := 1
	if mod.Module != nil && mod.Module.Syntax != nil {
		first = mod.Module.Syntax.Start.Line
	}
	// cmd/go/internal/gover: a go.mod without a go line means 1.16.
	return newFile(name, "1.16", first, mod.Go, mod.Toolchain, mod.Godebug), true
}

func newFile(name, missing string, first int, goLine *modfile.Go, toolchain *modfile.Toolchain, debug []*modfile.Godebug) file {
	f := file{name: name, version: line{first, "no go line, so go", missing}}
	if goLine != nil {
		f.version = line{goLine.Syntax.Start.Line, "go", goLine.Version}
	}
	f.least = f.version
	if toolchain != nil && minor(toolchain.Name) > minor(f.version.text) {
		f.least = line{toolchain.Syntax.Start.Line, "toolchain", toolchain.Name}
	}
	for _, g := range debug {
		f.godebug = append(f.godebug, Directive{File: name, Line: g.Syntax.Start.Line, Key: g.Key, Value: g.Value})
	}
	return f
}

func same(a, b string) bool {
	if filepath.Clean(a) == filepath.Clean(b) {
		return true
	}
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// minor is 26 of "1.26", "go1.26.8" and "1.26rc1", and -1 of what is no
// version of Go 1.
func minor(version string) int {
	rest, ok := strings.CutPrefix(strings.TrimPrefix(version, "go"), "1.")
	if !ok {
		return -1
	}
	end := 0
	for end < len(rest) && '0' <= rest[end] && rest[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(rest[:end])
	if err != nil {
		return -1
	}
	return n
}

// Setting describes everything outside of a package in dir that Find's answer
// depends on, but for the toolchain: equal texts mean equal answers.
func Setting(dir, gowork string) string {
	main, ok := mainFile(dir, gowork)
	if !ok {
		return "none"
	}
	text := fmt.Sprintf("%s %v %v", filepath.Base(main.name), main.version, main.least)
	for _, d := range main.godebug {
		text += fmt.Sprintf(" %s=%s:%d", d.Key, d.Value, d.Line)
	}
	return text
}
