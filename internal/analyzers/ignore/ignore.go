package ignore

import (
	_ "embed"

	"golang.org/x/tools/go/analysis"

	"github.com/fractl/fractl/internal/analyzers/internal/analyzerdoc"
	"github.com/fractl/fractl/internal/finding"
)

//go:embed doc.go
var doc string

// Analyzer reports what one file alone shows: a comment without a rule or a
// reason. Which rules there are, and which comments suppressed something, only
// a driver knows that has run them all; those of fractl do the whole check
// themselves and do not run this.
var Analyzer = &analysis.Analyzer{
	Name:             "ignore",
	Doc:              analyzerdoc.Must(doc, "ignore"),
	URL:              "https://pkg.go.dev/github.com/fractl/fractl/internal/analyzers/ignore",
	Run:              run,
	RunDespiteErrors: true,
}

func run(pass *analysis.Pass) (any, error) {
	for _, f := range pass.Files {
		for _, group := range f.Comments {
			for _, c := range group.List {
				for _, ig := range finding.IgnoresInGo("", []byte(c.Text)) {
					if fact := Incomplete(ig); fact != "" {
						pass.Report(analysis.Diagnostic{Pos: c.Pos(), End: c.End(), Message: fact})
					}
				}
			}
		}
	}
	return nil, nil
}

// Incomplete says what a comment lacks, or "" where it is complete.
func Incomplete(ig finding.Ignore) string {
	switch {
	case ig.Rule == "":
		return "ignore comment names no rule"
	case ig.Spaced:
		return "ignore comment for " + ig.Rule + " has a space after the slashes and suppresses nothing"
	case ig.Reason == "":
		return "ignore comment for " + ig.Rule + " gives no reason"
	}
	return ""
}
