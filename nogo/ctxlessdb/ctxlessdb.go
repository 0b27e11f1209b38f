// Package ctxlessdb is the rule ctxlessdb of `fractl vet` for nogo of rules_go; see docs/ci.md.
package ctxlessdb

import "github.com/fractl/fractl/internal/standalone"

// Analyzer is the rule; 'fractl rules ctxlessdb' explains it.
var Analyzer = standalone.Analyzer("ctxlessdb")
