package cache

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/fractl/fractl/internal/fault"
)

// DefaultSize is how many bytes a folder holds before the least recently used
// entries go.
const DefaultSize = 1 << 30

// Folder keeps entries as files.
type Folder struct {
	dir   string
	limit int64
	// written counts the bytes of this process.
	written atomic.Int64
}

// NewFolder returns the store in dir, which need not exist yet. limit is its
// size in bytes.
func NewFolder(dir string, limit int64) *Folder { return &Folder{dir: dir, limit: limit} }

func (f *Folder) file(key Key) string {
	name := key.String()
	return filepath.Join(f.dir, name[:2], name)
}

// fresh is how exactly the time of the last use is kept: marking each use would
// make every reader a writer.
const fresh = time.Hour

// Get implements Store. A folder that cannot be read has no entries.
func (f *Folder) Get(_ context.Context, key Key) ([]byte, error) {
	name := f.file(key)
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, ErrAbsent
	}
	if info, err := os.Stat(name); err == nil && time.Since(info.ModTime()) > fresh {
		now := time.Now()
		_ = os.Chtimes(name, now, now) // the entry only looks older than it is
	}
	return data, nil
}

// Put implements Store.
func (f *Folder) Put(_ context.Context, key Key, entry []byte) error {
	name := f.file(key)
	dir := filepath.Dir(name)
	tmp, err := os.CreateTemp(dir, ".new-*")
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return f.unwritable(err)
		}
		tmp, err = os.CreateTemp(dir, ".new-*")
	}
	if err != nil {
		return f.unwritable(err)
	}
	_, err = tmp.Write(entry)
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
		return f.unwritable(err)
	}
	f.written.Add(int64(len(entry)))
	return nil
}

func (f *Folder) unwritable(err error) error {
	cause := err
	if path := new(fs.PathError); errors.As(err, &path) {
		cause = path.Err
	}
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		cause = errno
	}
	return fault.New("cache "+f.dir, "cannot be written: "+cause.Error(), "give another folder with --cache DIR, or --cache off")
}

// trimmed is the file whose time says when the folder was last looked through.
const trimmed = "trim"

// Close drops the least recently used entries where there are too many. It
// looks through the folder once an hour, or when a run has written much.
func (f *Folder) Close() error {
	if f.written.Load() == 0 {
		return nil
	}
	mark := filepath.Join(f.dir, trimmed)
	if info, err := os.Stat(mark); err == nil && time.Since(info.ModTime()) < fresh && f.written.Load() < f.limit/8 {
		return nil
	}
	f.trim()
	_ = os.WriteFile(mark, nil, 0o666) // without it the next run looks again
	return nil
}

// trim brings the folder down to nine tenths of its limit, so that not every
// run has to. Another process may do the same at that time: a file that is gone
// is what both want.
func (f *Folder) trim() {
	type entry struct {
		name string
		size int64
		used time.Time
	}
	var list []entry
	var total int64
	_ = filepath.WalkDir(f.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Dir(name) == f.dir {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		// What a process that was killed has left half written.
		if d.Name()[0] == '.' && time.Since(info.ModTime()) > fresh {
			_ = os.Remove(name)
			return nil
		}
		list = append(list, entry{name, info.Size(), info.ModTime()})
		total += info.Size()
		return nil
	})
	if total <= f.limit {
		return
	}
	slices.SortFunc(list, func(a, b entry) int { return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.name, b.name)) })
	for _, e := range list {
		if total <= f.limit/10*9 {
			return
		}
		_ = os.Remove(e.name)
		total -= e.size
	}
}
