// Package directive reads the //go:generate lines of Go files as the go command
// does (src/cmd/go/internal/generate, Go 1.26).
package directive

import (
	"bytes"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"github.com/fractl/fractl/internal/fault"
)

// Directive is one //go:generate line.
type Directive struct {
	// File is relative to the workspace's root, with "/".
	File string
	Line int
	// Text is the line as it stands, without its end.
	Text string
	// Dir is the absolute folder that it runs in.
	Dir string
	// Package is the name in the file's package clause.
	Package string
	// Words are the command and its arguments, with aliases and variables put
	// in.
	Words []string
	// Inputs are the patterns of the //fractl:inputs lines right above it, in
	// the words of the folder; nil where there are none.
	Inputs []string
}

// Place is the line as a message names it.
func (d Directive) Place() string { return fmt.Sprintf("%s:%d", d.File, d.Line) }

// Filter chooses directives by their text, as -run and -skip do.
type Filter struct{ Run, Skip *regexp.Regexp }

func (f Filter) takes(text string) bool {
	return (f.Run == nil || f.Run.MatchString(text)) && (f.Skip == nil || !f.Skip.MatchString(text))
}

// InputsComment begins the line that says what a directive reads.
const InputsComment = "//fractl:inputs "

// Has reports whether a file may hold directives.
func Has(src []byte) bool { return bytes.Contains(src, []byte("//go:generate")) }

// Parse reads the directives of one file, in order. rel is its path relative to
// the root, dir its absolute folder; env is looked up for variables after those
// that the go command sets, and goroot is what $GOROOT stands for. An error
// names the file and the line; the directives before it are returned.
func Parse(rel, dir string, src []byte, filter Filter, env func(string) string, goroot string) ([]Directive, error) {
	f, err := parser.ParseFile(token.NewFileSet(), rel, src, parser.PackageClauseOnly)
	if err != nil || f.Name == nil {
		return nil, nil // no Go file; the go command says so where it is built
	}
	r := &reader{
		rel: rel, dir: dir, pkg: f.Name.Name, env: env, goroot: goroot,
		aliases: make(map[string][]string),
	}
	var (
		list   []Directive
		inputs []string
	)
	number := 0
	for line := range bytes.Lines(src) {
		number++
		text := strings.TrimRight(string(line), "\r\n")
		if globs, ok := strings.CutPrefix(text, InputsComment); ok {
			inputs = append(inputs, strings.Fields(globs)...)
			continue
		}
		if !strings.HasPrefix(text, "//go:generate ") && !strings.HasPrefix(text, "//go:generate\t") {
			inputs = nil
			continue
		}
		declared := inputs
		inputs = nil
		if !filter.takes(text) {
			continue
		}
		words, err := r.words(text, number)
		if err != nil {
			return list, err
		}
		if words == nil {
			continue // an alias
		}
		list = append(list, Directive{
			File: rel, Line: number, Text: text, Dir: dir, Package: r.pkg, Words: words, Inputs: declared,
		})
	}
	return list, nil
}

// reader holds what the lines of one file share.
type reader struct {
	rel, dir, pkg string
	env           func(string) string
	goroot        string
	aliases       map[string][]string
}

func (r *reader) fault(line int, fact, hint string) error { return fault.At(r.rel, line, fact, hint) }

// words splits a line, puts in an alias for its first word, and then variables
// in all of them. It gives nil for a line that makes an alias.
func (r *reader) words(text string, line int) ([]string, error) {
	words, err := r.split(text[len("//go:generate"):], line)
	if err != nil {
		return nil, err
	}
	if len(words) == 0 {
		return nil, r.fault(line, "go:generate names no command", "write the command behind it, or remove the line")
	}
	if words[0] == "-command" {
		return nil, r.alias(words, line)
	}
	if with, ok := r.aliases[words[0]]; ok {
		words = append(append([]string{}, with...), words[1:]...)
	}
	if len(words) == 0 {
		return nil, r.fault(line, "go:generate uses an alias for nothing", "say behind -command what it stands for")
	}
	for i, w := range words {
		words[i] = os.Expand(w, func(name string) string { return r.variable(name, line) })
	}
	return words, nil
}

func (r *reader) alias(words []string, line int) error {
	if len(words) == 1 {
		return r.fault(line, "go:generate -command names no command", "write '//go:generate -command NAME COMMAND…'")
	}
	name := words[1]
	if r.aliases[name] != nil {
		return r.fault(line, "go:generate -command defines "+name+" a second time", "give each alias of a file a name of its own")
	}
	r.aliases[name] = append([]string{}, words[2:]...)
	return nil
}

// split breaks a line at blanks; a word that begins with a double quote is a Go
// string.
func (r *reader) split(s string, line int) ([]string, error) {
	var words []string
	s = strings.TrimLeft(s, " \t")
	for s != "" {
		if s[0] == '"' {
			word, rest, err := r.quoted(s, line)
			if err != nil {
				return nil, err
			}
			words = append(words, word)
			s = strings.TrimLeft(rest, " \t")
			continue
		}
		i := strings.IndexAny(s, " \t")
		if i < 0 {
			i = len(s)
		}
		words = append(words, s[:i])
		s = strings.TrimLeft(s[i:], " \t")
	}
	return words, nil
}

func (r *reader) quoted(s string, line int) (word, rest string, err error) {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			word, err := strconv.Unquote(s[:i+1])
			if err != nil {
				return "", "", r.fault(line, "go:generate has a bad quoted string", "quote it as a Go string")
			}
			if rest := s[i+1:]; rest != "" && rest[0] != ' ' && rest[0] != '\t' {
				return "", "", r.fault(line, "go:generate has no space behind a quoted word", "put one there")
			}
			return word, s[i+1:], nil
		}
	}
	return "", "", r.fault(line, "go:generate has a quote that nothing closes", "close it")
}

// variable is what a name stands for: those that the go command sets first.
func (r *reader) variable(name string, line int) string {
	switch name {
	case "GOFILE":
		return filepath.Base(filepath.FromSlash(r.rel))
	case "GOLINE":
		return strconv.Itoa(line)
	case "GOPACKAGE":
		return r.pkg
	case "DOLLAR":
		return "$"
	case "GOROOT":
		return r.goroot
	case "PWD":
		return r.dir
	case "GOOS", "GOARCH":
		if v := r.env(name); v != "" {
			return v
		}
		if name == "GOOS" {
			return runtime.GOOS
		}
		return runtime.GOARCH
	}
	return r.env(name)
}

// Environment is what the go command adds to the environment of a directive's
// process.
func (d Directive) Environment(goroot string, env func(string) string) []string {
	r := &reader{rel: d.File, dir: d.Dir, pkg: d.Package, env: env, goroot: goroot}
	var list []string
	for _, name := range []string{"GOROOT", "GOARCH", "GOOS", "GOFILE", "GOLINE", "GOPACKAGE", "DOLLAR", "PWD"} {
		list = append(list, name+"="+r.variable(name, d.Line))
	}
	return list
}
