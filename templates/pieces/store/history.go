package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

// historyTable has a row for each applied migration. Because the version is its
// key, a migration that slipped past the lock could not be applied twice: its
// transaction would fail.
const historyTable = "schema_migrations"

// history is goose's record of what was applied, with the checksum of each
// file. goose inserts a version in the transaction of its migration, so the
// checksum is there exactly if the migration is.
type history struct {
	exists string // query for whether a table exists
	files  map[int64]migrationFile
}

type migrationFile struct {
	name, sum string
}

// read takes the checksums of the migrations. Line ends do not count: a
// checkout on Windows has others.
func (h *history) read(files fs.FS, sources []*goose.Source) error {
	h.files = make(map[int64]migrationFile, len(sources))
	for _, src := range sources {
		text, err := fs.ReadFile(files, src.Path)
		if err != nil {
			return err
		}
		sum := sha256.Sum256([]byte(strings.ReplaceAll(string(text), "\r\n", "\n")))
		h.files[src.Version] = migrationFile{name: path.Base(src.Path), sum: hex.EncodeToString(sum[:])}
	}
	return nil
}

// verify compares what was applied with the files of this program and returns
// the newest version applied. Versions that the program does not know are
// those of a newer one.
func (h *history) verify(ctx context.Context, db *sql.DB) (newest int64, err error) {
	exists, err := h.TableExists(ctx, db)
	if err != nil || !exists {
		return 0, err
	}
	rows, err := db.QueryContext(ctx, `SELECT version, checksum FROM schema_migrations ORDER BY version`)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var sum string
		if err := rows.Scan(&newest, &sum); err != nil {
			return 0, err
		}
		if file, known := h.files[newest]; known && file.sum != sum {
			return 0, &EditedError{File: file.name, Version: newest}
		}
	}
	return newest, rows.Err()
}

// Tablename is part of database.Store.
func (h *history) Tablename() string { return historyTable }

// TableExists is an extension of database.Store.
func (h *history) TableExists(ctx context.Context, db database.DBTxConn) (exists bool, err error) {
	err = db.QueryRowContext(ctx, h.exists, historyTable).Scan(&exists)
	return exists, err
}

// CreateVersionTable is part of database.Store.
func (h *history) CreateVersionTable(ctx context.Context, db database.DBTxConn) error {
	_, err := db.ExecContext(ctx, `CREATE TABLE schema_migrations (
		version BIGINT NOT NULL PRIMARY KEY,
		file TEXT NOT NULL,
		checksum TEXT NOT NULL,
		applied_at BIGINT NOT NULL -- microseconds since 1970
	)`)
	return err
}

// Insert is part of database.Store.
func (h *history) Insert(ctx context.Context, db database.DBTxConn, req database.InsertRequest) error {
	file := h.files[req.Version] // empty for version 0, the schema before the first migration
	_, err := db.ExecContext(ctx, `INSERT INTO schema_migrations (version, file, checksum, applied_at) VALUES ($1, $2, $3, $4)`,
		req.Version, file.name, file.sum, time.Now().UnixMicro())
	return err
}

// Delete is part of database.Store.
func (h *history) Delete(ctx context.Context, db database.DBTxConn, version int64) error {
	_, err := db.ExecContext(ctx, `DELETE FROM schema_migrations WHERE version = $1`, version)
	return err
}

// GetMigration is part of database.Store.
func (h *history) GetMigration(ctx context.Context, db database.DBTxConn, version int64) (*database.GetMigrationResult, error) {
	var at int64
	err := db.QueryRowContext(ctx, `SELECT applied_at FROM schema_migrations WHERE version = $1`, version).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, database.ErrVersionNotFound
	}
	if err != nil {
		return nil, err
	}
	return &database.GetMigrationResult{Timestamp: time.UnixMicro(at), IsApplied: true}, nil
}

// GetLatestVersion is part of database.Store.
func (h *history) GetLatestVersion(ctx context.Context, db database.DBTxConn) (int64, error) {
	var version sql.NullInt64
	if err := db.QueryRowContext(ctx, `SELECT max(version) FROM schema_migrations`).Scan(&version); err != nil {
		return 0, err
	}
	if !version.Valid {
		return 0, database.ErrVersionNotFound
	}
	return version.Int64, nil
}

// ListMigrations is part of database.Store.
func (h *history) ListMigrations(ctx context.Context, db database.DBTxConn) (list []*database.ListMigrationsResult, err error) {
	rows, err := db.QueryContext(ctx, `SELECT version FROM schema_migrations ORDER BY version DESC`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		r := &database.ListMigrationsResult{IsApplied: true}
		if err := rows.Scan(&r.Version); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}
