package vendorcheck

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/fractl/fractl/internal/finding"
)

// The rules' names.
const (
	ReplaceDriftRule      = "replacedrift"
	RequireDriftRule      = "requiredrift"
	ModulesTxtRule        = "modulestxt"
	ReplaceIntoVendorRule = "replaceintovendor"
	VendorBypassRule      = "vendorbypass"
	VendorContentRule     = "vendorcontent"
	StaleVendorRule       = "stalevendor"
	UnprovenRule          = "unproven"
	LostReplaceRule       = "lostreplace"
	VersionDriftRule      = "versiondrift"
	IndependenceRule      = "independence"
)

// Rule is one rule of vendor-check.
type Rule struct {
	Name string
	// Severity is the highest that its findings have.
	Severity finding.Severity
	// Summary is one line: what it reports, lower case and without a period.
	Summary string
	// Text explains it: what, then the sections Why, Wrong, Right, When not,
	// each under a heading that begins with "# ".
	Text string
}

//go:embed doc.go
var doc string

// Rules are the rules of vendor-check by name. Their text is that of this
// package's documentation.
func Rules() []Rule {
	var list []Rule
	for _, name := range []string{IndependenceRule, LostReplaceRule, ModulesTxtRule, ReplaceDriftRule, ReplaceIntoVendorRule, RequireDriftRule, StaleVendorRule, UnprovenRule, VendorBypassRule, VendorContentRule, VersionDriftRule} {
		r := Rule{Name: name, Severity: finding.Error}
		if name == UnprovenRule {
			r.Severity = finding.Note
		}
		r.Summary, r.Text = ruleText(name)
		list = append(list, r)
	}
	return list
}

// ruleText cuts the section "# Rule NAME" out of the package documentation. A
// missing one is a mistake in this package, which its tests find.
func ruleText(name string) (summary, text string) {
	body, _, _ := strings.Cut(doc, "*/")
	_, section, ok := strings.Cut(body, "\n# Rule "+name+"\n")
	if !ok {
		panic(fmt.Sprintf("doc.go has no section '# Rule %s'", name))
	}
	section, _, _ = strings.Cut(section, "\n# Rule ")
	summary, text, _ = strings.Cut(strings.TrimSpace(section), "\n\n")
	return strings.TrimPrefix(summary, name+": "), strings.TrimSpace(text)
}
