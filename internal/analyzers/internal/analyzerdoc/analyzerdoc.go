// Package analyzerdoc takes a rule's user text out of the package comment it
// is written in, so that pkg.go.dev, `fractl rules` and Analyzer.Doc cannot
// say different things.
package analyzerdoc

import (
	"fmt"
	"go/parser"
	"go/token"
	"strings"
)

// Must is Extract for package variables: what it panics with names the
// heading that is missing.
func Must(content, name string) string {
	doc, err := Extract(content, name)
	if err != nil {
		panic(err)
	}
	return doc
}

// Extract returns the section "# Analyzer NAME" of the package comment of the
// Go source content, without its heading and without the "NAME: " that its
// first line begins with: the form that Analyzer.Doc wants, a one-line summary
// first. The section ends with the comment.
func Extract(content, name string) (string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "doc.go", content, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		return "", fmt.Errorf("doc of %s: %w", name, err)
	}
	if file.Doc == nil {
		return "", fmt.Errorf("doc of %s: no package comment", name)
	}
	heading := "# Analyzer " + name
	_, section, ok := strings.Cut("\n"+file.Doc.Text(), "\n"+heading+"\n")
	if !ok {
		return "", fmt.Errorf("doc of %s: no heading %q", name, heading)
	}
	summary, ok := strings.CutPrefix(strings.TrimSpace(section), name+": ")
	if !ok {
		return "", fmt.Errorf("doc of %s: the section does not begin with %q", name, name+": ")
	}
	return summary, nil
}
