// Package replacedrift is the rule replacedrift of `fractl vet` for nogo of rules_go; see docs/ci.md.
package replacedrift

import "github.com/fractl/fractl/internal/standalone"

// Analyzer is the rule; 'fractl rules replacedrift' explains it.
var Analyzer = standalone.Analyzer("replacedrift")
