package lsp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vet"
	"github.com/fractl/fractl/internal/workspace"
)

// root is a workspace that is being looked at.
type root struct {
	dir    string
	cancel context.CancelFunc // of the run that is under way or to come; nil without
	turn   chan struct{}      // holds a token while no run is under way

	// found is by file, relative to the root; texts are these files, and those
	// that were open, as they were looked at.
	found map[string][]finding.Finding
	texts map[string][]byte
	// faulty is the file, such as fractl.yaml, that kept the last run from
	// saying anything; "" where none did.
	faulty string
	// problems are what was said last, so that it is said once.
	problems map[string]bool
}

func (r *root) stop() {
	if r.cancel != nil {
		r.cancel()
	}
}

// look has the workspace around dir looked at, after a delay in which a further
// request takes the place of this one. s.mu is held.
func (s *server) look(dir string, delay time.Duration) {
	ws, err := workspace.Find(dir)
	if err != nil {
		s.log(err)
		return
	}
	r := s.roots[ws.Root]
	if r == nil {
		r = &root{dir: ws.Root, turn: make(chan struct{}, 1), found: make(map[string][]finding.Finding)}
		r.turn <- struct{}{}
		s.roots[ws.Root] = r
	}
	r.stop()
	ctx, cancel := context.WithCancel(s.ctx)
	r.cancel = cancel
	s.running.Go(func() {
		defer cancel()
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return
		}
		select {
		case <-r.turn:
			defer func() { r.turn <- struct{}{} }()
		case <-ctx.Done():
			return
		}
		s.run(ctx, r)
	})
}

// run looks at a workspace as the editor has it, and publishes what it found.
func (s *server) run(ctx context.Context, r *root) {
	s.mu.Lock()
	overlay, texts := s.overlay(r)
	s.mu.Unlock()
	o := s.opts.Vet
	o.Dir, o.Patterns, o.Overlay = r.dir, nil, overlay
	res, err := vet.Run(ctx, o)
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil || s.stopped {
		return // what it would say is of yesterday
	}
	if err != nil {
		s.tell(r, []error{err})
		s.fault(r, err)
		return
	}
	s.tell(r, res.Problems)
	s.publish(r, res, texts)
}

// fault shows an error that names a file at its place there.
func (s *server) fault(r *root, err error) {
	var f *fault.Error
	if !errors.As(err, &f) {
		return
	}
	file, line := placeOf(f.Subject)
	if _, err := os.Stat(filepath.Join(r.dir, filepath.FromSlash(file))); err != nil || file == "" {
		return
	}
	r.faulty = file
	at := position{Line: max(line-1, 0)}
	d := diagnostic{Range: textRange{at, position{Line: at.Line + 1}}, Severity: severityError, Code: "fractl", Source: "fractl", Message: f.Fact}
	if f.Hint != "" {
		d.Message += "\nhint: " + f.Hint
	}
	s.notify("textDocument/publishDiagnostics", publishParams{URI: s.uri(filepath.Join(r.dir, filepath.FromSlash(file))), Diagnostics: []diagnostic{d}})
}

// placeOf reads the subject of a fault: FILE, FILE:LINE or FILE:LINE:COLUMN.
func placeOf(subject string) (file string, line int) {
	file, rest, ok := strings.Cut(subject, ":")
	if !ok {
		return file, 0
	}
	rest, _, _ = strings.Cut(rest, ":")
	line, err := strconv.Atoi(rest)
	if err != nil {
		return "", 0
	}
	return file, line
}

// uri is that by which the editor knows a file.
func (s *server) uri(name string) string {
	if d := s.documents[name]; d != nil {
		return d.uri
	}
	return uriOf(name)
}

// overlay holds the open documents below a root that differ from the disk, by
// path relative to the root, and all open ones.
func (s *server) overlay(r *root) (differ, texts map[string][]byte) {
	differ, texts = make(map[string][]byte), make(map[string][]byte)
	for name, d := range s.documents {
		rel, err := filepath.Rel(r.dir, name)
		if err != nil || !filepath.IsLocal(rel) {
			continue
		}
		rel = filepath.ToSlash(rel)
		texts[rel] = d.text
		if disk, err := os.ReadFile(name); err != nil || !bytes.Equal(disk, d.text) {
			differ[rel] = d.text
		}
	}
	return differ, texts
}

// tell logs what could not be looked at, unless that was said last time too.
func (s *server) tell(r *root, problems []error) {
	said := make(map[string]bool)
	for _, p := range problems {
		said[p.Error()] = true
		if !r.problems[p.Error()] {
			s.log(p)
		}
	}
	r.problems = said
}

