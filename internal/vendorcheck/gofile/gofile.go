// Package gofile reads of a Go file what decides which packages and files are
// vendored: its build constraint, its imports and what it embeds.
//
// It scans the head of the file only. The whole of it is parsed where it imports
// embed. That makes it about ten times as fast as go/parser, whose verdict about
// every file that compiles it shares.
package gofile

import (
	"bytes"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Info is what a file says.
type Info struct {
	// Package is the name in its package clause; empty where there is none.
	Package string
	// Ignored is true where no choice of tags builds the file, which is so
	// where its constraint asks for the tag "ignore".
	Ignored bool
	Imports []Import
	// Embeds are the patterns of its go:embed directives, with their "all:".
	Embeds []string
	// Broken is true where the head is not that of a Go file.
	Broken bool
}

// Import is one import of a file.
type Import struct {
	Path string
	Line int // from 1
}

// Read reads a file.
func Read(src []byte) Info {
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	s := scanner{src: src, line: 1}
	info := Info{Ignored: !matches(src)}
	if s.word() != "package" {
		info.Broken = true
		return info
	}
	info.Package = s.word()
	info.Broken = info.Package == ""
	for !info.Broken {
		s.semicolons()
		mark := s
		if s.word() != "import" {
			s = mark
			break
		}
		info.Broken = !s.imports(&info.Imports)
	}
	for _, imp := range info.Imports {
		if imp.Path == "embed" {
			info.Embeds = embeds(src)
			break
		}
	}
	return info
}

// scanner reads tokens of the head of a file.
type scanner struct {
	src  []byte
	at   int
	line int
}

// space skips blanks and comments.
func (s *scanner) space() {
	for s.at < len(s.src) {
		switch c := s.src[s.at]; {
		case c == '\n':
			s.line++
			s.at++
		case c == ' ' || c == '\t' || c == '\r':
			s.at++
		case c == '/' && s.at+1 < len(s.src) && s.src[s.at+1] == '/':
			end := bytes.IndexByte(s.src[s.at:], '\n')
			if end < 0 {
				s.at = len(s.src)
				return
			}
			s.at += end
		case c == '/' && s.at+1 < len(s.src) && s.src[s.at+1] == '*':
			end := bytes.Index(s.src[s.at+2:], []byte("*/"))
			if end < 0 {
				s.at = len(s.src)
				return
			}
			comment := s.src[s.at : s.at+end+4]
			s.line += bytes.Count(comment, []byte("\n"))
			s.at += len(comment)
		default:
			return
		}
	}
}

func (s *scanner) semicolons() {
	for s.space(); s.at < len(s.src) && s.src[s.at] == ';'; s.space() {
		s.at++
	}
}

// word reads an identifier, or returns "".
func (s *scanner) word() string {
	s.space()
	start := s.at
	for s.at < len(s.src) {
		c := s.src[s.at]
		if c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c < utf8.RuneSelf {
			break
		}
		s.at++
	}
	return string(s.src[start:s.at])
}

// take skips one character if it comes next.
func (s *scanner) take(c byte) bool {
	s.space()
	if s.at == len(s.src) || s.src[s.at] != c {
		return false
	}
	s.at++
	return true
}

// imports reads what follows the word import.
func (s *scanner) imports(list *[]Import) bool {
	if !s.take('(') {
		return s.spec(list)
	}
	for {
		s.semicolons()
		if s.take(')') {
			return true
		}
		if !s.spec(list) {
			return false
		}
	}
}

// spec reads one import with its name, if it has one.
func (s *scanner) spec(list *[]Import) bool {
	if !s.take('.') {
		s.word()
	}
	s.space()
	if s.at == len(s.src) {
		return false
	}
	quote := s.src[s.at]
	if quote != '"' && quote != '`' {
		return false
	}
	end := s.at + 1
	for ; end < len(s.src) && s.src[end] != quote; end++ {
		if quote == '"' && s.src[end] == '\\' {
			end++
		} else if s.src[end] == '\n' {
			return false // no path has one
		}
	}
	if end >= len(s.src) {
		return false
	}
	path, err := strconv.Unquote(string(s.src[s.at : end+1]))
	if err != nil {
		return false
	}
	*list = append(*list, Import{path, s.line})
	s.at = end + 1
	return true
}

// matches reports whether some choice of tags builds a file: every tag may be
// true or false, as it suits, but "ignore", which is false. It is ShouldBuild
// with AnyTags of cmd/go/internal/imports.
func matches(src []byte) bool {
	goBuild, plusBuild := constraints(src)
	if goBuild != "" {
		x, err := constraint.Parse(goBuild)
		return err != nil || eval(x, true)
	}
	for _, line := range plusBuild {
		if x, err := constraint.Parse(line); err == nil && !eval(x, true) {
			return false
		}
	}
	return true
}

func eval(x constraint.Expr, prefer bool) bool {
	switch x := x.(type) {
	case *constraint.NotExpr:
		return !eval(x.X, !prefer)
	case *constraint.AndExpr:
		return eval(x.X, prefer) && eval(x.Y, prefer)
	case *constraint.OrExpr:
		return eval(x.X, prefer) || eval(x.Y, prefer)
	case *constraint.TagExpr:
		return x.Tag != "ignore" && prefer
	}
	return true
}

// constraints returns the go:build line of a file, and its +build lines: those
// stand before the last blank line of the comments that the file begins with.
func constraints(src []byte) (goBuild string, plusBuild []string) {
	var pending []string
	for len(src) > 0 {
		line, rest, _ := bytes.Cut(src, []byte("\n"))
		text := strings.TrimSpace(string(line))
		switch {
		case text == "":
			plusBuild = append(plusBuild, pending...)
			pending = nil
		case strings.HasPrefix(text, "//"):
			switch {
			case goBuild == "" && constraint.IsGoBuild(text):
				goBuild = text
			case constraint.IsPlusBuild(text):
				pending = append(pending, text)
			}
		case strings.HasPrefix(text, "/*"):
			begin := bytes.Index(src, []byte("/*"))
			end := bytes.Index(src[begin+2:], []byte("*/"))
			if end < 0 {
				return goBuild, plusBuild
			}
			rest = src[begin+2+end+2:]
			after, _, _ := bytes.Cut(rest, []byte("\n"))
			if more := strings.TrimSpace(string(after)); more != "" && !strings.HasPrefix(more, "/*") && !strings.HasPrefix(more, "//") {
				return goBuild, plusBuild
			}
			// What is left of the line is no blank line.
			if strings.TrimSpace(string(after)) == "" {
				_, rest, _ = bytes.Cut(rest, []byte("\n"))
			}
		default:
			return goBuild, plusBuild
		}
		src = rest
	}
	return goBuild, plusBuild
}

// embeds returns the patterns of the go:embed directives of a file.
func embeds(src []byte) []string {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", src, parser.ParseComments|parser.SkipObjectResolution)
	if f == nil || err != nil {
		return nil
	}
	var list []string
	for _, group := range f.Comments {
		for _, c := range group.List {
			if args, ok := strings.CutPrefix(c.Text, "//go:embed"); ok && (strings.HasPrefix(args, " ") || strings.HasPrefix(args, "\t")) && leads(fset, f, c) {
				list = append(list, patterns(args)...)
			}
		}
	}
	return list
}

// leads reports whether a comment begins its line, as a directive does.
func leads(fset *token.FileSet, f *ast.File, c *ast.Comment) bool {
	return fset.Position(c.Pos()).Column == 1 || f.Pos() < c.Pos()
}

// patterns splits the arguments of a go:embed directive.
func patterns(args string) (list []string) {
	for args = strings.TrimSpace(args); args != ""; args = strings.TrimSpace(args) {
		if q := args[0]; q == '"' || q == '`' {
			quoted, err := strconv.QuotedPrefix(args)
			if err != nil {
				return list
			}
			if text, err := strconv.Unquote(quoted); err == nil {
				list = append(list, text)
			}
			args = args[len(quoted):]
			continue
		}
		end := strings.IndexAny(args, " \t")
		if end < 0 {
			end = len(args)
		}
		list = append(list, args[:end])
		args = args[end:]
	}
	return list
}
