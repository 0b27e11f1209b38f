// Package lock reads and writes fractl.lock, the record that a fraction keeps of
// what fractl made in it: the answers, whose each file is, and the text of each
// file as it was made, from which a later update merges three ways. It holds no
// date and no version, so that equal answers give equal bytes.
package lock

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/klauspost/compress/flate"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/scaffold"
)

// Lock is the content of a fractl.lock.
type Lock struct {
	// Schema is 1.
	Schema int `json:"schema"`
	// Templates is the digest of everything that the files were made from.
	Templates string `json:"templates"`
	// Answers are what a person chose; with the same templates they give the
	// same files.
	Answers Answers `json:"answers"`
	// Files are sorted by path once the lock has been marshalled.
	Files []File `json:"files"`
}

// Answers are the choices behind a fraction.
type Answers struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Module   string `json:"module"`
	Resource string `json:"resource"`
	// Pieces are all pieces of the fraction, in wiring order; one that has engines
	// to choose from stands there with its own, as in bus=redis.
	Pieces []string `json:"pieces"`
	// Auto are those of them that are there only because another needs them.
	Auto []string `json:"auto,omitempty"`
	// Migrations are the numbers of the migrations that pieces have added, by the
	// name of the piece.
	Migrations map[string]string `json:"migrations,omitempty"`
}

// File is one file as it was made.
type File struct {
	// Path is relative to the folder of the lock, with "/"; it begins with ../
	// for a contract or a workflow that stands outside of it.
	Path  string         `json:"path"`
	Owner scaffold.Owner `json:"owner"`
	// Executable is true for a file of mode 0755.
	Executable bool `json:"executable,omitempty"`
	// SHA256 is the hash of the text, in hexadecimal.
	SHA256 string `json:"sha256"`
	// Pristine is the text, compressed with DEFLATE (RFC 1951).
	Pristine []byte `json:"pristine"`
}

// Recorder makes the entries of a lock. It keeps the memory of its compressor
// from one to the next; it is for one goroutine.
type Recorder struct {
	packer *flate.Writer
	packed bytes.Buffer
}

// NewRecorder returns a recorder.
func NewRecorder() (*Recorder, error) {
	var r Recorder
	var err error
	// The compressor is one that go.mod pins: the bytes of the standard
	// library's may change from one Go release to the next.
	r.packer, err = flate.NewWriter(&r.packed, level)
	return &r, err
}

// level is the one of 1 to 9 beyond which sources get 2 percent smaller and take
// three times as long.
const level = 5

// Record makes the entry of a file.
func (r *Recorder) Record(name string, owner scaffold.Owner, mode fs.FileMode, text []byte) (File, error) {
	r.packed.Reset()
	r.packer.Reset(&r.packed)
	_, err := r.packer.Write(text)
	if err == nil {
		err = r.packer.Close()
	}
	if err != nil {
		return File{}, err
	}
	return File{Path: name, Owner: owner, Executable: mode&0o111 != 0,
		SHA256: scaffold.Hash(text), Pristine: bytes.Clone(r.packed.Bytes())}, nil
}

// Text returns the text of the file as it was made.
func (f File) Text() ([]byte, error) {
	text, err := io.ReadAll(flate.NewReader(bytes.NewReader(f.Pristine)))
	if err == nil && scaffold.Hash(text) != f.SHA256 {
		err = errors.New("does not have the hash that stands beside it")
	}
	if err != nil {
		return nil, fault.New(f.Path, "its pristine text in the lock is damaged: "+err.Error(), "take fractl.lock from version control")
	}
	return text, nil
}

// Marshal returns the lock as JSON: one line a file, sorted, so that a merge in
// version control meets as few lines as it can.
func (l *Lock) Marshal() ([]byte, error) {
	slices.SortFunc(l.Files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	var out bytes.Buffer
	answers, err := json.Marshal(l.Answers)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(&out, "{\n  \"schema\": %d,\n  \"templates\": %q,\n  \"answers\": %s,\n  \"files\": [", l.Schema, l.Templates, answers)
	for i, f := range l.Files {
		line, err := json.Marshal(f)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString("\n    ")
		out.Write(line)
	}
	out.WriteString("\n  ]\n}\n")
	return out.Bytes(), nil
}

// Parse reads a lock. name stands in errors.
func Parse(name string, data []byte) (*Lock, error) {
	var l Lock
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&l); err != nil {
		return nil, fault.At(name, lineOf(data, dec.InputOffset(), err), "is not a lock of fractl: "+err.Error(), "take it from version control")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fault.New(name, "has more after its end", "take it from version control")
	}
	if l.Schema != 1 {
		return nil, fault.New(name, fmt.Sprintf("schema %d is not one that this fractl reads", l.Schema), "install a newer fractl")
	}
	seen := map[string]bool{}
	for _, f := range l.Files {
		switch {
		case f.Path == "" || f.Path != path.Clean(f.Path) || path.IsAbs(f.Path) || strings.Contains(f.Path, `\`):
			return nil, fault.New(name, fmt.Sprintf("%q is no path of a file", f.Path), "take it from version control")
		case seen[f.Path]:
			return nil, fault.New(name, f.Path+" stands in it twice", "take it from version control")
		case f.Owner != scaffold.Generated && f.Owner != scaffold.Seeded:
			return nil, fault.New(name, fmt.Sprintf("%s: unknown owner %q", f.Path, f.Owner), "install a newer fractl")
		}
		seen[f.Path] = true
	}
	return &l, nil
}

// lineOf is the line of a decoding error, whose own offset is better than that
// of the decoder where it has one.
func lineOf(data []byte, offset int64, err error) int {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	}
	return 1 + bytes.Count(data[:min(int(offset), len(data))], []byte("\n"))
}
