package vet

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
)

// buildID begins and ends the linker's build ID in a program, which stands in
// its first bytes; see cmd/internal/buildid.
var buildIDStart, buildIDEnd = []byte("\xff Go build ID: \""), []byte("\"\n \xff")

// program identifies this program: what another version finds is another
// result. The build ID, a hash of the program's contents, saves reading it all.
func program() (string, error) {
	name, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	head := make([]byte, 64<<10)
	n, err := io.ReadFull(f, head)
	if err != nil && n == 0 {
		return "", err
	}
	if _, rest, ok := bytes.Cut(head[:n], buildIDStart); ok {
		if id, _, ok := bytes.Cut(rest, buildIDEnd); ok && bytes.Count(id, []byte("/")) == 3 {
			return string(id), nil
		}
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
