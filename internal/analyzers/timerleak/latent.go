package timerleak

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/fractl/fractl/internal/analyzers/internal/timermode"
)

// maxRelated is how many further places a finding carries.
const maxRelated = 6

// latentLeak is a leak that is none where unstopped timers are collected, as
// the files of its own package say they are.
type latentLeak struct {
	// File is a base name, so that facts do not depend on where the tree lies.
	File    string
	Line    int
	Message string
}

// oldLeaks is a fact of a package: its latent leaks, for a main package above
// it whose //go:debug line brings the old meaning back.
type oldLeaks struct{ Leaks []latentLeak }

func (*oldLeaks) AFact() {}

func (f *oldLeaks) String() string { return fmt.Sprintf("%d latent leaks", len(f.Leaks)) }

func (c *checker) keep(at ast.Node, message string) {
	pos := c.pass.Fset.Position(at.Pos())
	c.latent = append(c.latent, latentLeak{filepath.Base(pos.Filename), pos.Line, message})
}

// checkGoDebug exports the package's latent leaks, and in a main package that
// turns the old meaning on reports those of the packages below it.
func (c *checker) checkGoDebug() {
	if c.pass.Pkg.Name() != "main" {
		if len(c.latent) > 0 {
			c.pass.ExportPackageFact(&oldLeaks{c.latent})
		}
		return
	}
	directives := c.directives(false)
	if len(directives) == 0 {
		return
	}
	with, without := timermode.Find(c.query(directives)), timermode.Find(c.query(nil))
	if !with.Known || with.Collected || !without.Collected {
		return
	}
	var related []analysis.RelatedInformation
	total := 0
	facts := c.pass.AllPackageFacts()
	slices.SortFunc(facts, func(a, b analysis.PackageFact) int { return strings.Compare(a.Package.Path(), b.Package.Path()) })
	for _, f := range facts {
		old, ok := f.Fact.(*oldLeaks)
		if !ok {
			continue
		}
		for _, l := range old.Leaks {
			total++
			if pos := c.places.Line(filepath.Join(c.dirOf(f.Package), l.File), l.Line); pos.IsValid() && len(related) < maxRelated {
				related = append(related, analysis.RelatedInformation{Pos: pos, Message: l.Message})
			}
		}
	}
	if total == 0 {
		return
	}
	c.pass.Report(analysis.Diagnostic{
		Pos: c.lineOf(with), Category: label(goDebug), Related: related,
		Message: fmt.Sprintf("%s makes timers of the packages below leak that are collected otherwise: %d of them (%s)", with.Text, total, without),
	})
}

// lineOf is the line of the package's own files that decided m.
func (c *checker) lineOf(m timermode.Mode) token.Pos {
	for _, f := range c.pass.Files {
		if file := c.pass.Fset.File(f.FileStart); file.Name() == m.File {
			return file.LineStart(m.Line)
		}
	}
	return c.pass.Files[0].Package
}

// dirOf is the folder of a package, told by the position of what it declares.
func (c *checker) dirOf(pkg *types.Package) string {
	for _, name := range pkg.Scope().Names() {
		if pos := pkg.Scope().Lookup(name).Pos(); pos.IsValid() {
			return filepath.Dir(c.pass.Fset.PositionFor(pos, false).Filename)
		}
	}
	return ""
}
