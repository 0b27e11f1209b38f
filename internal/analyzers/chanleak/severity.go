package chanleak

import "github.com/fractl/fractl/internal/finding"

// The categories of this rule's diagnostics; doc.go says what each means.
const (
	local   = "local"
	behind  = "behind"
	field   = "field"
	closed  = "closed"
	path    = "path"
	blocked = "blocked"
	program = "program"
	inTest  = "test"
)

// Severities gives each category's severity.
func Severities() map[string]finding.Severity {
	return map[string]finding.Severity{
		local: finding.Error, closed: finding.Error, field: finding.Warning, behind: finding.Warning, path: finding.Warning, blocked: finding.Warning,
		program: finding.Note, inTest: finding.Note,
	}
}

// label is the category as a diagnostic has it, its severity last, which is
// how the driver learns of it.
func label(category string) string {
	return category + "/" + Severities()[category].String()
}
