// Package mockdrift is the rule mockdrift of `fractl vet` for nogo of rules_go; see docs/ci.md.
package mockdrift

import "github.com/fractl/fractl/internal/standalone"

// Analyzer is the rule; 'fractl rules mockdrift' explains it.
var Analyzer = standalone.Analyzer("mockdrift")
