// Package crossschema is the rule crossschema of `fractl vet` for nogo of rules_go; see docs/ci.md.
package crossschema

import "github.com/fractl/fractl/internal/standalone"

// Analyzer is the rule; 'fractl rules crossschema' explains it.
var Analyzer = standalone.Analyzer("crossschema")
