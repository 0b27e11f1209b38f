package commit

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzRecover holds that no journal, whoever wrote it, makes a recovery panic or
// touch anything outside of its base.
func FuzzRecover(f *testing.F) {
	f.Add([]byte(`{"schema": 1, "steps": [{"kind": "tree", "path": "auth", "staged": ".fractl-commit/new/0", "files": [{"path": "go.mod", "new": "x"}]}]}`))
	f.Add([]byte(`{"schema": 1, "steps": [{"kind": "replace", "path": "../outside.txt", "staged": "x", "backup": "inside.txt"}]}`))
	f.Add([]byte(`{"schema": 1, "steps": [{"kind": "file", "path": "link/outside.txt", "staged": "x", "new": "y"}]}`))
	f.Add([]byte(`{"schema": 1, "steps": [{"kind": "remove", "path": "/etc/x", "backup": "inside.txt"}]}`))
	f.Add([]byte(`{"schema": 2}`))
	f.Fuzz(func(t *testing.T, journal []byte) {
		top := t.TempDir()
		base := filepath.Join(top, "base")
		put(t, top, "outside.txt", "outside\n", 0o644)
		put(t, base, "inside.txt", "inside\n", 0o644)
		put(t, base, Folder+"/journal", string(journal)+journalEnd, 0o644)
		if err := os.Symlink("..", filepath.Join(base, "link")); err != nil {
			t.Skip(err)
		}
		_, _ = Recover(base)
		data, err := os.ReadFile(filepath.Join(top, "outside.txt"))
		if err != nil || string(data) != "outside\n" {
			t.Errorf("outside.txt: %q, %v", data, err)
		}
		if entries, err := os.ReadDir(top); err != nil || len(entries) != 2 {
			t.Errorf("outside of the base: %v, %v", entries, err)
		}
	})
}
