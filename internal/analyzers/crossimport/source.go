package crossimport

import (
	"bytes"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/scanner"
	"go/token"
	"net/url"
	"path"
	"strconv"
	"strings"
)

// source is one Go file, read as far as its references need.
type source struct {
	rel  string
	src  []byte
	fset *token.FileSet
	// ast holds the package clause and the imports; nil where there is none.
	ast  *ast.File
	test bool
}

func parseSource(rel string, src []byte) *source {
	s := &source{rel: rel, src: src, fset: token.NewFileSet(), test: strings.HasSuffix(rel, "_test.go")}
	// What is broken below the imports is not looked at, and what is broken
	// in them leaves those before it.
	s.ast, _ = parser.ParseFile(s.fset, rel, src, parser.ImportsOnly|parser.ParseComments|parser.SkipObjectResolution)
	return s
}

func (s *source) dir() string { return path.Dir(s.rel) }

type kind int

const (
	importRef kind = iota
	linknameRef
	embedRef
	generateRef
	includeRef
	pluginRef
)

func (k kind) verb() string {
	return [...]string{
		importRef: "imports", linknameRef: "links to", embedRef: "embeds",
		generateRef: "generates from", includeRef: "includes",
		pluginRef: "opens the plugin",
	}[k]
}

// reference is one place where a file names something outside itself.
type reference struct {
	kind       kind
	start, end int // offsets in the file
	// path is an import path or, with isPath, a path relative to the folder.
	path   string
	isPath bool
	// text is what a message calls it: the import path, the symbol.
	text string
}

// references lists what the file imports, and what its directives name.
func (s *source) references() []reference {
	var list []reference
	if s.ast != nil {
		for _, spec := range s.ast.Imports {
			p, err := strconv.Unquote(spec.Path.Value) // "…" and `…` alike
			if err != nil || p == "C" {
				continue
			}
			list = append(list, reference{kind: importRef, start: s.offset(spec.Pos()), end: s.offset(spec.Path.End()), path: p, text: p})
		}
		list = append(list, s.cgo()...)
		list = append(list, s.plugins()...)
	}
	return append(list, s.directives()...)
}

func (s *source) offset(pos token.Pos) int { return s.fset.PositionFor(pos, false).Offset }

// directives reads //go:linkname, //go:embed and //go:generate, wherever they
// stand.
func (s *source) directives() []reference {
	if !bytes.Contains(s.src, []byte("//go:")) {
		return nil
	}
	fset := token.NewFileSet()
	f := fset.AddFile(s.rel, -1, len(s.src))
	var scan scanner.Scanner
	scan.Init(f, s.src, func(token.Position, string) {}, scanner.ScanComments)
	var list []reference
	for {
		pos, tok, lit := scan.Scan()
		if tok == token.EOF {
			return list
		}
		if tok != token.COMMENT || !strings.HasPrefix(lit, "//go:") {
			continue
		}
		word, _, _ := strings.Cut(strings.TrimPrefix(lit, "//go:"), " ")
		word, _, _ = strings.Cut(word, "\t")
		args := words(lit, f.Offset(pos), len("//go:")+len(word))
		switch word {
		case "linkname":
			// A comment behind it is an error of the compiler's to report.
			if len(args) == 2 || len(args) > 2 && strings.HasPrefix(args[2].text, "//") {
				list = append(list, linkname(args[1])...)
			}
		case "embed":
			for _, a := range args {
				p := strings.TrimPrefix(a.text, "all:")
				if p == "" {
					continue
				}
				list = append(list, reference{kind: embedRef, start: a.start, end: a.end, path: p, isPath: true, text: p})
			}
		case "generate":
			for _, a := range args {
				list = append(list, generate(a)...)
			}
		}
	}
}

type word struct {
	text       string
	start, end int
}

