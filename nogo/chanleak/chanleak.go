// Package chanleak is the rule chanleak of `fractl vet` for nogo of rules_go; see docs/ci.md.
package chanleak

import "github.com/fractl/fractl/internal/standalone"

// Analyzer is the rule; 'fractl rules chanleak' explains it.
var Analyzer = standalone.Analyzer("chanleak")
