// Package ctxbreak is the rule ctxbreak of `fractl vet` for nogo of rules_go; see docs/ci.md.
package ctxbreak

import "github.com/fractl/fractl/internal/standalone"

// Analyzer is the rule; 'fractl rules ctxbreak' explains it.
var Analyzer = standalone.Analyzer("ctxbreak")
