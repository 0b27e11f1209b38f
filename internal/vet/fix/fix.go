package fix

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vet"
	"github.com/fractl/fractl/internal/workspace"
)

// Change is one file as it would be.
type Change struct {
	File string // relative to the workspace's root
	New  []byte
	// Fixes are those that made it, each once, sorted.
	Fixes []string
}

// Outcome is what fixing comes to.
type Outcome struct {
	// Vet is the result of vetting the workspace with the changes.
	Vet     *vet.Result
	Changes []Change // sorted by file
	Applied int      // fixes
	// Refused are findings whose fix was taken back, because the code would no
	// longer build with it.
	Refused []finding.Finding
}

// maxRounds bounds the rounds: one fix may make another possible, but not for
// ever.
const maxRounds = 12

// Run vets, and fixes what it finds from a severity up. The error is that of
// vet.Run.
func Run(ctx context.Context, o vet.Options, from finding.Severity) (*Outcome, error) {
	first, err := vet.Run(ctx, o)
	if err != nil {
		return nil, err
	}
	f := &fixing{
		opts: o, from: from, ws: first.Workspace,
		files: make(map[string][]byte), fixes: make(map[string][]string),
		refused: make(map[string]finding.Finding), failed: make(map[string]bool),
	}
	for _, p := range first.Problems {
		f.failed[unplaced(p)] = true
	}
	result, err := f.rounds(ctx, first)
	if err != nil {
		return nil, err
	}
	return f.outcome(result), nil
}

// fixing is the state of a run.
type fixing struct {
	opts vet.Options
	from finding.Severity
	ws   *workspace.Workspace

	files   map[string][]byte   // as they would be
	fixes   map[string][]string // their titles, by file
	applied int
	refused map[string]finding.Finding // by fingerprint
	failed  map[string]bool            // problems that were there before
}

// rounds fixes until nothing is left, and returns the last result.
func (f *fixing) rounds(ctx context.Context, result *vet.Result) (*vet.Result, error) {
	for range maxRounds {
		batch := f.choose(result.Findings)
		if len(batch) == 0 {
			break
		}
		next, err := f.round(ctx, batch)
		if err != nil {
			return nil, err
		}
		if next != nil {
			result = next
		}
	}
	return result, nil
}

// round carries out as much of a batch as leaves the code in order, and returns
// the result after that, or nil where that is nothing.
func (f *fixing) round(ctx context.Context, batch []finding.Finding) (*vet.Result, error) {
	for len(batch) > 0 {
		files, err := f.apply(batch)
		if err != nil {
			return nil, err
		}
		next, err := f.vet(ctx, files)
		if err != nil {
			return nil, err
		}
		problems := slices.DeleteFunc(slices.Clone(next.Problems), func(p error) bool { return f.failed[unplaced(p)] })
		if len(problems) == 0 {
			f.accept(batch, files)
			return next, nil
		}
		batch = f.withdraw(batch, problems)
	}
	return nil, nil
}

// withdraw takes those out of a batch that are to blame for problems. Where
// that cannot be seen, it looks for them in half of the batch; the other half
// has its turn later.
func (f *fixing) withdraw(batch []finding.Finding, problems []error) []finding.Finding {
	kept := slices.DeleteFunc(slices.Clone(batch), func(x finding.Finding) bool {
		return slices.ContainsFunc(x.Fixes[0].Edits, func(e finding.Edit) bool {
			return slices.ContainsFunc(problems, func(p error) bool { return f.isAbout(p, e.File) })
		})
	})
	switch {
	case len(kept) == len(batch) && len(batch) > 1:
		return batch[:len(batch)/2]
	case len(kept) == len(batch):
		kept = nil
	}
	for _, x := range batch {
		if !slices.ContainsFunc(kept, func(k finding.Finding) bool { return k.Fingerprint == x.Fingerprint }) {
			f.refused[x.Fingerprint] = x
		}
	}
	return kept
}

// choose takes the fixes of one round: none overlaps with another.
func (f *fixing) choose(list []finding.Finding) []finding.Finding {
	var batch []finding.Finding
	taken := make(map[string][]finding.Edit)
	for _, x := range list {
		if x.Severity < f.from || len(x.Fixes) == 0 {
			continue
		}
		if _, out := f.refused[x.Fingerprint]; out {
			continue
		}
		edits := x.Fixes[0].Edits
		if slices.ContainsFunc(edits, func(e finding.Edit) bool { return overlaps(e, taken[e.File]) }) {
			continue // its turn comes in the next round
		}
		for _, e := range edits {
			taken[e.File] = append(taken[e.File], e)
		}
		batch = append(batch, x)
	}
	return batch
}

// apply returns the files that the fixes of a batch would change.
func (f *fixing) apply(batch []finding.Finding) (map[string][]byte, error) {
	edits := make(map[string][]finding.Edit)
	for _, x := range batch {
		for _, e := range x.Fixes[0].Edits {
			edits[e.File] = append(edits[e.File], e)
		}
	}
	files := make(map[string][]byte)
	for name, list := range edits {
		old, err := f.read(name)
		if err != nil {
			return nil, err
		}
		files[name] = tidy(name, old, edit(old, list))
	}
	return files, nil
}

func (f *fixing) read(name string) ([]byte, error) {
	if src, ok := f.files[name]; ok {
		return src, nil
	}
	return os.ReadFile(f.ws.Abs(name))
}

// vet vets what the files would be.
func (f *fixing) vet(ctx context.Context, files map[string][]byte) (*vet.Result, error) {
	o := f.opts
	o.Overlay = maps.Clone(f.files)
	maps.Copy(o.Overlay, files)
	return vet.Run(ctx, o)
}

// accept takes the files over.
func (f *fixing) accept(batch []finding.Finding, files map[string][]byte) {
	maps.Copy(f.files, files)
	f.applied += len(batch)
	for _, x := range batch {
		for _, e := range x.Fixes[0].Edits {
			f.fixes[e.File] = append(f.fixes[e.File], x.Fixes[0].Message)
		}
	}
}

func (f *fixing) outcome(result *vet.Result) *Outcome {
	out := &Outcome{Vet: result, Applied: f.applied}
	for _, name := range slices.Sorted(maps.Keys(f.files)) {
		titles := f.fixes[name]
		slices.Sort(titles)
		out.Changes = append(out.Changes, Change{File: name, New: f.files[name], Fixes: slices.Compact(titles)})
	}
	out.Refused = finding.Sort(slices.Collect(maps.Values(f.refused)))
	return out
}

// isAbout reports whether a problem is about a file.
func (f *fixing) isAbout(problem error, file string) bool {
	rel, err := filepath.Rel(f.opts.Dir, f.ws.Abs(file))
	return err == nil && strings.HasPrefix(problem.Error(), filepath.ToSlash(rel)+":")
}

// placed is a line and column after the name of a file.
var placed = regexp.MustCompile(`(?m)^([^:\n]+\.go):\d+(:\d+)?`)

// unplaced is the text of a problem without its line, which changes with what
// stands above it.
func unplaced(problem error) string { return placed.ReplaceAllString(problem.Error(), "$1") }
