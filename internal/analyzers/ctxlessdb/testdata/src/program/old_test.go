//go:build go1.23

package main

import "testing"

// The file's version is from before testing.T had a context.
func TestOld(t *testing.T) {
	db.Ping() // want `there is PingContext$`
}
