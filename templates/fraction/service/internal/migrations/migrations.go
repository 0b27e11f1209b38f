// Package migrations holds the steps that build the private schema of this
// fraction, one file each, in the order of their numbers. A step that was
// applied anywhere is never edited again; what comes next is a new file.
package migrations

import "embed"

// Files hold a folder for each engine: sqlite and postgres, the same tables in
// two dialects.
//
//go:embed sqlite/*.sql postgres/*.sql
var Files embed.FS
