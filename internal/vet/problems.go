package vet

import (
	"errors"
	"fmt"
	"go/scanner"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/tools/go/packages"

	"github.com/fractl/fractl/internal/fault"
)

// problems gathers what could not be looked at, each thing once. It is safe for
// concurrent use.
type problems struct {
	dir  string
	mu   sync.Mutex
	seen map[string]bool
	list []error
}

func newProblems(dir string) *problems {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	return &problems{dir: dir, seen: make(map[string]bool)}
}

// add takes an error, or each of those that were joined.
func (p *problems) add(err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			p.add(e)
		}
		return
	}
	if err == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if key := err.Error(); !p.seen[key] {
		p.seen[key] = true
		p.list = append(p.list, err)
	}
}

func (p *problems) empty() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.list) == 0
}

func (p *problems) sorted() []error {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := slices.Clone(p.list)
	slices.SortStableFunc(list, func(a, b error) int { return naturally(a.Error(), b.Error()) })
	return list
}

// listed turns an error of go list into a fault at its place.
func (p *problems) listed(e packages.Error) {
	fact, hint := e.Msg, ""
	if head, cmd, ok := strings.Cut(fact, "; to add it:\n\t"); ok {
		fact, hint = head, "run '"+strings.TrimSpace(cmd)+"'"
	}
	fact = strings.TrimSpace(fact)
	subject := e.Pos
	if subject == "" || subject == "-" {
		subject = ""
	} else {
		subject = p.shorten(subject)
	}
	p.add(fault.New(subject, p.shortenAll(fact), hint))
}

// parsed takes the errors of the parser.
func (p *problems) parsed(name string, err error) {
	var list scanner.ErrorList
	if !errors.As(err, &list) {
		p.add(fault.New(p.rel(name), "cannot be read: "+err.Error(), ""))
		return
	}
	for i, e := range list {
		if i == maxErrors {
			break
		}
		p.add(fault.New(p.position(e.Pos), e.Msg, ""))
	}
}

// maxErrors is how many errors of one package are shown: the rest mostly
// follows from them.
const maxErrors = 10

// typed takes an error of the type checker.
func (p *problems) typed(e types.Error) {
	hint := ""
	if strings.Contains(e.Msg, "requires newer Go version") {
		hint = "build fractl with that release: 'GOTOOLCHAIN=goVERSION go install …/cmd/fractl'"
	}
	p.add(fault.New(p.position(e.Fset.PositionFor(e.Pos, false)), e.Msg, hint))
}

func (p *problems) position(pos token.Position) string {
	if !pos.IsValid() {
		return ""
	}
	return fmt.Sprintf("%s:%d:%d", p.rel(pos.Filename), pos.Line, pos.Column)
}

// rel is a path as the user would write it in the working folder.
func (p *problems) rel(name string) string {
	rel, err := filepath.Rel(p.dir, name)
	if err != nil {
		return filepath.ToSlash(name)
	}
	return filepath.ToSlash(rel)
}

// shorten makes the path of "/path/file.go:1:2" relative.
func (p *problems) shorten(pos string) string {
	name, rest, _ := strings.Cut(pos, ".go:")
	if rest == "" || !filepath.IsAbs(name) {
		return pos
	}
	return p.rel(name+".go") + ":" + rest
}

// shortenAll makes the paths below the working folder relative that an error of
// the go command holds.
func (p *problems) shortenAll(text string) string {
	return strings.ReplaceAll(text, p.dir+string(filepath.Separator), "")
}

// naturally compares texts with the numbers in them by their value, so that
// line 9 comes before line 10.
func naturally(a, b string) int {
	for a != "" && b != "" {
		if digit(a[0]) && digit(b[0]) {
			x, restA := number(a)
			y, restB := number(b)
			if x != y {
				if x < y {
					return -1
				}
				return 1
			}
			a, b = restA, restB
			continue
		}
		if a[0] != b[0] {
			return int(a[0]) - int(b[0])
		}
		a, b = a[1:], b[1:]
	}
	return len(a) - len(b)
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

func number(s string) (int, string) {
	end := 0
	for end < len(s) && digit(s[end]) {
		end++
	}
	n, _ := strconv.Atoi(s[:end])
	return n, s[end:]
}
