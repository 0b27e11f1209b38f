package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/pressly/goose/v3"
)

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
// the next, unless it says NO TRANSACTION. An applied file that was changed
// since is an *EditedError. After an error the result tells how far it came.
//
// A schema that is newer than this program's files is left alone: during a roll
// back the old program has to live with it.
func (db *DB) Migrate(ctx context.Context) (m Migration, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: migrate: %w", db.engine.place(), err)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, db.settings.MigrateTimeout)
	defer cancel()

	files, err := fs.Sub(db.options.Migrations, string(db.Engine()))
	if err != nil {
		return Migration{}, err
	}
	h := &history{exists: db.engine.tableExists()}
	provider, err := goose.NewProvider(goose.DialectCustom, db.writer, files,
		goose.WithStore(h),
		goose.WithDisableGlobalRegistry(true),
		goose.WithSlog(db.options.Log))
	if errors.Is(err, goose.ErrNoMigrations) {
		return Migration{}, fmt.Errorf("there are no migrations in folder %s", db.Engine())
	}
	if err != nil {
		return Migration{}, err
	}
	if err := h.read(files, provider.ListSources()); err != nil {
		return Migration{}, err
	}

	unlock, err := db.engine.lock(ctx, db.writer)
	if err != nil {
		return Migration{}, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if m.From, err = h.verify(ctx, db.writer); err != nil {
		return Migration{}, err
	}
	results, err := provider.Up(ctx)
	var partial *goose.PartialError
	if errors.As(err, &partial) {
		results = partial.Applied
		err = fmt.Errorf("%s: %w", path.Base(partial.Failed.Source.Path), partial.Err)
	}
	m.To = m.From
	for _, r := range results {
		m.Applied = append(m.Applied, path.Base(r.Source.Path))
		m.To = r.Source.Version
	}
	return m, err
}

// EditedError tells that a migration was changed after it was applied.
type EditedError struct {
	// File is the migration and Version its number.
	File    string
	Version int64
}

// Error names the file and the way out.
func (e *EditedError) Error() string {
	return fmt.Sprintf("%s was changed after it was applied; restore it and put the change into a new migration", e.File)
}
