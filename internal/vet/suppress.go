package vet

import (
	"path"
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/analyzers/ignore"
	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/workspace"
)

// suppress drops what ignore comments in the scope suppress, and adds what is
// wrong with these comments.
func (r *run) suppress(list []finding.Finding, text *lines) (kept []finding.Finding, dropped []finding.Suppressed) {
	c := comments{ws: r.ws, rules: r.rules, known: r.opts.Known, judged: r.judged}
	return c.apply(list, r.comments(text))
}

// comments are the ignore comments in the scope.
func (r *run) comments(text *lines) []finding.Ignore {
	var list []finding.Ignore
	if r.table != nil {
		for _, name := range r.table.Names() {
			if r.counts(name) {
				list = append(list, r.ignores(name)...)
			}
		}
		return list
	}
	for _, name := range r.commented() {
		list = append(list, ignoresIn(name, text.source(name))...)
	}
	return list
}

// counts reports whether the comments of a file that the table has are those of
// the workspace.
func (r *run) counts(name string) bool {
	dir, base := path.Split(name)
	switch ext := path.Ext(name); {
	case path.IsAbs(name) || base[0] == '.' || base[0] == '_' || !r.scope.covers(name):
		return false
	case base == "go.work":
		return dir == ""
	case base == "go.mod":
		m := r.ws.ModuleOf(path.Dir(name))
		return m != nil && m.GoMod() == name
	case ext == ".sql":
		if len(r.ws.Fractions) < 2 {
			return false
		}
	case ext != ".go":
		return false
	}
	if slices.ContainsFunc(strings.Split(dir, "/"), func(s string) bool {
		return s == "vendor" || s == "testdata" || s != "" && (s[0] == '.' || s[0] == '_')
	}) {
		return false
	}
	return r.ws.ModuleOf(path.Dir(name)) != nil
}

// ignoresIn are the ignore comments of one file.
func ignoresIn(name string, src []byte) []finding.Ignore {
	switch path.Ext(name) {
	case ".go":
		return finding.IgnoresInGo(name, src)
	case ".sql":
		return finding.IgnoresInSQL(name, src)
	}
	return finding.IgnoresInMod(name, src)
}

// comments applies ignore comments.
type comments struct {
	ws    *workspace.Workspace
	rules ruleset
	known []string
	// judged reports whether the rule that a comment names was run where the
	// comment stands, so that it would have been used if there were a use.
	judged func(finding.Ignore) bool
}

// apply drops what the comments suppress, and adds what is wrong with them.
func (c comments) apply(list []finding.Finding, ignores []finding.Ignore) (kept []finding.Finding, dropped []finding.Suppressed) {
	kept, dropped, used := finding.Suppress(list, ignores)
	rule, ok := c.rules.commentRule()
	if !ok {
		return kept, dropped
	}
	for i, ig := range ignores {
		if message, hint := c.complaint(ig, used[i]); message != "" {
			f := finding.Finding{
				Rule: rule.Name(), Severity: c.rules.severity(rule, 0), File: ig.File, Message: message, Hint: hint,
				Line: ig.Line, Column: ig.Column, EndLine: ig.Line, EndColumn: ig.EndColumn,
			}
			if owner := c.ws.FractionOf(path.Dir(ig.File)); owner != nil {
				f.Fraction = owner.Name
			}
			kept = append(kept, f)
		}
	}
	return kept, dropped
}

// commented are the files in the scope whose ignore comments count.
func (r *run) commented() []string {
	files, err := r.ws.GoFiles()
	if err != nil {
		r.problems.add(err)
	}
	if len(r.ws.Fractions) > 1 {
		scripts, err := r.ws.SQLFiles()
		if err != nil {
			r.problems.add(err)
		}
		files = append(files, scripts...)
	}
	if r.ws.WorkFile != nil {
		files = append(files, "go.work")
	}
	for _, m := range r.ws.Modules {
		files = append(files, m.GoMod())
	}
	return slices.DeleteFunc(files, func(f string) bool { return !r.scope.covers(f) })
}

// complaint says what is wrong with an ignore comment, or "".
func (c comments) complaint(ig finding.Ignore, used bool) (message, hint string) {
	known := append(slices.Clone(c.rules.known), c.known...)
	isRule := slices.Contains(known, ig.Rule)
	switch {
	case ig.Spaced && !isRule:
		return "", "" // prose
	case ig.Rule == "":
		return ignore.Incomplete(ig), "write '" + finding.IgnoreDirective + " RULE reason'"
	case !isRule:
		return "ignore comment names the unknown rule " + ig.Rule, nearestRule(ig.Rule, known)
	case ignore.Incomplete(ig) != "":
		hint = "say after the rule why this finding may stay"
		if ig.Spaced {
			hint = "write " + finding.IgnoreDirective
		}
		return ignore.Incomplete(ig), hint
	case used || !c.judged(ig):
		return "", ""
	}
	return "ignore comment for " + ig.Rule + " suppresses nothing", "remove it"
}

// judged reports whether the rule that a comment names was run on its file.
func (r *run) judged(ig finding.Ignore) bool {
	rule, ok := r.rules.named(ig.Rule)
	switch {
	case !ok:
		return false
	case rule.Comments:
		return true
	case rule.Scan != nil:
		return !r.scanFailed[rule.Name()]
	}
	return r.analysed[ig.File]
}

// commentRule is the rule about ignore comments, if the run checks it.
func (r ruleset) commentRule() (analyzers.Rule, bool) {
	for _, rule := range r.list {
		if rule.Comments {
			return rule, true
		}
	}
	return analyzers.Rule{}, false
}
