package vendorcheck

import (
	_ "embed"
	"fmt"
	"strings"
)

// The rules' names.
const (
	ReplaceDriftRule      = "replacedrift"
	RequireDriftRule      = "requiredrift"
	ModulesTxtRule        = "modulestxt"
	ReplaceIntoVendorRule = "replaceintovendor"
	VendorBypassRule      = "vendorbypass"
)

// Rule is one rule of vendor-check.
type Rule struct {
	Name string
	// Summary is one line: what it reports, lower case and without a period.
	Summary string
	// Text explains it: what, why, wrong, right, when not.
	Text string
}

//go:embed doc.go
var doc string

// Rules are the rules of vendor-check by name. Their text is that of this
// package's documentation.
func Rules() []Rule {
	names := []string{ModulesTxtRule, ReplaceDriftRule, ReplaceIntoVendorRule, RequireDriftRule, VendorBypassRule}
	list := make([]Rule, 0, len(names))
	for _, name := range names {
		list = append(list, ruleText(name))
	}
	return list
}

// ruleText cuts the section "# Rule NAME" out of the package documentation. A
// missing one is a mistake in this package, which its tests find.
func ruleText(name string) Rule {
	body, _, _ := strings.Cut(doc, "*/")
	_, section, ok := strings.Cut(body, "\n# Rule "+name+"\n")
	if !ok {
		panic(fmt.Sprintf("doc.go has no section '# Rule %s'", name))
	}
	section, _, _ = strings.Cut(section, "\n# Rule ")
	section = strings.TrimSpace(section)
	summary, text, _ := strings.Cut(section, "\n\n")
	summary = strings.TrimPrefix(strings.Join(strings.Fields(summary), " "), name+": ")
	return Rule{Name: name, Summary: strings.TrimSuffix(summary, "."), Text: strings.TrimSpace(text)}
}
