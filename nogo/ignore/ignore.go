// Package ignore is the rule ignore of `fractl vet` for nogo of rules_go; see docs/ci.md.
package ignore

import "github.com/fractl/fractl/internal/standalone"

// Analyzer is the rule; 'fractl rules ignore' explains it.
var Analyzer = standalone.Analyzer("ignore")
