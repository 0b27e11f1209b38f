// Package poolescape is the rule poolescape of `fractl vet` for nogo of rules_go; see docs/ci.md.
package poolescape

import "github.com/fractl/fractl/internal/standalone"

// Analyzer is the rule; 'fractl rules poolescape' explains it.
var Analyzer = standalone.Analyzer("poolescape")
