package timerleak

import "github.com/fractl/fractl/internal/finding"

// The categories of this rule's diagnostics; doc.go says what each means.
const (
	leak      = "leak"
	onPath    = "path"
	oneShot   = "timer"
	tick      = "tick"
	after     = "after"
	clock     = "clock"
	goDebug   = "godebug"
	stopped   = "stopped"
	nilChan   = "nilchan"
	goroutine = "goroutine"
	afterFunc = "afterfunc"
	callback  = "callback"
	worker    = "worker"
	cost      = "cost"
	inTest    = "test"
	drain     = "drain"
	lenCap    = "lencap"
	guard     = "guard"
	redundant = "redundant"
	field     = "field"
)

// Severities gives each category's severity. A category is an error only where
// the program cannot be meant that way.
func Severities() map[string]finding.Severity {
	return map[string]finding.Severity{
		leak: finding.Error, stopped: finding.Error, nilChan: finding.Error,
		drain: finding.Error, lenCap: finding.Error,

		onPath: finding.Warning, oneShot: finding.Warning, tick: finding.Warning,
		after: finding.Warning, clock: finding.Warning, goDebug: finding.Warning,
		goroutine: finding.Warning, afterFunc: finding.Warning,

		callback: finding.Note, worker: finding.Note, cost: finding.Note,
		inTest: finding.Note, guard: finding.Note, redundant: finding.Note,
		field: finding.Note,
	}
}

// label is the category as a diagnostic has it, its severity last, which is
// how the driver learns of it.
func label(category string) string {
	return category + "/" + Severities()[category].String()
}
