package crossschema

import (
	"cmp"
	"context"
	"errors"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/workspace"
)

// Scan checks the .sql files and the Go files of all fractions. No file has to
// build. The error names what could not be read; the findings are then those of
// the rest.
func Scan(ctx context.Context, ws *workspace.Workspace) ([]finding.Finding, error) {
	if len(ws.Fractions) < 2 {
		return nil, ctx.Err()
	}
	texts, err := read(ctx, ws)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return judged(texts), err
}

// judged holds the texts against those who own what they name.
func judged(texts []text) []finding.Finding {
	o := own(texts)
	var list []finding.Finding
	for _, t := range texts {
		list = append(list, t.findings(o)...)
	}
	return finding.Sort(list)
}

// findings are what is wrong with one text.
func (t text) findings(o *owners) []finding.Finding {
	var list []finding.Finding
	for _, u := range worst(t.uses) {
		v, ok := o.judge(t.fraction, t.test, u.Name)
		if !ok || t.passing(u.Name) {
			continue
		}
		if t.test {
			v.category = inTest
		}
		from, to := t.span(u.Start, u.End)
		f := finding.Finding{
			Rule: ruleName, Severity: Severities()[v.category], File: t.file, Fraction: t.fraction,
			Line: from.Line, Column: from.Column, EndLine: to.Line, EndColumn: to.Column,
			Message: v.message(t.fraction, u.Access), Hint: v.hint(t.fraction),
		}
		if t.start.Line > 0 && t.start.Line < from.Line {
			// A comment that suppresses it has no room inside of a literal.
			f.Related = append(f.Related, finding.Related{File: t.file, Line: from.Line, Message: "it is named here"})
			f.Line, f.Column, f.EndLine, f.EndColumn = t.start.Line, t.start.Column, t.start.Line, t.start.Column+1
		}
		f.Related = append(f.Related, v.related()...)
		list = append(list, f)
	}
	return list
}

// read gives the SQL of all fractions, in order of files and places.
func read(ctx context.Context, ws *workspace.Workspace) ([]text, error) {
	scripts, err := ws.SQLFiles()
	sources, err2 := ws.GoFiles()
	r := &reading{ws: ws, loader: newLoader(ws)}
	r.failed(err, err2)
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	if len(scripts) == 0 && !r.anyCreates(sources) {
		return nil, r.err()
	}
	for _, file := range scripts {
		if fraction := ws.FractionOf(path.Dir(file)); fraction != nil {
			g.Go(func() error { return r.script(ctx, file, fraction.Name) })
		}
	}
	for dir, files := range byFolder(sources) {
		if fraction := ws.FractionOf(dir); fraction != nil {
			g.Go(func() error { return r.folder(ctx, dir, files, fraction.Name) })
		}
	}
	r.failed(g.Wait())
	slices.SortFunc(r.list, func(a, b text) int {
		return cmp.Or(strings.Compare(a.file, b.file), cmp.Compare(a.start.Offset, b.start.Offset))
	})
	return r.list, r.err()
}

// anyCreates reports whether one of the Go files may create something, or cannot
// be read.
func (r *reading) anyCreates(files []string) bool {
	return slices.ContainsFunc(files, func(file string) bool {
		src, err := readFile(r.ws, file)
		return err != nil || creates(src)
	})
}

func byFolder(files []string) map[string][]string {
	by := make(map[string][]string)
	for _, f := range files {
		by[path.Dir(f)] = append(by[path.Dir(f)], f)
	}
	return by
}

// reading collects texts, from several goroutines.
type reading struct {
	ws     *workspace.Workspace
	loader *loader

	mu   sync.Mutex
	list []text
	errs []error
}

func (r *reading) script(ctx context.Context, file, fraction string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	src, err := readFile(r.ws, file)
	if err != nil {
		r.failed(err)
		return nil
	}
	r.add(fileText(file, fraction, src))
	return nil
}

func (r *reading) folder(ctx context.Context, dir string, files []string, fraction string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	sources := make(map[string][]byte)
	any := false
	for _, file := range files {
		src, err := readFile(r.ws, file)
		if err != nil {
			r.failed(err)
			continue
		}
		sources[file] = src
		any = any || mentions(src)
	}
	if !any {
		return nil
	}
	for _, t := range r.loader.folder(dir, sources) {
		t.file = r.ws.Rel(t.start.Filename)
		t.fraction, t.test = fraction, isTest(t.file)
		r.add(t)
	}
	return nil
}

func (r *reading) add(t text) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, t)
}

func (r *reading) failed(errs ...error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, err := range errs {
		if err != nil {
			r.errs = append(r.errs, err)
		}
	}
}

func (r *reading) err() error {
	slices.SortFunc(r.errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(r.errs...)
}
