package timerleak

import (
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"strings"

	"github.com/fractl/fractl/internal/analyzers/internal/timermode"
)

// mode is the meaning of timer channels in the programs that the code at pos
// becomes part of.
func (c *checker) mode(pos token.Pos) timermode.Mode {
	if c.isTest(pos) {
		if c.tests == nil {
			m := timermode.Find(c.query(c.directives(true)))
			c.tests = &m
		}
		return *c.tests
	}
	if c.code == nil {
		m := timermode.Find(c.query(c.directives(false)))
		c.code = &m
	}
	return *c.code
}

func (c *checker) query(d []timermode.Directive) timermode.Query {
	return timermode.Query{
		Dir:        c.dir(),
		GOWORK:     os.Getenv("GOWORK"),
		Toolchain:  c.toolchain(),
		Directives: d,
	}
}

// dir is the package's folder.
func (c *checker) dir() string {
	return filepath.Dir(c.pass.Fset.File(c.pass.Files[0].FileStart).Name())
}

// directives are the //go:debug lines that count: those of package main, and
// for its test binary those of its test files too. Elsewhere the go command
// refuses them.
func (c *checker) directives(tests bool) []timermode.Directive {
	var list []timermode.Directive
	for _, f := range c.pass.Files {
		test := c.isTest(f.FileStart)
		if test && !tests || !test && c.pass.Pkg.Name() != "main" {
			continue
		}
		list = append(list, c.fileDirectives(f)...)
	}
	return list
}

func (c *checker) fileDirectives(f *ast.File) []timermode.Directive {
	var list []timermode.Directive
	for _, group := range f.Comments {
		if group.Pos() > f.Package {
			break
		}
		for _, comment := range group.List {
			text, ok := strings.CutPrefix(comment.Text, "//go:debug")
			if !ok || text == "" || text[0] != ' ' && text[0] != '\t' {
				continue
			}
			if key, value, ok := strings.Cut(strings.TrimSpace(text), "="); ok {
				pos := c.pass.Fset.Position(comment.Pos())
				list = append(list, timermode.Directive{File: pos.Filename, Line: pos.Line, Key: key, Value: value})
			}
		}
	}
	return list
}

// toolchain is the version of the toolchain, or "" where nothing tells.
func (c *checker) toolchain() string {
	if f := c.pass.Analyzer.Flags.Lookup("toolchain"); f != nil && f.Value.String() != "" {
		return f.Value.String()
	}
	if v := os.Getenv("GOVERSION"); strings.HasPrefix(v, "go1.") {
		return v
	}
	// The standard library that the package was checked against lies in
	// GOROOT/src/time.
	for _, p := range c.pass.Pkg.Imports() {
		if p.Path() != "time" {
			continue
		}
		file := c.pass.Fset.Position(p.Scope().Lookup("NewTimer").Pos()).Filename
		data, err := os.ReadFile(filepath.Join(filepath.Dir(file), "..", "..", "VERSION"))
		if err != nil {
			return ""
		}
		version, _, _ := strings.Cut(string(data), "\n")
		return strings.TrimSpace(version)
	}
	return ""
}
