// Package proof tells what the files of a module version are, as go.sum vouches
// for them.
//
// The hash that go.sum holds, "h1:", is that of a list: a line with the hash and
// the name of each file of the module, sorted (dirhash.Hash1 of
// golang.org/x/mod). So the list needs no trust, wherever it comes from: it is
// right if its own hash is that of go.sum, and then it proves each file alone.
// Such a list is a manifest. It comes from the module cache's folder or its zip,
// from a folder of manifests that were kept before, or from a file in the
// repository.
package proof

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/module"
)

// Hash is the SHA-256 of a file.
type Hash [sha256.Size]byte

// Content is the list of all files of a module version.
type Content struct {
	Mod module.Version
	// Files are the hashes by name within the module, with "/".
	Files map[string]Hash
	// Ignored are those of its Go files that no choice of build tags builds. The
	// hash does not cover it: it is what the list says, or nothing where Known
	// is false.
	Ignored map[string]bool
	Known   bool
	// Dir is the folder with the files themselves, where that was proven, or "".
	Dir string
}

// Names are the names of all files, sorted.
func (c *Content) Names() []string {
	names := make([]string, 0, len(c.Files))
	for name := range c.Files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// H1 is the hash of the content in the form of go.sum; "" where a name has a line
// break, by which one list could pass for another.
func (c *Content) H1() string {
	for name := range c.Files {
		if strings.Contains(name, "\n") {
			return ""
		}
	}
	return h1(c.text())
}

// text is what H1 is the hash of.
func (c *Content) text() []byte {
	prefix := c.Mod.String() + "/"
	// Sorted by the whole name, which is as by the name within the module.
	var b bytes.Buffer
	b.Grow(len(c.Files) * (2*sha256.Size + len(prefix) + 32))
	var digits [2 * sha256.Size]byte
	for _, name := range c.Names() {
		sum := c.Files[name]
		hex.Encode(digits[:], sum[:])
		b.Write(digits[:])
		b.WriteString("  ")
		b.WriteString(prefix)
		b.WriteString(name)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

func h1(text []byte) string {
	sum := sha256.Sum256(text)
	return "h1:" + base64.StdEncoding.EncodeToString(sum[:])
}

// A manifest is kept as text: a line for the module, then one for each file, of
// its hash in base64, a space and its name. An exclamation mark after the hash says
// that the file is ignored by every build.

// appendTo writes the manifest of the content.
func (c *Content) appendTo(b *bytes.Buffer) {
	fmt.Fprintf(b, "module %s %s\n", c.Mod.Path, c.Mod.Version)
	for _, name := range c.Names() {
		sum := c.Files[name]
		mark := " "
		if c.Ignored[name] {
			mark = "! "
		}
		b.WriteString(base64.RawStdEncoding.EncodeToString(sum[:]))
		b.WriteString(mark)
		b.WriteString(name)
		b.WriteByte('\n')
	}
}

// parse reads the lines of a manifest below the one for the module.
func parse(mod module.Version, lines string) (*Content, error) {
	c := &Content{Mod: mod, Files: make(map[string]Hash, strings.Count(lines, "\n")), Ignored: map[string]bool{}, Known: true}
	for line := range strings.Lines(lines) {
		digits, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		digits, ignored := strings.CutSuffix(digits, "!")
		raw, err := base64.RawStdEncoding.DecodeString(digits)
		if !ok || err != nil || len(raw) != sha256.Size {
			return nil, fmt.Errorf("malformed line about %s", mod)
		}
		if name == "" {
			return nil, fmt.Errorf("line without a name about %s", mod)
		}
		c.Files[name] = Hash(raw)
		if ignored {
			c.Ignored[name] = true
		}
	}
	return c, nil
}
