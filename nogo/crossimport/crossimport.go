// Package crossimport is the rule crossimport of `fractl vet` for nogo of rules_go; see docs/ci.md.
package crossimport

import "github.com/fractl/fractl/internal/standalone"

// Analyzer is the rule; 'fractl rules crossimport' explains it.
var Analyzer = standalone.Analyzer("crossimport")
