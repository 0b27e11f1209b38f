package ctxlessdb

import "github.com/fractl/fractl/internal/finding"

// The categories of this rule's diagnostics; doc.go says what each means.
const (
	direct    = "call"
	session   = "session"
	wrapper   = "wrapper"
	deferred  = "deferred"
	goroutine = "goroutine"
	noContext = "nocontext"
	exempt    = "exempt"
	inTest    = "test"
	generated = "generated"
)

// Severities gives each category's severity.
func Severities() map[string]finding.Severity {
	return map[string]finding.Severity{
		direct: finding.Error, session: finding.Error,
		wrapper: finding.Warning, deferred: finding.Warning, goroutine: finding.Warning,
		noContext: finding.Note, exempt: finding.Note, inTest: finding.Note, generated: finding.Note,
	}
}

// label is the category as a diagnostic has it, its severity last, which is
// how the driver learns of it.
func label(category string) string {
	return category + "/" + Severities()[category].String()
}
