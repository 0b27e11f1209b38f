// Package fix carries out the suggested fixes of findings, in memory: what it
// returns are the files as they would be.
//
// It works in rounds. Each takes the first suggested fix of every finding,
// unless its edits overlap with those of one before it, and vets what comes out
// of them through an overlay. Fixes after which a package has an error that it
// did not have before are taken back, and not tried again. It ends when no fix
// is left, so that fixing what it returns changes nothing.
package fix
