package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/finding"
)

// baselineFile is the file of known findings, if one is given.
type baselineFile struct {
	name  string
	write bool
	known *finding.Baseline // nil where there is none yet
}

// readBaseline reads the file that --baseline names. One that is to be written
// need not be there.
func (r *reportFlags) readBaseline() (baselineFile, error) {
	b := baselineFile{name: r.baseline, write: r.writeBaseline}
	if b.name == "" {
		if b.write {
			return b, fault.New("--write-baseline", "has no file to write", "name it with --baseline FILE")
		}
		return b, nil
	}
	data, err := os.ReadFile(b.name)
	switch {
	case errors.Is(err, os.ErrNotExist) && b.write:
		return b, nil
	case errors.Is(err, os.ErrNotExist):
		return b, fault.New(b.name, "no such file", "write it with --write-baseline")
	case err != nil:
		return b, fault.New(b.name, "cannot be read: "+err.Error(), "")
	}
	if b.known, err = finding.ReadBaseline(data); err != nil {
		return b, fault.New(b.name, err.Error(), "write it anew with --write-baseline")
	}
	return b, nil
}

// save writes the findings from a severity up as known ones.
func (b baselineFile) save(e *env, list []finding.Finding, from finding.Severity) error {
	list = slices.DeleteFunc(slices.Clone(list), func(f finding.Finding) bool { return f.Severity < from })
	if err := os.WriteFile(b.name, finding.FormatBaseline(list, b.known, time.Now()), 0o644); err != nil {
		return fault.New(b.name, "cannot be written: "+err.Error(), "")
	}
	e.ui.note("fractl: %s in %s", counted(len(list), "known finding", "known findings"), filepath.ToSlash(b.name))
	return nil
}

// apply takes the known findings out of a report, and tells of entries that are
// stale.
func (b baselineFile) apply(e *env, r *finding.Report) (stale bool) {
	if b.known == nil {
		return false
	}
	kept, old := b.known.Apply(r.Findings, time.Now())
	r.Baselined += len(r.Findings) - len(kept)
	r.Findings = kept
	for _, k := range old {
		e.ui.note("fractl: %s: stale: %s in %s, until %s", filepath.ToSlash(b.name), k.Rule, k.File, k.Until)
	}
	if len(old) > 0 {
		e.ui.hint("write it anew with --write-baseline")
	}
	return len(old) > 0
}
