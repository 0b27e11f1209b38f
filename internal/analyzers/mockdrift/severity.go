package mockdrift

import "github.com/fractl/fractl/internal/finding"

// The categories of this rule's diagnostics; doc.go says what each means.
const (
	missing = "missing"
	extra   = "extra"
)

// Severities gives each category's severity.
func Severities() map[string]finding.Severity {
	return map[string]finding.Severity{missing: finding.Note, extra: finding.Note}
}

// label is the category as a diagnostic has it, its severity last, which is
// how the driver learns of it.
func label(category string) string { return category + "/" + Severities()[category].String() }
