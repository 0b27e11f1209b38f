package finding

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Report is one run of vet or vendor-check, ready to be printed.
type Report struct {
	// Command is vet or vendor-check.
	Command string
	// Root is the absolute path of the workspace root, Dir that of the working
	// folder: text paths are relative to Dir, all others to Root.
	Root, Dir string
	// Findings are sorted and carry their fingerprints.
	Findings []Finding
	// Suppressed and Baselined count what is not in Findings any more.
	Suppressed, Baselined int
	// SuppressedFindings are what ignore comments dropped, sorted, as far as the
	// command keeps it.
	SuppressedFindings []Suppressed
	// Rules are those that the run could have reported, and Version that of the
	// program.
	Rules   []RuleText
	Version string
	// MinSeverity is the lowest severity that the formats made for people
	// list; json and sarif list all.
	MinSeverity Severity
}

// RuleText is what there is to say about a rule.
type RuleText struct {
	Name, Summary, Text, URL string
	// Severity is that of its findings where nothing else is said.
	Severity Severity
}

// Suppressed is a finding that an ignore comment drops, and the comment's reason.
type Suppressed struct {
	Finding
	Reason string
}

// Fails reports whether a finding is at or above the given severity.
func (r *Report) Fails(at Severity) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Severity >= at })
}

// Format is one output format.
type Format struct {
	Name string
	// All is true where every severity is listed.
	All   bool
	write func(io.Writer, *Report) error
}

// Formats lists the output formats in the order of the help text.
func Formats() []Format {
	return []Format{
		{Name: "text", write: writeText},
		{Name: "json", All: true, write: writeJSON},
		{Name: "sarif", All: true, write: writeSARIF},
		{Name: "github", write: writeGitHub},
		{Name: "checkstyle", write: writeCheckstyle},
	}
}

// FormatNamed returns the format of that name.
func FormatNamed(name string) (Format, error) {
	var names []string
	for _, f := range Formats() {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return Format{}, fmt.Errorf("unknown format %q: one of %s", name, strings.Join(names, ", "))
}

// Write prints r to w and returns how many findings it left out because they
// are below r.MinSeverity.
func (f Format) Write(w io.Writer, r *Report) (omitted int, err error) {
	if !f.All {
		shown := *r
		shown.Findings = slices.DeleteFunc(slices.Clone(r.Findings), func(x Finding) bool { return x.Severity < r.MinSeverity })
		omitted = len(r.Findings) - len(shown.Findings)
		r = &shown
	}
	return omitted, f.write(w, r)
}
