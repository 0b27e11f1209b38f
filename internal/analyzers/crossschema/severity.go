package crossschema

import "github.com/fractl/fractl/internal/finding"

// The categories of findings.
const (
	table   = "table"
	schema  = "schema"
	several = "several"
	inTest  = "test"
)

// Severities gives each category's severity.
func Severities() map[string]finding.Severity {
	return map[string]finding.Severity{
		table: finding.Error, schema: finding.Error, several: finding.Warning, inTest: finding.Warning,
	}
}
