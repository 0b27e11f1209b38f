package vendorcheck

import (
	"crypto/sha256"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/fractl/fractl/internal/vendorcheck/gofile"
	"github.com/fractl/fractl/internal/vendorcheck/proof"
)

// vendored is everything below a vendor folder.
type vendored struct {
	dir string // the folder, absolute, links followed
	// files are what is no folder, but for modules.txt, sorted by path.
	files  []*vendoredFile
	byPath map[string]*vendoredFile
}

// vendoredFile is one file, or what stands in the place of one.
type vendoredFile struct {
	path string // relative to the vendor folder, with "/"
	mode fs.FileMode
	sum  proof.Hash
	info gofile.Info // of a Go file
	err  error       // it cannot be read
}

// readVendored reads all files below a vendor folder, in parallel.
func (c *checker) readVendored(dir string) (*vendored, error) {
	root, err := resolve(dir)
	if err != nil {
		return nil, unreadable(c.rel(dir), err)
	}
	v := &vendored{dir: root, byPath: make(map[string]*vendoredFile)}
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() || name == root {
			return c.ctx.Err()
		}
		rel := filepath.ToSlash(name[len(root)+1:])
		if rel == "modules.txt" {
			return nil
		}
		f := &vendoredFile{path: rel, mode: d.Type()}
		v.files = append(v.files, f)
		v.byPath[rel] = f
		return nil
	})
	if err != nil {
		return nil, unreadable(c.rel(dir), err)
	}
	// A few at a time: what is read is in the cache of the system mostly.
	work := make(chan []*vendoredFile, runtime.GOMAXPROCS(0))
	var g errgroup.Group
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			var buf []byte
			for batch := range work {
				for _, f := range batch {
					buf = f.read(root, buf)
				}
			}
			return nil
		})
	}
	const batch = 64
	for at := 0; at < len(v.files) && c.ctx.Err() == nil; at += batch {
		work <- v.files[at:min(at+batch, len(v.files))]
	}
	close(work)
	_ = g.Wait() // what cannot be read is in the files
	return v, c.ctx.Err()
}

// read reads the file below root, into buf where that is large enough.
func (f *vendoredFile) read(root string, buf []byte) []byte {
	if !f.mode.IsRegular() {
		return buf
	}
	file, err := os.Open(filepath.Join(root, filepath.FromSlash(f.path)))
	if err != nil {
		f.err = err
		return buf
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		f.err = err
		return buf
	}
	f.mode = info.Mode()
	if size := int(info.Size()) + 1; cap(buf) < size {
		buf = make([]byte, size+size/4)
	}
	buf = buf[:cap(buf)]
	n := 0
	for {
		if n == len(buf) {
			buf = append(buf, make([]byte, len(buf)+512)...)
		}
		m, err := file.Read(buf[n:])
		n += m
		if err != nil {
			break
		}
	}
	f.sum = sha256.Sum256(buf[:n])
	if strings.HasSuffix(f.path, ".go") {
		f.info = gofile.Read(buf[:n])
	}
	return buf
}
