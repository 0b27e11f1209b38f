// Package httplimits is the rule httplimits of `fractl vet` for nogo of rules_go; see docs/ci.md.
package httplimits

import "github.com/fractl/fractl/internal/standalone"

// Analyzer is the rule; 'fractl rules httplimits' explains it.
var Analyzer = standalone.Analyzer("httplimits")
