// Package replacedrift defines an Analyzer that reports replace directives
// which do not agree with the vendored copies of their modules. It is a face of
// package vendorcheck, which holds the rule itself.
//
// # Analyzer replacedrift
//
// replacedrift: a replace of go.mod or go.work and vendor/modules.txt do not agree
//
// The rule looks at each replace directive of each module that has a vendor
// folder, of go.work where the workspace has one, and at each line of the list
// vendor/modules.txt. It reports a directive that the list lacks or has with
// another target, a line that no directive asks for, and directives that
// contradict each other. Like the go command it compares targets as text, and
// go.work goes before the go.mod files; unlike the go command it also compares
// the lines of a module's version, which are what vendor/ was filled from.
//
// The finding stands at the directive, or in modules.txt where only that has
// the line. It concerns a module and not a package: `fractl vet` reports it
// once, without loading a package, since the go command refuses to load most
// drifted modules. Under `go vet -vettool=fractl` only Go files have positions,
// so it stands at the package clause of the module's first package, by folder,
// and begins with the position that is meant. `fractl vendor-check` reports it
// together with all else that can drift.
//
// # Why
//
// The code in vendor/ is what is built. Where the list says that it came from
// another place than go.mod names, a reader of go.mod is misled, a fix in the
// replaced folder does not arrive, and the next 'go mod vendor' changes code
// that nobody touched.
//
// # Wrong
//
//	// go.mod
//	replace example.com/lib => ../lib
//	// vendor/modules.txt
//	# example.com/lib v0.0.0 => ../lib-old
//	# example.com/lib => ../lib
//
// # Right
//
//	// go.mod
//	replace example.com/lib => ../lib
//	// vendor/modules.txt
//	# example.com/lib v0.0.0 => ../lib
//	# example.com/lib => ../lib
//
// # When not
//
// Never: a build that is meant to ignore vendor/ has no use for it. Run 'go mod
// vendor', or 'go work vendor' in a workspace, and commit the result.
//
// # Suppress
//
//	replace example.com/lib => ../lib //fractl:ignore replacedrift vendored from a branch until v1.3.0
package replacedrift
