// Package analyzers lists the rules of vet. Each is a package below this one:
// doc.go (what `fractl rules` prints), the analyzer, its test, and testdata.
//
// # What a rule says in a diagnostic
//
// Message states the fact and names the thing. The Category is the kind of the
// report; where it ends in "/note", "/warning" or "/error" the report has that
// severity, otherwise the rule's own. A severity that fractl.yaml sets for the
// rule takes the place of the rule's own, and lowers but never raises one that
// a category gives.
//
// A related position whose message begins with "hint: " is the next step of
// the finding; where there is none, the message of the first suggested fix is.
package analyzers
