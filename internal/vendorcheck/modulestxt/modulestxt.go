// Package modulestxt reads and writes vendor/modules.txt, the list that
// 'go mod vendor' and 'go work vendor' leave beside the vendored packages.
//
// The go command reads that file leniently: a line that it does not understand
// it skips without a word. Parse reads every line exactly as the go command
// does, so that what follows from the list can be judged, and in addition
// reports each line that the go command would not have written itself. The
// format is that of cmd/go/internal/modcmd/vendor.go and its reader
// cmd/go/internal/modload/vendor.go, Go 1.13 to 1.27:
//
//	## workspace                          first line only, of 'go work vendor'
//	# MODULE VERSION [=> NEW [VERSION]]   a module that is required or used
//	# MODULE => NEW [VERSION]             a replacement of every version
//	## explicit; go 1.21                  of the module above: required, its go line
//	MODULE/PACKAGE                        a vendored package of the module above
package modulestxt

import (
	"bytes"
	"fmt"
	"go/version"
	"strings"
	"unicode/utf8"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// File is the content of one modules.txt, as the go command understands it.
type File struct {
	// Workspace is true where the first line says "## workspace".
	Workspace bool
	// Modules are the module lines in the order of the file.
	Modules []*Module
	// Problems are the lines that the go command would not have written, in
	// the order of the file, at most MaxProblems.
	Problems []Problem
	// Dropped counts the problems beyond MaxProblems.
	Dropped int

	header []string // the first line's tokens other than workspace
}

// MaxProblems bounds the problems that are kept of one file: of a file that is
// something else altogether, the first few lines say as much as all.
const MaxProblems = 20

// Module is one module line with the lines that belong to it.
type Module struct {
	// Mod is the module; its version is empty in a line that replaces every
	// version.
	Mod module.Version
	// New is what the line replaces it with, or zero.
	New module.Version
	// Explicit is true where a go.mod is said to require the module.
	Explicit bool
	// Go is the go line of the module's own go.mod, as noted, or "".
	Go string
	// Packages are the vendored packages in the order of the file.
	Packages []Package
	// Line is where the module line stands, NoteLine where its first "##" line
	// does, 0 where there is none.
	Line, NoteLine int

	unknown []string // further tokens of its "##" lines
}

// Package is one line that names a package.
type Package struct {
	Path string
	Line int
}

// Problem is one line that the go command would not have written.
type Problem struct {
	Line int
	// Cosmetic is true where the go command reads the line as it is meant.
	Cosmetic bool
	// Text states the fact.
	Text string
	// Module is the module path that the line speaks of, or "".
	Module string
}

// Parse reads data. It never fails: what cannot be read is a Problem.
func Parse(data []byte) *File {
	p := &parser{file: &File{}}
	p.wholeFile(data)
	for n := 1; len(data) > 0; n++ {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		p.line(n, strings.TrimSuffix(string(line), "\r"))
		data = rest
	}
	return p.file
}

type parser struct {
	file *File
	// mod owns the lines that follow, or is nil. skipped is true where they
	// follow a module line that the go command drops, which is one problem and
	// not one per line.
	mod     *Module
	skipped bool
	// unclean is true within a line whose bytes wholeFile has reported.
	unclean bool
}

func (p *parser) problem(line int, cosmetic bool, path, format string, args ...any) {
	if p.unclean {
		return
	}
	if len(p.file.Problems) == MaxProblems {
		p.file.Dropped++
		return
	}
	p.file.Problems = append(p.file.Problems, Problem{Line: line, Cosmetic: cosmetic, Module: path, Text: fmt.Sprintf(format, args...)})
}

// wholeFile reports what is true of the bytes as such, once each.
func (p *parser) wholeFile(data []byte) {
	lineAt := func(i int) int { return 1 + bytes.Count(data[:i], []byte("\n")) }
	if i := bytes.IndexByte(data, 0); i >= 0 {
		p.problem(lineAt(i), false, "", "a NUL byte")
	}
	if !utf8.Valid(data) {
		i := 0
		for i < len(data) {
			r, size := utf8.DecodeRune(data[i:])
			if r == utf8.RuneError && size == 1 {
				break
			}
			i += size
		}
		p.problem(lineAt(i), false, "", "bytes that are not UTF-8")
	}
	if i := bytes.Index(data, []byte("\r\n")); i >= 0 {
		p.problem(lineAt(i), true, "", "line ends in CR LF: %d of the lines do", bytes.Count(data, []byte("\r\n")))
	} else if bytes.HasSuffix(data, []byte("\r")) {
		p.problem(lineAt(len(data)), true, "", "line ends in CR")
	}
	if len(data) > 0 && data[len(data)-1] != '\n' {
		p.problem(lineAt(len(data)), true, "", "the last line does not end in a newline: the file may have been cut off")
	}
}

func (p *parser) line(n int, line string) {
	p.unclean = strings.ContainsRune(line, 0) || !utf8.ValidString(line)
	switch {
	case strings.HasPrefix(line, "# "):
		p.module(n, line)
	case strings.HasPrefix(line, "## ") && n == 1:
		p.header(line)
	case p.mod == nil:
		if !p.skipped {
			if strings.TrimSpace(line) == "" {
				p.problem(n, true, "", "an empty line")
				return
			}
			p.problem(n, false, "", "%s stands before any module line", quote(line))
			p.skipped = true
		}
	case strings.HasPrefix(line, "## "):
		p.notes(n, line)
	default:
		p.pkg(n, line)
	}
}

// header reads the first line where it is a "##" line. The go command looks at
// its first 512 bytes only.
func (p *parser) header(line string) {
	f := p.file
	for token := range strings.SplitSeq(strings.TrimPrefix(line[:min(len(line), 512)], "## "), ";") {
		switch token = strings.TrimSpace(token); token {
		case "workspace":
			f.Workspace = true
		case "":
		default:
			f.header = append(f.header, token)
		}
	}
	switch {
	case !f.Workspace:
		f.header = nil
		p.problem(1, false, "", "%s stands before any module line", quote(line))
	case len(f.header) > 0:
		p.problem(1, true, "", "unknown note %s", quote(strings.Join(f.header, "; ")))
	case line != "## workspace":
		p.problem(1, true, "", "unusual spacing in %s", quote(line))
	}
}

func (p *parser) module(n int, line string) {
	f := strings.Fields(line)
	if len(f) < 3 {
		path := ""
		if len(f) == 2 {
			path = f[1]
		}
		// The go command drops the line, but what follows still belongs to the
		// module above.
		p.problem(n, false, path, "module line %s has no version", quote(line))
		p.skipped = p.mod == nil
		return
	}
	m := &Module{Mod: module.Version{Path: f[1]}, Line: n}
	rest := f[2:]
	switch {
	case semver.IsValid(f[2]):
		m.Mod.Version = f[2]
		rest = f[3:]
	case f[2] != "=>":
		p.problem(n, false, f[1], "module line %s: %s is neither a version nor =>", quote(line), quote(f[2]))
		p.mod, p.skipped = nil, true
		return
	}
	understood := len(rest) == 0
	if len(rest) >= 2 && rest[0] == "=>" {
		switch {
		case len(rest) == 2:
			m.New = module.Version{Path: rest[1]}
			understood = true
		case len(rest) == 3 && semver.IsValid(rest[2]):
			m.New = module.Version{Path: rest[1], Version: rest[2]}
			understood = true
		}
	}
	if m.Mod.Version == "" && !understood {
		p.problem(n, false, f[1], "module line %s has neither a version nor a replacement", quote(line))
		p.mod, p.skipped = nil, true
		return
	}
	p.mod, p.skipped = m, false
	p.file.Modules = append(p.file.Modules, m)
	switch {
	case !understood:
		p.problem(n, false, f[1], "module line %s: what follows %s is not a replacement", quote(line), f[len(f)-len(rest)-1])
	case module.CheckImportPath(m.Mod.Path) != nil:
		p.problem(n, false, f[1], "module line %s: malformed module path", quote(line))
	case m.Mod.Version != "" && module.CanonicalVersion(m.Mod.Version) != m.Mod.Version:
		p.problem(n, false, f[1], "module line %s: version %s is not canonical", quote(line), m.Mod.Version)
	case m.New.Version != "" && module.CanonicalVersion(m.New.Version) != m.New.Version:
		p.problem(n, false, f[1], "module line %s: version %s is not canonical", quote(line), m.New.Version)
	case line != m.line():
		p.problem(n, true, f[1], "unusual spacing in %s", quote(line))
	}
}

// notes reads a "##" line; the go command takes the union of all of a module.
func (p *parser) notes(n int, line string) {
	m := p.mod
	broken, cosmetic := "", ""
	switch {
	case m.NoteLine != 0:
		cosmetic = fmt.Sprintf("a second line of notes about %s, after that in line %d", m.Mod.Path, m.NoteLine)
	case len(m.Packages) > 0:
		cosmetic = "notes after the packages of " + m.Mod.Path
	}
	if m.NoteLine == 0 {
		m.NoteLine = n
	}
	for token := range strings.SplitSeq(strings.TrimPrefix(line, "## "), ";") {
		token = strings.TrimSpace(token)
		goVersion, isGo := strings.CutPrefix(token, "go ")
		switch {
		case token == "explicit":
			m.Explicit = true
		case isGo:
			if m.Go != "" && m.Go != goVersion {
				broken = fmt.Sprintf("both go %s and go %s are noted of %s", m.Go, goVersion, m.Mod.Path)
			}
			m.Go = goVersion
			if !version.IsValid("go" + goVersion) {
				broken = fmt.Sprintf("malformed go version %s of %s", quote(goVersion), m.Mod.Path)
			}
		case token == "workspace":
			m.unknown = append(m.unknown, token)
			broken = "'## workspace' counts in the first line only"
		case token != "":
			m.unknown = append(m.unknown, token)
			cosmetic = fmt.Sprintf("unknown note %s of %s", quote(token), m.Mod.Path)
		}
	}
	switch {
	case broken != "":
		p.problem(n, false, "", "%s", broken)
	case cosmetic != "":
		p.problem(n, true, "", "%s", cosmetic)
	case line != m.notes():
		p.problem(n, true, "", "unusual spacing in %s", quote(line))
	}
}

func (p *parser) pkg(n int, line string) {
	f := strings.Fields(line)
	switch {
	case len(f) == 0:
		p.problem(n, true, "", "an empty line")
		return
	case len(f) > 1:
		p.problem(n, false, "", "%s is not a line of modules.txt", quote(line))
		return
	}
	if err := module.CheckImportPath(f[0]); err != nil {
		p.problem(n, false, "", "%s is not a package path", quote(line))
		return
	}
	if f[0] != line {
		p.problem(n, true, "", "unusual spacing in %s", quote(line))
	}
	p.mod.Packages = append(p.mod.Packages, Package{Path: f[0], Line: n})
}

// quote shows at most a screen's width of a line.
func quote(line string) string {
	const width = 100
	if len(line) > width {
		cut := width
		for cut > 0 && !utf8.RuneStart(line[cut]) {
			cut--
		}
		line = line[:cut] + "…"
	}
	return fmt.Sprintf("%q", line)
}
