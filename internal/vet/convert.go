package vet

import (
	"go/ast"
	"go/token"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/workspace"
)

// maxRelated is how many further places a finding lists.
const maxRelated = 6

// hintPrefix begins the message of a related position that is the next step;
// see the documentation of package analyzers.
const hintPrefix = "hint: "

// Finding turns one diagnostic into a finding without fingerprint. files are
// those of the package: in one that was generated nothing is fixable. The
// severity is the one that the diagnostic's category gives, or 0.
func Finding(ws *workspace.Workspace, fset *token.FileSet, files []*ast.File, rule string, d analysis.Diagnostic) finding.Finding {
	pos := position(ws, fset, d.Pos)
	end := pos
	if d.End.IsValid() {
		end = position(ws, fset, d.End)
	}
	f := finding.Finding{
		Rule: rule, Message: d.Message, File: ws.Rel(pos.Filename),
		Line: pos.Line, Column: pos.Column, EndLine: end.Line, EndColumn: end.Column,
	}
	if at := strings.LastIndexByte(d.Category, '/'); at >= 0 {
		f.Severity, _ = finding.ParseSeverity(d.Category[at+1:])
	}
	if owner := ws.FractionOf(path.Dir(f.File)); owner != nil {
		f.Fraction = owner.Name
	}
	for _, rel := range d.Related {
		if hint, ok := strings.CutPrefix(rel.Message, hintPrefix); ok {
			f.Hint = hint
			continue
		}
		p := position(ws, fset, rel.Pos)
		if !p.IsValid() || len(f.Related) == maxRelated {
			continue
		}
		f.Related = append(f.Related, finding.Related{File: ws.Rel(p.Filename), Line: p.Line, Message: rel.Message})
	}
	if !generated(fset, files, fset.PositionFor(d.Pos, false).Filename) {
		f.Fixes = fixes(ws, fset, files, d)
	}
	if f.Hint == "" && len(f.Fixes) > 0 {
		// Fixes are titles in an editor; a hint goes on after "hint: ".
		title := f.Fixes[0].Message
		f.Hint = strings.ToLower(title[:1]) + title[1:]
	}
	return f
}

// position is where pos is in the file that holds it. Only what cgo has made of
// a file lies outside of the workspace and is better found by its line comments.
func position(ws *workspace.Workspace, fset *token.FileSet, pos token.Pos) token.Position {
	p := fset.PositionFor(pos, false)
	if p.IsValid() && filepath.IsAbs(filepath.FromSlash(ws.Rel(p.Filename))) {
		if adjusted := fset.PositionFor(pos, true); !filepath.IsAbs(filepath.FromSlash(ws.Rel(adjusted.Filename))) {
			return adjusted
		}
	}
	return p
}

// fixes takes the suggested fixes that stay inside of files which people write.
func fixes(ws *workspace.Workspace, fset *token.FileSet, files []*ast.File, d analysis.Diagnostic) []finding.Fix {
	var list []finding.Fix
	for _, s := range d.SuggestedFixes {
		fix := finding.Fix{Message: s.Message}
		for _, e := range s.TextEdits {
			start := fset.PositionFor(e.Pos, false)
			end := start
			if e.End.IsValid() {
				end = fset.PositionFor(e.End, false)
			}
			file := ws.Rel(start.Filename)
			if !start.IsValid() || end.Filename != start.Filename || end.Offset < start.Offset || filepath.IsAbs(file) ||
				slices.Contains(strings.Split(file, "/"), "vendor") || generated(fset, files, start.Filename) {
				fix.Edits = nil
				break
			}
			fix.Edits = append(fix.Edits, finding.Edit{File: file, Start: start.Offset, End: end.Offset, New: e.NewText})
		}
		if len(fix.Edits) > 0 {
			list = append(list, fix)
		}
	}
	return list
}

// generated reports whether the file of that name says that it was generated.
func generated(fset *token.FileSet, files []*ast.File, name string) bool {
	for _, f := range files {
		if fset.PositionFor(f.Package, false).Filename == name {
			return ast.IsGenerated(f)
		}
	}
	return false
}
