package crossimport

import (
	"cmp"
	"context"
	"errors"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/workspace"
)

// Scan checks every Go file of the workspace's modules by its text alone: no
// file has to build, and none is left out for its tags. The error names what
// could not be read; the findings are then those of the rest.
func Scan(ctx context.Context, ws *workspace.Workspace) ([]finding.Finding, error) {
	files, err := ws.GoFiles()
	c := newChecker(ws)
	var (
		mu   sync.Mutex
		list []finding.Finding
	)
	imported := make(map[*workspace.Fraction]map[string]bool)
	errs := []error{err}
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, rel := range files {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			src, err := ws.ReadFile(rel)
			if err != nil {
				err = workspace.Unreadable(rel, err)
			}
			found := c.findings(rel, src)
			from := c.ws.FractionOf(path.Dir(rel))
			var paths []string
			if from != nil && len(ws.Modules) > 1 {
				paths = importPaths(rel, src)
			}
			mu.Lock()
			defer mu.Unlock()
			if len(paths) > 0 {
				if imported[from] == nil {
					imported[from] = make(map[string]bool)
				}
				for _, p := range paths {
					imported[from][p] = true
				}
			}
			list = append(list, found...)
			errs = append(errs, err)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	list = append(list, c.modules(imported)...)
	slices.SortFunc(errs, func(a, b error) int { return cmp.Compare(text(a), text(b)) })
	return finding.Sort(list), errors.Join(errs...)
}

func (c *checker) findings(rel string, src []byte) []finding.Finding {
	var list []finding.Finding
	for _, v := range c.file(rel, src) {
		f := finding.Finding{
			Rule: ruleName, Severity: c.severity(), File: rel,
			Message: v.message, Hint: v.hint, Related: v.related, Fixes: v.fixes,
		}
		f.Line, f.Column = place(src, v.start)
		f.EndLine, f.EndColumn = place(src, v.end)
		if owner := c.ws.FractionOf(path.Dir(rel)); owner != nil {
			f.Fraction = owner.Name
		}
		list = append(list, f)
	}
	return list
}

// importPaths are the paths that a file imports.
func importPaths(rel string, src []byte) []string {
	s := parseSource(rel, src)
	if s.ast == nil {
		return nil
	}
	var list []string
	for _, spec := range s.ast.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			list = append(list, p)
		}
	}
	return list
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// place turns an offset into a line and a column, both from 1.
func place(src []byte, offset int) (line, column int) {
	offset = min(offset, len(src))
	before := string(src[:offset])
	return 1 + strings.Count(before, "\n"), offset - strings.LastIndexByte(before, '\n')
}
