package finding

import (
	"encoding/json"
	"io"
)

// The JSON object of the command-line contract. Its schema number changes with
// every change that a reader could notice.
type jsonReport struct {
	Schema   int           `json:"schema"`
	Command  string        `json:"command"`
	Findings []jsonFinding `json:"findings"`
	Summary  jsonSummary   `json:"summary"`
}

type jsonFinding struct {
	Rule        string    `json:"rule"`
	Severity    string    `json:"severity"`
	File        string    `json:"file"`
	Line        int       `json:"line"`
	Column      int       `json:"column"`
	EndLine     int       `json:"endLine"`
	EndColumn   int       `json:"endColumn"`
	Fraction    string    `json:"fraction"`
	Message     string    `json:"message"`
	Hint        string    `json:"hint"`
	Related     []Related `json:"related"`
	Fixable     bool      `json:"fixable"`
	Fingerprint string    `json:"fingerprint"`
}

type jsonSummary struct {
	Error      int `json:"error"`
	Warning    int `json:"warning"`
	Note       int `json:"note"`
	Suppressed int `json:"suppressed"`
	Baselined  int `json:"baselined"`
}

func writeJSON(w io.Writer, r *Report) error {
	n := Count(r.Findings)
	out := jsonReport{
		Schema:   1,
		Command:  r.Command,
		Findings: make([]jsonFinding, 0, len(r.Findings)),
		Summary: jsonSummary{Error: n[Error], Warning: n[Warning], Note: n[Note],
			Suppressed: r.Suppressed, Baselined: r.Baselined},
	}
	for _, f := range r.Findings {
		related := f.Related
		if related == nil {
			related = []Related{}
		}
		out.Findings = append(out.Findings, jsonFinding{
			Rule: f.Rule, Severity: f.Severity.String(), File: f.File,
			Line: f.Line, Column: f.Column, EndLine: f.EndLine, EndColumn: f.EndColumn,
			Fraction: f.Fraction, Message: f.Message, Hint: f.Hint, Related: related,
			Fixable: len(f.Fixes) > 0, Fingerprint: f.Fingerprint,
		})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
