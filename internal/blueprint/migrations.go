package blueprint

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/fractl/fractl/internal/fault"
)

// migrates reports whether a piece, or its engine, adds a migration.
func (p pick) migrates() bool { return p.Migrates || p.engine.Migrates }

// numberMigrations gives each piece that adds a migration the number of that. One
// that had a number keeps it; others get those after last, in wiring order.
func numberMigrations(picks []pick, had map[string]string, last uint64) map[string]string {
	var numbers map[string]string
	for _, p := range picks {
		if !p.migrates() {
			continue
		}
		if numbers == nil {
			numbers = map[string]string{}
		}
		if numbers[p.Name] = had[p.Name]; had[p.Name] == "" {
			last++
			numbers[p.Name] = fmt.Sprintf("%05d", last)
		}
	}
	return numbers
}

// firstMigrations is the number of the last migration that every skeleton has.
const firstMigrations = 1

// numbered matches the name of a migration.
var numbered = regexp.MustCompile(`^(\d{1,18})_.*\.(?:sql|go)$`)

// lastMigration is the greatest number of the migrations of a fraction that is
// there: its own, and those of pieces.
func (p place) lastMigration() (uint64, error) {
	last := uint64(firstMigrations)
	dir := filepath.Join(p.target, "internal", "migrations")
	if _, err := os.Stat(dir); err != nil {
		return last, nil
	}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return fault.New(slashRel(p.root, name), "cannot be looked at: "+cause(err), "")
		}
		if m := numbered.FindStringSubmatch(d.Name()); m != nil && !d.IsDir() {
			n, err := strconv.ParseUint(m[1], 10, 64)
			if err != nil {
				return err // not for so few digits
			}
			last = max(last, n)
		}
		return nil
	})
	return last, err
}
