package finding

import (
	"bytes"
	"go/scanner"
	"go/token"
	"strings"
)

// IgnoreDirective is how a comment begins that suppresses findings. What
// follows it is the name of one rule and the reason.
const IgnoreDirective = "//fractl:ignore"

// Ignore is one comment "//fractl:ignore RULE reason".
type Ignore struct {
	File                    string
	Line, Column, EndColumn int
	// Rule is "" where the comment names none, Reason where it gives none.
	Rule, Reason string
	// Target is the line that it speaks of: its own where code stands in
	// front of it, else the next line that is not such a comment itself.
	Target int
	// Spaced is true for "// fractl:ignore" in a Go file, where the space
	// makes a directive into prose: it suppresses nothing.
	Spaced bool
}

// Suppresses reports whether the comment is complete and stands where f is. An
// incomplete one suppresses nothing.
func (ig Ignore) Suppresses(f Finding) bool {
	return !ig.Spaced && ig.Reason != "" && ig.Rule == f.Rule && ig.File == f.File && f.Line > 0 &&
		(f.Line == ig.Line || f.Line == ig.Target)
}

// Suppress drops the findings that a comment suppresses. used says for each of
// the comments whether it dropped any.
func Suppress(list []Finding, ignores []Ignore) (kept []Finding, dropped []Suppressed, used []bool) {
	used = make([]bool, len(ignores))
	byFile := make(map[string][]int)
	for i, ig := range ignores {
		byFile[ig.File] = append(byFile[ig.File], i)
	}
	for _, f := range list {
		by := -1
		for _, i := range byFile[f.File] {
			if ignores[i].Suppresses(f) {
				used[i], by = true, i
			}
		}
		if by < 0 {
			kept = append(kept, f)
		} else {
			dropped = append(dropped, Suppressed{f, ignores[by].Reason})
		}
	}
	return kept, dropped, used
}

// IgnoresInGo lists the ignore comments of a Go file in their order. It reads
// tokens and not syntax, so a file that does not parse has its comments too.
func IgnoresInGo(file string, src []byte) []Ignore {
	if !bytes.Contains(src, []byte("fractl:ignore")) {
		return nil
	}
	fset := token.NewFileSet()
	f := fset.AddFile(file, -1, len(src))
	var s scanner.Scanner
	s.Init(f, src, func(token.Position, string) {}, scanner.ScanComments)
	var list []Ignore
	code := 0 // the last line that ends in code
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			break
		}
		p := fset.PositionFor(pos, false)
		if tok != token.COMMENT {
			// An automatic semicolon is no code, and "\n" its text.
			if tok != token.SEMICOLON || lit != "\n" {
				code = p.Line + strings.Count(lit, "\n")
			}
			continue
		}
		if strings.HasPrefix(lit, "/*") {
			continue
		}
		if ig, ok := parseIgnore(lit); ok {
			ig.File, ig.Line, ig.Column = file, p.Line, p.Column
			ig.EndColumn = p.Column + len(lit)
			list = append(list, ig.placed(code == p.Line))
		}
	}
	return stack(list)
}

// IgnoresInMod lists the ignore comments of a go.mod or go.work file. There a
// space after the slashes is usual, and "// fractl:ignore" means the same.
func IgnoresInMod(file string, src []byte) []Ignore { return ignoresInLines(file, src, "//") }

// IgnoresInSQL lists the ignore comments of a .sql file, "--fractl:ignore RULE
// reason", with or without a space.
func IgnoresInSQL(file string, src []byte) []Ignore { return ignoresInLines(file, src, "--") }

// ignoresInLines reads line comments that begin with mark.
func ignoresInLines(file string, src []byte, mark string) []Ignore {
	if !bytes.Contains(src, []byte("fractl:ignore")) {
		return nil
	}
	var list []Ignore
	for i, line := range strings.Split(string(src), "\n") {
		line = strings.TrimRight(line, "\r")
		at := strings.Index(line, mark)
		if at < 0 {
			continue
		}
		if ig, ok := parseIgnore("//" + line[at+len(mark):]); ok {
			ig.File, ig.Line, ig.Column, ig.Spaced = file, i+1, at+1, false
			ig.EndColumn = len(line) + 1
			list = append(list, ig.placed(strings.TrimSpace(line[:at]) != ""))
		}
	}
	return stack(list)
}

// parseIgnore reads the text of a line comment.
func parseIgnore(text string) (ig Ignore, ok bool) {
	rest, ok := strings.CutPrefix(text, IgnoreDirective)
	if !ok {
		if rest, ok = strings.CutPrefix(text, "// fractl:ignore"); !ok {
			return Ignore{}, false
		}
		ig.Spaced = true
	}
	rest = strings.TrimRight(rest, "\r")
	if rest != "" && rest[0] != ' ' && rest[0] != '\t' {
		return Ignore{}, false // another directive, such as //fractl:ignored
	}
	words := strings.Fields(rest)
	if len(words) > 0 {
		ig.Rule, ig.Reason = words[0], strings.Join(words[1:], " ")
	}
	return ig, true
}

// placed sets the target of a comment by what stands in front of it.
func (ig Ignore) placed(afterCode bool) Ignore {
	ig.Target = ig.Line + 1
	if afterCode {
		ig.Target = ig.Line
	}
	return ig
}

// stack lets comments that stand below one another all speak of the line below
// the last of them.
func stack(list []Ignore) []Ignore {
	for i := len(list) - 2; i >= 0; i-- {
		next := list[i+1]
		if list[i].Target == next.Line && next.Target > next.Line {
			list[i].Target = next.Target
		}
	}
	return list
}
