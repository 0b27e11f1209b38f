package httplimits

import "github.com/fractl/fractl/internal/finding"

// The categories of this rule's diagnostics; doc.go says what each means.
const (
	header    = "header"
	server    = "server"
	client    = "client"
	request   = "request"
	transport = "transport"
	local     = "local"
	kept      = "kept"
	proxy     = "proxy"
)

// Severities gives each category's severity.
func Severities() map[string]finding.Severity {
	return map[string]finding.Severity{
		header: finding.Error, server: finding.Warning, client: finding.Warning, request: finding.Warning,
		transport: finding.Warning, local: finding.Note, kept: finding.Note,
		proxy: finding.Error,
	}
}

// label is the category as a diagnostic has it, its severity last, which is
// how the driver learns of it.
func label(category string) string {
	return category + "/" + Severities()[category].String()
}
