package gitrepo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// Root is the work tree that holds a folder: the nearest above with .git; "" where
// there is none.
func Root(dir string) string {
	for {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

// Tracked are the paths in the index of a work tree, relative to its root. An
// error says that the index cannot be read; a work tree without one tracks
// nothing.
func Tracked(root string) (map[string]bool, error) {
	data, err := os.ReadFile(filepath.Join(gitDir(root), "index"))
	if errors.Is(err, os.ErrNotExist) {
		return map[string]bool{}, nil
	}
	if err != nil {
		return nil, err
	}
	return parseIndex(data)
}

// gitDir is the folder behind .git, which in a linked work tree is a file.
func gitDir(root string) string {
	name := filepath.Join(root, ".git")
	data, err := os.ReadFile(name)
	if err != nil {
		return name
	}
	dir, ok := strings.CutPrefix(strings.TrimSpace(string(data)), "gitdir: ")
	if !ok {
		return name
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(root, dir)
	}
	return dir
}

var errIndex = errors.New("malformed index")

// parseIndex reads the names in an index of version 2, 3 or 4, as gitformat-index(5)
// describes it.
func parseIndex(data []byte) (map[string]bool, error) {
	const head, fixed = 12, 62
	if len(data) < head || string(data[:4]) != "DIRC" {
		return nil, errIndex
	}
	version := binary.BigEndian.Uint32(data[4:])
	if version < 2 || version > 4 {
		return nil, errIndex
	}
	n := binary.BigEndian.Uint32(data[8:])
	names := make(map[string]bool, min(n, 1<<20))
	at, last := head, ""
	for range n {
		if len(data) < at+fixed {
			return nil, errIndex
		}
		start := at
		extended := version >= 3 && data[at+60]&0x40 != 0
		at += fixed
		if extended {
			at += 2
		}
		prefix := ""
		if version == 4 {
			strip, size := offset(data[min(at, len(data)):])
			if size == 0 || strip > uint64(len(last)) {
				return nil, errIndex
			}
			at += size
			prefix = last[:uint64(len(last))-strip]
		}
		end := bytes.IndexByte(data[min(at, len(data)):], 0)
		if end < 0 {
			return nil, errIndex
		}
		last = prefix + string(data[at:at+end])
		names[last] = true
		at += end + 1
		if version < 4 { // entries are padded to a multiple of eight
			at = start + (at-start+7)/8*8
		}
	}
	return names, nil
}

// offset reads a number in the encoding of pack offsets.
func offset(data []byte) (n uint64, size int) {
	for i, c := range data {
		if i > 8 {
			return 0, 0
		}
		if i > 0 {
			n++
		}
		n = n<<7 | uint64(c&0x7f)
		if c&0x80 == 0 {
			return n, i + 1
		}
	}
	return 0, 0
}
