package mockgen

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Shapes reads what of a workspace's source the output of mockgen can depend on:
// declarations, without comments and the bodies of functions. It is safe for
// concurrent use.
type Shapes struct {
	// PackageDir is the absolute folder of a package of the workspace, by its
	// import path, or "".
	PackageDir func(importPath string) string

	mu    sync.Mutex
	files map[string]*shape
}

// shape is that of one file, as it was at a time.
type shape struct {
	text    string
	imports []string
	// mock: mockgen made it.
	mock  bool
	size  int64
	mtime time.Time
}

// Write writes the shape of what a call reads in its folder, and of all packages
// of the workspace that it reaches by imports: names in signatures are those of
// packages, and embedded interfaces come from anywhere.
func (s *Shapes) Write(w io.Writer, c *Call, dir string) error {
	seen := make(map[string]bool)
	var queue []string
	switch c.Mode {
	case Source:
		for _, file := range append([]string{c.Input}, c.Reads...) {
			sh, err := s.file(within(dir, file))
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "file %s\n%s\n", file, sh.text)
			queue = append(queue, sh.imports...)
		}
		// Types of the same package are named without it: its folder counts.
		queue = append(queue, "\x00"+filepath.Dir(within(dir, c.Input)))
	case Package:
		if c.ImportPath == "." {
			queue = append(queue, "\x00"+dir)
		} else {
			queue = append(queue, c.ImportPath)
		}
	default:
		data, err := os.ReadFile(within(dir, c.Input))
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "input %q\n", data)
	}
	for _, file := range c.Reads {
		if data, err := os.ReadFile(within(dir, file)); err == nil {
			fmt.Fprintf(w, "reads %s %q\n", file, data)
		}
	}
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		folder, isDir := strings.CutPrefix(next, "\x00")
		if !isDir {
			folder = s.PackageDir(next)
		}
		if folder == "" || seen[folder] {
			continue
		}
		seen[folder] = true
		text, imports := s.folder(folder)
		fmt.Fprintf(w, "package %s\n%s\n", next, text)
		queue = append(queue, imports...)
	}
	return nil
}

func within(dir, file string) string {
	if filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(dir, file)
}

// folder is the shape of the files of a package, in order, without tests.
func (s *Shapes) folder(dir string) (text string, imports []string) {
	names, _ := filepath.Glob(filepath.Join(escape(dir), "*.go"))
	slices.Sort(names)
	var all strings.Builder
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		sh, err := s.file(name)
		if err != nil || sh.mock {
			continue // no interface depends on a mock
		}
		fmt.Fprintf(&all, "%s\n%s\n", filepath.Base(name), sh.text)
		imports = append(imports, sh.imports...)
	}
	slices.Sort(imports)
	return all.String(), slices.Compact(imports)
}

// file is the shape of a file, read again where it has been written since.
func (s *Shapes) file(name string) (*shape, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	known, ok := s.files[name]
	s.mu.Unlock()
	if ok && known.size == info.Size() && known.mtime.Equal(info.ModTime()) {
		return known, nil
	}
	src, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	sh := shapeOf(src)
	sh.size, sh.mtime = info.Size(), info.ModTime()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.files == nil {
		s.files = make(map[string]*shape)
	}
	s.files[name] = sh
	return sh, nil
}

// shapeOf prints the declarations of a file that types can depend on, and its
// build constraints. What does not parse is its own shape.
func shapeOf(src []byte) *shape {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return &shape{text: string(src)}
	}
	sh := &shape{mock: IsMock(src)}
	if sh.mock {
		return sh
	}
	var text strings.Builder
	for _, group := range f.Comments {
		for _, c := range group.List {
			if strings.HasPrefix(c.Text, "//go:build ") && c.Pos() < f.Package {
				fmt.Fprintln(&text, c.Text)
			}
		}
	}
	f.Comments, f.Doc = nil, nil
	decls := f.Decls
	f.Decls = nil
	for _, d := range decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv != nil || !d.Name.IsExported() {
				continue
			}
			d.Body, d.Doc = nil, nil
		case *ast.GenDecl:
			d.Doc = nil
			ast.Inspect(d, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.Field:
					n.Doc, n.Comment = nil, nil
				case *ast.TypeSpec:
					n.Doc, n.Comment = nil, nil
				case *ast.ValueSpec:
					n.Doc, n.Comment = nil, nil
				case *ast.ImportSpec:
					n.Doc, n.Comment = nil, nil
				case *ast.FuncLit:
					n.Body = &ast.BlockStmt{}
				}
				return true
			})
			if d.Tok == token.IMPORT {
				for _, spec := range d.Specs {
					if p, err := strconv.Unquote(spec.(*ast.ImportSpec).Path.Value); err == nil {
						sh.imports = append(sh.imports, p)
					}
				}
			}
		}
		f.Decls = append(f.Decls, d)
	}
	fmt.Fprintf(&text, "package %s\n", f.Name.Name)
	// Without a file set nothing of the old layout is left.
	for _, d := range f.Decls {
		_ = (&printer.Config{Mode: printer.RawFormat}).Fprint(&text, token.NewFileSet(), d)
		text.WriteByte('\n')
	}
	sh.text = text.String()
	return sh
}

// header begins the first line of what mockgen makes.
const header = "// Code generated by MockGen. DO NOT EDIT."

// IsMock reports whether a file was made by mockgen.
func IsMock(src []byte) bool {
	for line := range strings.Lines(string(src[:min(len(src), 4096)])) {
		if strings.TrimRight(line, "\r\n") == header {
			return true
		}
		if strings.HasPrefix(line, "package ") {
			return false
		}
	}
	return false
}

// escape protects the meta characters of a path from filepath.Glob.
func escape(p string) string {
	return strings.NewReplacer(`[`, `\[`, `*`, `\*`, `?`, `\?`, `\`, `\\`).Replace(p)
}
