// Package names holds the names of tables.
package names

// The tables.
const (
	Sessions = "sessions"
	Orders   = "orders"
)

// Dynamic is only known when the program runs.
var Dynamic = "sessions"
