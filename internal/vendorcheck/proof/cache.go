package proof

import (
	"archive/zip"
	"crypto/sha256"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"

	"github.com/fractl/fractl/internal/vendorcheck/gofile"
)

// readFolder reads the extracted module in dir. sums are the CRC-32 of its files
// in the form of zip.
func readFolder(mod module.Version, dir string) (c *Content, sums map[string]uint32, err error) {
	c = &Content{Mod: mod, Files: map[string]Hash{}, Ignored: map[string]bool{}, Known: true, Dir: dir}
	sums = map[string]uint32{}
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if !d.Type().IsRegular() {
			return &fs.PathError{Op: "read", Path: name, Err: errors.New("not a regular file")}
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		rel := filepath.ToSlash(strings.TrimPrefix(name[len(dir):], string(filepath.Separator)))
		c.add(rel, data)
		sums[rel] = crc32.ChecksumIEEE(data)
		return nil
	})
	return c, sums, err
}

// add adds a file.
func (c *Content) add(name string, data []byte) {
	c.Files[name] = sha256.Sum256(data)
	if strings.HasSuffix(name, ".go") && gofile.Read(data).Ignored {
		c.Ignored[name] = true
	}
}

// readZip reads a module's zip.
func readZip(mod module.Version, file string) (*Content, error) {
	z, err := zip.OpenReader(file)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	c := &Content{Mod: mod, Files: map[string]Hash{}, Ignored: map[string]bool{}, Known: true}
	prefix := mod.String() + "/"
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(r)
		if err = errors.Join(err, r.Close()); err != nil {
			return nil, err
		}
		// A name without the prefix cannot be right; the hash will show it.
		c.add(strings.TrimPrefix(f.Name, prefix), data)
	}
	return c, nil
}

// sameAsZip reports whether a zip says of itself that it holds files with these
// names and CRC-32. That takes its directory only; a zip that was forged with
// care passes.
func sameAsZip(mod module.Version, file string, sums map[string]uint32) bool {
	z, err := zip.OpenReader(file)
	if err != nil {
		return os.IsNotExist(err)
	}
	defer z.Close()
	prefix := mod.String() + "/"
	n := 0
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		name, ok := strings.CutPrefix(f.Name, prefix)
		if sum, has := sums[name]; !ok || !has || sum != f.CRC32 {
			return false
		}
		n++
	}
	return n == len(sums)
}
