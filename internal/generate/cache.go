package generate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// cache keeps what is known of outputs, by the key of all that they depend on.
// An entry is a file of its own, written in one step, so that runs beside one
// another do not meet. A folder that cannot be written means that nothing is
// known the next time.
type cache struct{ dir string }

const cacheVersion = "fractl generate 1"

// output is one file that a directive makes.
type output struct {
	// file is relative to the root.
	file, sum string
}

// get gives what a directive with that key makes.
func (c *cache) get(key string) (list []output, ok bool) {
	data, err := os.ReadFile(c.file(key))
	if err != nil {
		return nil, false
	}
	text, whole := strings.CutSuffix(string(data), "\nend\n")
	lines := strings.Split(text, "\n")
	if !whole || lines[0] != cacheVersion {
		return nil, false
	}
	for _, line := range lines[1:] {
		sum, file, ok := strings.Cut(line, "  ")
		if !ok || len(sum) != 2*sha256.Size {
			return nil, false
		}
		list = append(list, output{file, sum})
	}
	return list, true
}

func (c *cache) put(key string, list []output) {
	file := c.file(key)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return
	}
	text := cacheVersion
	for _, o := range list {
		if strings.Contains(o.file, "\n") {
			return
		}
		text += "\n" + o.sum + "  " + o.file
	}
	_ = writeFile(file, []byte(text+"\nend\n"), 0o666)
}

func (c *cache) file(key string) string { return filepath.Join(c.dir, key[:2], key) }

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// writeFile puts content in the place of a file in one step.
func writeFile(name string, data []byte, mode os.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err := tmp.Write(data); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Chmod(mode); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), name); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
