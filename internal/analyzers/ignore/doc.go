// Package ignore defines the rule about the comments that suppress the others.
//
// # Analyzer ignore
//
// ignore: an ignore comment that has no reason, names no rule, or suppresses nothing
//
// "//fractl:ignore RULE reason" suppresses the findings of one rule on its own
// line, where code stands in front of it, or else on the line below; comments
// may stand below one another and then all speak of the line below the last.
// In go.mod and go.work a space after the slashes makes no difference.
//
// Reported are a comment that names no rule or gives no reason (it suppresses
// nothing), one that names an unknown rule, one that a space makes into prose,
// and one that suppresses nothing in this run. The last is not said of a rule
// that was disabled, nor in a file that this build leaves out or that does not
// type-check: there the rule had no chance.
//
// # Why
//
// A suppression outlives the code that it was written for. Without a reason
// nobody dares to remove it, and once the fault is gone it hides the next one.
//
// # Wrong
//
//	//fractl:ignore timerleak
//	t := time.NewTicker(time.Second)
//
// # Right
//
//	//fractl:ignore timerleak runs until the process ends
//	t := time.NewTicker(time.Second)
//
// # When not
//
// Where the suppressions of a code base are being brought in order, a lower
// severity in fractl.yaml keeps these findings from failing a build.
//
// # Suppress
//
// These findings cannot be suppressed by a comment. In fractl.yaml:
//
//	vet:
//	  severity: {ignore: note}
package ignore