func (s *server) log(err error) {
	text := err.Error()
	if hint := fault.HintOf(err); hint != "" {
		text += "\nhint: " + hint
	}
	s.notify("window/logMessage", logParams{Type: severityWarning, Message: text})
}

// notify sends a notification. A client that has gone gets nothing, and Serve
// notices it.
func (s *server) notify(method string, params any) {
	s.out.add(func() { _ = s.conn.Notify(s.ctx, method, params) })
}

// publish sends the diagnostics of every file that has or had some, or is open.
func (s *server) publish(r *root, res *vet.Result, texts map[string][]byte) {
	before, seen := r.found, r.texts
	r.found, r.texts = make(map[string][]finding.Finding), maps.Clone(texts)
	for _, f := range res.Findings {
		if s.min <= f.Severity {
			r.found[f.File] = append(r.found[f.File], f)
		}
	}
	// A package that does not build, because it is being typed in, keeps what
	// was found in it.
	for file := range s.unbuilt(res.Problems) {
		for name, list := range before {
			if path.Dir(name) == file && len(r.found[name]) == 0 {
				r.found[name] = drift(list, seen[name], s.seen(r, name))
			}
		}
	}
	for name := range r.found {
		r.texts[name] = s.seen(r, name)
	}
	if r.faulty != "" {
		before[r.faulty] = nil
		r.faulty = ""
	}
	files := make(map[string]bool)
	for file := range before {
		files[file] = true
	}
	for file := range r.found {
		files[file] = true
	}
	for file := range texts {
		files[file] = true
	}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		s.send(r, file)
	}
}

// unbuilt are the folders, relative to the root, of what has problems.
func (s *server) unbuilt(problems []error) map[string]bool {
	dirs := make(map[string]bool)
	for _, p := range problems {
		if f := (*fault.Error)(nil); errors.As(p, &f) {
			if file, line := placeOf(f.Subject); line > 0 && strings.HasSuffix(file, ".go") {
				dirs[path.Dir(file)] = true
			}
		}
	}
	return dirs
}

func (s *server) send(r *root, file string) {
	name := filepath.Join(r.dir, filepath.FromSlash(file))
	p := publishParams{URI: s.uri(name), Diagnostics: []diagnostic{}}
	if d := s.documents[name]; d != nil {
		if string(d.text) == string(r.texts[file]) {
			p.Version = new(d.version)
		}
	}
	l := newLines(s.seen(r, file), s.bytes)
	for _, f := range r.found[file] {
		p.Diagnostics = append(p.Diagnostics, s.diagnostic(r, f, l))
	}
	s.notify("textDocument/publishDiagnostics", p)
}

// seen is a file as the last run saw it.
func (s *server) seen(r *root, file string) []byte {
	if text, ok := r.texts[file]; ok {
		return text
	}
	data, err := os.ReadFile(filepath.Join(r.dir, filepath.FromSlash(file)))
	if err != nil {
		return nil
	}
	return data
}

func (s *server) diagnostic(r *root, f finding.Finding, l *lines) diagnostic {
	d := diagnostic{
		Range: rangeOf(f, l), Code: f.Rule, Source: "fractl", Message: f.Message,
		Severity: map[finding.Severity]int{finding.Error: severityError, finding.Warning: severityWarning, finding.Note: severityInformation}[f.Severity],
	}
	if f.Hint != "" {
		d.Message = fmt.Sprintf("%s\nhint: %s", f.Message, f.Hint)
	}
	for _, rule := range s.opts.Rules {
		if rule.Name == f.Rule && rule.URL != "" {
			d.CodeDescription = &codeDescription{rule.URL}
		}
	}
	for _, rel := range f.Related {
		name := filepath.FromSlash(rel.File)
		if !filepath.IsAbs(name) {
			name = filepath.Join(r.dir, name)
		}
		at := position{Line: max(rel.Line-1, 0)}
		d.RelatedInformation = append(d.RelatedInformation, relatedLocation{location{uriOf(name), textRange{at, at}}, rel.Message})
	}
	return d
}

// rangeOf is where a finding is; one about no line is at the first.
func rangeOf(f finding.Finding, l *lines) textRange {
	rg := textRange{l.at(f.Line, f.Column), l.at(f.EndLine, f.EndColumn)}
	if f.EndLine < f.Line || f.EndLine == f.Line && f.EndColumn < f.Column {
		rg.End = rg.Start
	}
	return rg
}
