// Package token is only imported by its own fraction; its constants are not.
package token

const Table = "sessions"
