// Package unsafeshare is the rule unsafeshare of `fractl vet` for nogo of rules_go; see docs/ci.md.
package unsafeshare

import "github.com/fractl/fractl/internal/standalone"

// Analyzer is the rule; 'fractl rules unsafeshare' explains it.
var Analyzer = standalone.Analyzer("unsafeshare")
