package ctxbreak

import "github.com/fractl/fractl/internal/finding"

// The categories of this rule's diagnostics; doc.go says what each means.
const (
	todo     = "todo"
	fresh    = "fresh"
	nilCtx   = "nil"
	lost     = "lost"
	path     = "path"
	loop     = "loop"
	early    = "early"
	unread   = "unread"
	shadow   = "shadow"
	outlived = "request"
	unused   = "unused"
	longer   = "longer"
	callee   = "callee"
	inTest   = "inTest"
)

// Severities gives each category's severity.
func Severities() map[string]finding.Severity {
	return map[string]finding.Severity{
		todo: finding.Warning, nilCtx: finding.Error, lost: finding.Error,
		fresh: finding.Warning, path: finding.Warning, loop: finding.Warning, early: finding.Warning, unread: finding.Warning, shadow: finding.Warning, outlived: finding.Warning, unused: finding.Warning,
		longer: finding.Warning, callee: finding.Note, inTest: finding.Note,
	}
}

// label is the category as a diagnostic has it, its severity last, which is
// how the driver learns of it.
func label(category string) string {
	return category + "/" + Severities()[category].String()
}
