package lsp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/finding"
)

// under finds the findings in a range of a file, as the editor has it now. A file
// that has changed since has none: their places are not known.
func (s *server) under(uri string, rg textRange) (r *root, list []finding.Finding, l *lines) {
	name := pathOf(uri)
	for _, root := range s.roots {
		rel, err := filepath.Rel(root.dir, name)
		if err != nil || !filepath.IsLocal(rel) || r != nil && len(root.dir) < len(r.dir) {
			continue
		}
		r = root
	}
	if r == nil {
		return nil, nil, nil
	}
	rel, _ := filepath.Rel(r.dir, name)
	file := filepath.ToSlash(rel)
	if !bytes.Equal(s.seen(r, file), s.text(name)) {
		return nil, nil, nil
	}
	l = newLines(s.text(name), s.bytes)
	for _, f := range r.found[file] {
		if at := rangeOf(f, l); !less(at.End, rg.Start) && !less(rg.End, at.Start) {
			list = append(list, f)
		}
	}
	return r, list, l
}

func less(a, b position) bool {
	return a.Line < b.Line || a.Line == b.Line && a.Character < b.Character
}

// codeActions offers the fixes of what is found in a range, and to ignore it.
func (s *server) codeActions(raw *json.RawMessage) (any, error) {
	p, err := decode[codeActionParams](raw)
	if err != nil {
		return nil, err
	}
	actions := []codeAction{}
	if len(p.Context.Only) > 0 && !slices.ContainsFunc(p.Context.Only, func(kind string) bool { return kind == "quickfix" || strings.HasPrefix(kind, "quickfix.") }) {
		return actions, nil
	}
	r, list, l := s.under(p.TextDocument.URI, p.Range)
	for _, f := range list {
		d := s.diagnostic(r, f, l)
		for i, fix := range f.Fixes {
			if edit, ok := s.edit(r, fix); ok {
				actions = append(actions, codeAction{Title: fix.Message, Kind: "quickfix", Diagnostics: []diagnostic{d}, IsPreferred: i == 0, Edit: edit})
			}
		}
		if edit, ok := s.ignore(r, f, l); ok {
			actions = append(actions, codeAction{Title: fmt.Sprintf("ignore %s here (give the reason)", f.Rule), Kind: "quickfix", Diagnostics: []diagnostic{d}, Edit: edit})
		}
	}
	return actions, nil
}

// edit is a fix as the editor makes it; ok is false where one of its files has
// changed since it was found.
func (s *server) edit(r *root, fix finding.Fix) (e workspaceEdit, ok bool) {
	byFile := make(map[string][]finding.Edit)
	var order []string
	for _, edit := range fix.Edits {
		if byFile[edit.File] == nil {
			order = append(order, edit.File)
		}
		byFile[edit.File] = append(byFile[edit.File], edit)
	}
	for _, file := range order {
		name := filepath.Join(r.dir, filepath.FromSlash(file))
		text := s.text(name)
		if !bytes.Equal(text, s.seen(r, file)) {
			return e, false
		}
		l := newLines(text, s.bytes)
		var edits []textEdit
		for _, edit := range byFile[file] {
			edits = append(edits, textEdit{textRange{l.atOffset(edit.Start), l.atOffset(edit.End)}, string(edit.New)})
		}
		e.DocumentChanges = append(e.DocumentChanges, s.documentEdit(name, edits))
	}
	return e, len(e.DocumentChanges) > 0
}

func (s *server) documentEdit(name string, edits []textEdit) documentEdit {
	var e documentEdit
	e.TextDocument.URI, e.Edits = s.uri(name), edits
	if d := s.documents[name]; d != nil {
		e.TextDocument.Version = new(d.version)
	}
	return e
}

// ignore writes the beginning of an ignore comment above a finding. Its reason
// is for a person to give: until then the comment is a finding itself.
func (s *server) ignore(r *root, f finding.Finding, l *lines) (workspaceEdit, bool) {
	mark := "//"
	switch filepath.Ext(f.File) {
	case ".go", ".mod", ".work":
	case ".sql":
		mark = "--"
	default:
		return workspaceEdit{}, false
	}
	if f.Line < 1 || f.Rule == "ignore" {
		return workspaceEdit{}, false
	}
	line := string(l.line(f.Line - 1))
	indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	at := position{Line: f.Line - 1}
	text := fmt.Sprintf("%s%sfractl:ignore %s \n", indent, mark, f.Rule)
	name := filepath.Join(r.dir, filepath.FromSlash(f.File))
	return workspaceEdit{[]documentEdit{s.documentEdit(name, []textEdit{{textRange{at, at}, text}})}}, true
}

// hover tells what is behind the findings at a position.
func (s *server) hover(raw *json.RawMessage) (any, error) {
	p, err := decode[positionParams](raw)
	if err != nil {
		return nil, err
	}
	_, list, l := s.under(p.TextDocument.URI, textRange{p.Position, p.Position})
	if len(list) == 0 {
		return nil, nil
	}
	var parts []string
	told := make(map[string]bool)
	for _, f := range list {
		for _, rule := range s.opts.Rules {
			if rule.Name == f.Rule && !told[f.Rule] {
				told[f.Rule] = true
				parts = append(parts, help(rule))
			}
		}
	}
	if len(parts) == 0 {
		return nil, nil
	}
	var h hover
	h.Contents.Kind, h.Contents.Value, h.Range = "markdown", strings.Join(parts, "\n\n---\n\n"), rangeOf(list[0], l)
	return h, nil
}

// help is a rule's documentation in Markdown. Doc comments are nearly that: code
// is indented by a tab.
func help(rule finding.RuleText) string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s** (%s): %s\n", rule.Name, rule.Severity, rule.Summary)
	code := false
	for line := range strings.Lines(rule.Text) {
		line = strings.TrimRight(line, "\n")
		inner, indented := strings.CutPrefix(line, "\t")
		switch {
		case indented && !code:
			b.WriteString("\n```go")
			code = true
		case !indented && code && strings.TrimSpace(line) != "":
			b.WriteString("\n```\n")
			code = false
		}
		if heading, ok := strings.CutPrefix(line, "# "); ok {
			line = "### " + heading
		}
		if code {
			line = inner
		}
		b.WriteString("\n" + line)
	}
	if code {
		b.WriteString("\n```")
	}
	if rule.URL != "" {
		fmt.Fprintf(&b, "\n\n[%s](%s)", rule.URL, rule.URL)
	}
	return b.String()
}