// words splits a directive's text from offset skip on at spaces, keeping what
// stands in quotes together. base is the directive's place in the file.
func words(text string, base, skip int) []word {
	var list []word
	for i := skip; i < len(text); {
		if text[i] == ' ' || text[i] == '\t' || text[i] == '\r' {
			i++
			continue
		}
		start, end := i, i
		if q := text[i]; q == '"' || q == '`' {
			if n := strings.IndexByte(text[i+1:], q); n >= 0 {
				end = i + 1 + n + 1
				list = append(list, word{text[start+1 : end-1], base + start, base + end})
				i = end
				continue
			}
		}
		for end < len(text) && text[end] != ' ' && text[end] != '\t' && text[end] != '\r' {
			end++
		}
		list = append(list, word{text[start:end], base + start, base + end})
		i = end
	}
	return list
}

// linkname reads the second word of //go:linkname, "import/path.name" with the
// dots of the path's last element escaped as %2e.
func linkname(w word) []reference {
	slash := strings.LastIndexByte(w.text, '/')
	dot := strings.IndexByte(w.text[slash+1:], '.')
	if dot < 0 {
		return nil
	}
	p, err := url.PathUnescape(w.text[:slash+1+dot])
	if err != nil || p == "" {
		return nil
	}
	return []reference{{kind: linknameRef, start: w.start, end: w.end, path: p, text: p + w.text[slash+1+dot:]}}
}

// generate reads one word of //go:generate: a path that leaves the folder, also
// as the value of a flag, or an import path.
func generate(w word) []reference {
	var list []reference
	for part := range strings.FieldsFuncSeq(w.text, func(r rune) bool { return r == '=' || r == ',' || r == '"' || r == '\'' }) {
		part, _, _ = strings.Cut(part, "@")
		switch {
		case strings.HasPrefix(part, "./"), strings.HasPrefix(part, "../"):
			list = append(list, reference{kind: generateRef, start: w.start, end: w.end, path: strings.TrimSuffix(part, "/..."), isPath: true, text: part})
		case strings.Contains(part, "/") && !strings.HasPrefix(part, "/") && !strings.HasPrefix(part, "-"):
			list = append(list, reference{kind: generateRef, start: w.start, end: w.end, path: strings.TrimSuffix(part, "/..."), text: part})
		}
	}
	return list
}

// cgo reads #include "…" and the -I flags of #cgo lines in the comment above
// import "C".
func (s *source) cgo() []reference {
	var list []reference
	for _, decl := range s.ast.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range gen.Specs {
			imp, ok := spec.(*ast.ImportSpec)
			if !ok || imp.Path.Value != `"C"` {
				continue
			}
			doc := imp.Doc
			if doc == nil && len(gen.Specs) == 1 {
				doc = gen.Doc
			}
			if doc == nil {
				continue
			}
			start, end := s.offset(doc.Pos()), s.offset(doc.End())
			list = append(list, s.preamble(start, min(end, len(s.src)))...)
		}
	}
	return list
}

func (s *source) preamble(start, end int) []reference {
	var list []reference
	for at := start; at < end; {
		n := bytes.IndexByte(s.src[at:end], '\n')
		line := end
		if n >= 0 {
			line = at + n
		}
		text := strings.TrimLeft(string(s.src[at:line]), "/ \t*")
		shift := line - at - len(text)
		for _, w := range words(text, at+shift, 0) {
			p := ""
			switch {
			case strings.HasPrefix(text, "#include") && w.text != "#include":
				p = w.text
			case strings.HasPrefix(text, "#cgo") && strings.HasPrefix(w.text, "-I"):
				p = strings.TrimPrefix(strings.TrimPrefix(w.text, "-I"), "${SRCDIR}/")
			}
			if strings.HasPrefix(p, "../") {
				list = append(list, reference{kind: includeRef, start: w.start, end: w.end, path: p, isPath: true, text: p})
			}
		}
		at = line + 1
	}
	return list
}

// program reports whether the file is kept out of its package by the tag
// "ignore": a program of its own, which no importer of the package pulls in.
func (s *source) program() bool {
	if s.ast == nil {
		return true
	}
	for _, g := range s.ast.Comments {
		if g.Pos() > s.ast.Package {
			break
		}
		for _, c := range g.List {
			if expr, err := constraint.Parse(c.Text); err == nil && constraint.IsGoBuild(c.Text) {
				return expr.Eval(func(string) bool { return true }) != expr.Eval(func(tag string) bool { return tag != "ignore" })
			}
		}
	}
	return false
}
