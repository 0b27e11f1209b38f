// Package finding is what vet and vendor-check report: one finding, its
// severity, its fingerprint, the comments that suppress it, and the formats in
// which a list of them is printed.
package finding

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Severity says how sure a finding is and what follows from it.
type Severity int

// The severities, in rising order. The zero value is not a severity.
const (
	// Note is for information; nobody has to act.
	Note Severity = iota + 1
	// Warning is where a reader would act.
	Warning
	// Error is where at least 98 of 100 such reports are right.
	Error
)

var severityNames = [...]string{Note: "note", Warning: "warning", Error: "error"}

// String is the name in fractl.yaml, in flags and in every format.
func (s Severity) String() string {
	if s < Note || s > Error {
		return fmt.Sprintf("severity(%d)", int(s))
	}
	return severityNames[s]
}

// ParseSeverity reads a severity's name.
func ParseSeverity(name string) (Severity, error) {
	for s := Note; s <= Error; s++ {
		if severityNames[s] == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("unknown severity %q: one of note, warning, error", name)
}

// Finding is one thing to report. Files are relative to the workspace root,
// with "/"; lines and columns count from 1, columns in bytes. A finding about
// no line has line 0, and then column 0.
type Finding struct {
	Rule     string
	Severity Severity
	File     string

	Line, Column       int
	EndLine, EndColumn int

	// Fraction is the name of the fraction that holds the file, or "".
	Fraction string
	// Message states the fact and names the thing; no period.
	Message string
	// Hint is the next step, often a command or an import path; may be "".
	Hint string
	// Related are the further places that a reader needs, at most six.
	Related []Related
	// Fixes are the edits that would mend it; empty where there are none.
	Fixes []Fix
	// Fingerprint identifies the finding across runs; see Fingerprints.
	Fingerprint string
}

// Related is a further place that explains a finding.
type Related struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Message string `json:"message"`
}

// Fix is a set of edits that belong together.
type Fix struct {
	Message string
	Edits   []Edit
}

// Edit replaces the bytes [Start, End) of a file.
type Edit struct {
	File       string
	Start, End int
	New        []byte
}

// Compare orders findings by file, line, column and rule, then by message, so
// that equal inputs give equal bytes.
func Compare(a, b Finding) int {
	return cmp.Or(
		strings.Compare(a.File, b.File),
		cmp.Compare(a.Line, b.Line),
		cmp.Compare(a.Column, b.Column),
		strings.Compare(a.Rule, b.Rule),
		strings.Compare(a.Message, b.Message),
		strings.Compare(a.Hint, b.Hint),
	)
}

// Sort sorts by Compare and drops findings that say the same thing at the same
// place: one file may be seen through several variants of its package.
func Sort(list []Finding) []Finding {
	slices.SortStableFunc(list, Compare)
	return slices.CompactFunc(list, func(a, b Finding) bool {
		return Compare(a, b) == 0
	})
}

// Count counts findings by severity.
func Count(list []Finding) map[Severity]int {
	n := make(map[Severity]int)
	for _, f := range list {
		n[f.Severity]++
	}
	return n
}
