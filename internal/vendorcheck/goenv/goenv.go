// Package goenv answers what the go command would take a setting to be, and
// where it would take it from, without asking the go command: the process
// environment first, then the file of 'go env -w', then go.env of the
// toolchain, as in cmd/go/internal/cfg/cfg.go.
package goenv

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Origin says in words where a value was set.
type Origin string

// The origins in their order of precedence.
const (
	Unset       Origin = ""
	Environment Origin = "in the environment"
	UserFile    Origin = "by 'go env -w'"
	Toolchain   Origin = "in go.env of the toolchain"
)

// Env is the settings of the go command, read once. It is safe for concurrent
// use.
type Env struct {
	process, user, toolchain map[string]string
	goroot                   string
}

// Read reads the settings that hold in a process environment, a list of
// "KEY=value" like that of os.Environ; of a key that stands twice the last
// counts. Files that cannot be read count as empty, as they do for the go
// command.
func Read(environ []string) *Env {
	e := &Env{process: make(map[string]string, len(environ))}
	for _, kv := range environ {
		if key, value, ok := strings.Cut(kv, "="); ok {
			e.process[keyOf(key)] = value
		}
	}
	if name := e.userFile(); name != "" {
		e.user = readFile(name)
	}
	e.goroot = e.findGoroot()
	if e.goroot != "" {
		e.toolchain = readFile(filepath.Join(e.goroot, "go.env"))
	}
	return e
}

// Get returns a setting and its origin. An empty value in the environment
// counts as none, as it does for the go command.
func (e *Env) Get(key string) (string, Origin) {
	if v := e.process[key]; v != "" {
		return v, Environment
	}
	if v, ok := e.user[key]; ok {
		return v, UserFile
	}
	if v, ok := e.toolchain[key]; ok {
		return v, Toolchain
	}
	return "", Unset
}

// Goroot is the folder of the toolchain that a plain "go" would start, or ""
// where none is found.
func (e *Env) Goroot() string { return e.goroot }

// Version is the version of that toolchain, like "1.26.8", or "" where it is
// not known.
func (e *Env) Version() string {
	if e.goroot == "" {
		return ""
	}
	data, err := os.ReadFile(filepath.Join(e.goroot, "VERSION"))
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(data), "\n")
	v, ok := strings.CutPrefix(strings.TrimSpace(line), "go")
	if !ok {
		return "" // a development tree
	}
	return v
}

// userFile is the file of 'go env -w', or "" where it is switched off.
func (e *Env) userFile() string {
	switch name := e.process["GOENV"]; name {
	case "off":
		return ""
	case "":
		if dir := e.userConfigDir(); dir != "" {
			return filepath.Join(dir, "go", "env")
		}
		return ""
	default:
		return name
	}
}

// userConfigDir is os.UserConfigDir over e's environment.
func (e *Env) userConfigDir() string {
	switch runtime.GOOS {
	case "windows":
		return e.process[keyOf("AppData")]
	case "darwin", "ios":
		if home := e.process["HOME"]; home != "" {
			return filepath.Join(home, "Library", "Application Support")
		}
	case "plan9":
		if home := e.process["home"]; home != "" {
			return filepath.Join(home, "lib")
		}
	default:
		if dir := e.process["XDG_CONFIG_HOME"]; dir != "" {
			if !filepath.IsAbs(dir) {
				return ""
			}
			return dir
		}
		if home := e.process["HOME"]; home != "" {
			return filepath.Join(home, ".config")
		}
	}
	return ""
}

// findGoroot finds the toolchain by the setting GOROOT or by the place of the
// first "go" in PATH.
func (e *Env) findGoroot() string {
	if dir := e.user["GOROOT"]; dir != "" {
		return filepath.Clean(dir)
	}
	if dir := e.process["GOROOT"]; dir != "" {
		return filepath.Clean(dir)
	}
	name := "go"
	if runtime.GOOS == "windows" {
		name = "go.exe"
	}
	for _, dir := range filepath.SplitList(e.process["PATH"]) {
		exe := filepath.Join(dir, name)
		if info, err := os.Stat(exe); dir == "" || err != nil || info.IsDir() || !executable(info) {
			continue
		}
		for _, at := range []string{exe, resolved(exe)} {
			for _, up := range []string{"../..", "../../.."} {
				if dir := filepath.Join(at, up); isGoroot(dir) {
					return dir
				}
			}
		}
		return "" // the go command itself would be this file, whatever it is
	}
	return ""
}

func executable(info os.FileInfo) bool {
	return runtime.GOOS == "windows" || info.Mode()&0o111 != 0
}

func resolved(name string) string {
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return name
	}
	return real
}

func isGoroot(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "pkg", "tool"))
	return err == nil && info.IsDir()
}

// keyOf is the form in which a key of the environment is looked up.
func keyOf(key string) string {
	if runtime.GOOS == "windows" {
		return strings.ToUpper(key)
	}
	return key
}

// readFile reads the "KEY=value" lines of an env file; other lines are skipped.
func readFile(name string) map[string]string {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	return parse(data)
}

func parse(data []byte) map[string]string {
	vals := make(map[string]string)
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		key, value, ok := bytes.Cut(line, []byte("="))
		if !ok || len(key) == 0 || key[0] < 'A' || key[0] > 'Z' {
			continue
		}
		vals[string(key)] = string(value)
	}
	return vals
}
