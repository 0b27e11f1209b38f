//go:build race

package election_test

// raced says that the race detector is on.
const raced = true
