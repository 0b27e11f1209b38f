// Package timerleak is the rule timerleak of `fractl vet` for nogo of rules_go; see docs/ci.md.
package timerleak

import "github.com/fractl/fractl/internal/standalone"

// Analyzer is the rule; 'fractl rules timerleak' explains it.
var Analyzer = standalone.Analyzer("timerleak")
