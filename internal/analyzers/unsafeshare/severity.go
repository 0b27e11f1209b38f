package unsafeshare

import "github.com/fractl/fractl/internal/finding"

// The categories of this rule's diagnostics; doc.go says what each means.
const (
	api     = "api"
	address = "address"
	alias   = "alias"
	inTest  = "test"
)

// Severities gives each category's severity.
func Severities() map[string]finding.Severity {
	return map[string]finding.Severity{
		api: finding.Warning, address: finding.Warning, alias: finding.Warning, inTest: finding.Note,
	}
}

// label is the category as a diagnostic has it, its severity last, which is
// how the driver learns of it.
func label(category string) string {
	return category + "/" + Severities()[category].String()
}
