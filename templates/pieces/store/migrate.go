package store

import "context"

// Migration tells what Migrate did.
type Migration struct {
	// From and To are the versions before and after; 0 is an empty schema.
	From, To int64
	// Applied are the files that were applied, in order.
	Applied []string
}

// Migrate brings the schema up to the newest of the embedded migrations. Of
// several instances that start at once, one migrates and the others wait. Each
// file is one transaction: a crash leaves whole files applied and nothing of
// the next. An applied file that was changed since is an *EditedError.
//
// A schema that is newer than this program's files is left alone: during a roll
// back the old program has to live with it.
func (db *DB) Migrate(ctx context.Context) (Migration, error) { panic("follows") }

// EditedError tells that a migration was changed after it was applied.
type EditedError struct {
	// File is the migration and Version its number.
	File    string
	Version int64
}

// Error names the file.
func (e *EditedError) Error() string { panic("follows") }
