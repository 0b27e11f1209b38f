package poolescape

import "github.com/fractl/fractl/internal/finding"

// The categories of this rule's diagnostics; doc.go says what each means.
const (
	used     = "use"
	double   = "double"
	returned = "return"
	kept     = "keep"
	pool     = "pool"
	value    = "value"
	field    = "field"
	inTest   = "test"
)

// Severities gives each category's severity.
func Severities() map[string]finding.Severity {
	return map[string]finding.Severity{
		used: finding.Error, double: finding.Error, returned: finding.Error, pool: finding.Error,
		kept: finding.Warning, field: finding.Warning, value: finding.Note, inTest: finding.Note,
	}
}

// label is the category as a diagnostic has it, its severity last, which is
// how the driver learns of it.
func label(category string) string {
	return category + "/" + Severities()[category].String()
}
