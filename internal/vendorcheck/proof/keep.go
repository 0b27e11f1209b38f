package proof

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/module"
)

// kept reads the manifest that was kept of a module; nil where there is none.
func (v *Vault) kept(mod module.Version) (*Content, error) {
	name, err := v.keptName(mod)
	if err != nil || name == "" {
		return nil, err
	}
	data, err := os.ReadFile(name)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			err = nil
		}
		return nil, err
	}
	head, rest, _ := strings.Cut(string(data), "\n")
	if head != fmt.Sprintf("module %s %s", mod.Path, mod.Version) {
		return nil, fmt.Errorf("%s is of another module", name)
	}
	return parse(mod, rest)
}

// Keep keeps the manifest of a content in the folder for that.
func (v *Vault) Keep(c *Content) error {
	name, err := v.keptName(c.Mod)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	c.appendTo(&b)
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, b.Bytes()) {
		return nil
	}
	return writeFile(name, b.Bytes())
}

func (v *Vault) keptName(mod module.Version) (string, error) {
	if v.Kept == "" {
		return "", nil
	}
	path, err := module.EscapePath(mod.Path)
	if err != nil {
		return "", err
	}
	version, err := module.EscapeVersion(mod.Version)
	if err != nil {
		return "", err
	}
	return filepath.Join(v.Kept, filepath.FromSlash(path)+"@"+version), nil
}

// writeFile writes a file so that others see all of it or nothing.
func writeFile(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".manifest-")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

// File is a file of manifests in a repository.
type File struct {
	sections map[module.Version]string
}

// fileHead is the first line of such a file.
const fileHead = "# Hashes of the files of vendored modules. Each list proves itself against go.sum.\n"

// ReadFile reads a file of manifests. Its error names what is wrong with it, and
// is os.ErrNotExist where there is none.
func ReadFile(name string) (*File, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return parseFile(string(data))
}

func parseFile(text string) (*File, error) {
	text, ok := strings.CutPrefix(text, fileHead)
	if !ok {
		return nil, errors.New("not a file of manifests: its first line is another")
	}
	f := &File{sections: map[module.Version]string{}}
	for text != "" {
		head, rest, _ := strings.Cut(text, "\n")
		words := strings.Split(head, " ")
		if len(words) != 3 || words[0] != "module" {
			return nil, fmt.Errorf("%q is not the line of a module", head)
		}
		end := len(rest)
		if strings.HasPrefix(rest, "module ") {
			end = 0
		} else if at := strings.Index(rest, "\nmodule "); at >= 0 {
			end = at + 1
		}
		f.sections[module.Version{Path: words[1], Version: words[2]}] = rest[:end]
		text = rest[end:]
	}
	return f, nil
}

// content is the list of a module in the file; nil where it has none.
func (f *File) content(mod module.Version) (*Content, error) {
	if f == nil {
		return nil, nil
	}
	lines, ok := f.sections[mod]
	if !ok {
		return nil, nil
	}
	return parse(mod, lines)
}

// Format is the text of a file of manifests for some contents.
func Format(list []*Content) []byte {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b *Content) int { return strings.Compare(a.Mod.String(), b.Mod.String()) })
	var b bytes.Buffer
	b.WriteString(fileHead)
	for _, c := range list {
		c.appendTo(&b)
	}
	return b.Bytes()
}

// WriteFile writes a file of manifests.
func WriteFile(name string, list []*Content) error { return writeFile(name, Format(list)) }
