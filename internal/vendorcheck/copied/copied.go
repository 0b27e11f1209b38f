// Package copied tells which files of a module 'go mod vendor' copies.
//
// The rules are those of cmd/go/internal/modcmd/vendor.go, Go 1.13 to 1.27:
// every regular file of the folder of a package, but for tests, for go.mod and
// go.sum, and for Go files that no build includes; what the package embeds; and
// the licences and such of the folders above it.
package copied

import (
	"path"
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/vendorcheck/gofile"
)

// Module is a module of which packages are vendored.
type Module struct {
	// Names are its files, sorted, with "/".
	Names []string
	// Packages are the folders of the packages, "." for that of the module.
	Packages []string
	// Read tells about one of its Go files; ok is false where that is not known.
	Read func(name string) (info gofile.Info, ok bool)
	// KeepModFiles is true where go.mod and go.sum are copied: below go 1.17.
	KeepModFiles bool
	// TestEmbeds is true where what tests embed is copied: below go 1.22.
	TestEmbeds bool
}

// Files returns the names that are copied, each with whether that is certain: it
// is not for a Go file of which nothing is known.
func (m *Module) Files() map[string]bool {
	folders := make(map[string][]string) // names by folder
	for _, name := range m.Names {
		dir := path.Dir(name)
		folders[dir] = append(folders[dir], name)
	}
	files := make(map[string]bool)
	above := make(map[string]bool)
	for _, pkg := range m.Packages {
		for _, name := range folders[pkg] {
			if copied, certain := m.inPackage(name); copied {
				files[name] = files[name] || certain
			}
		}
		m.embedded(pkg, folders[pkg], files)
		for dir := pkg; dir != "." && !above[dir]; {
			above[dir] = true
			dir = path.Dir(dir)
			for _, name := range folders[dir] {
				if isMetadata(path.Base(name)) {
					files[name] = true
				}
			}
		}
	}
	return files
}

// inPackage reports whether a file of a package's folder is copied.
func (m *Module) inPackage(name string) (copied, certain bool) {
	base := path.Base(name)
	switch {
	case strings.HasSuffix(base, "_test.go"):
		return false, true
	case base == "go.mod" || base == "go.sum":
		return m.KeepModFiles, true
	case strings.HasSuffix(base, ".go"):
		info, ok := m.Read(name)
		return !ok || !info.Ignored, ok
	}
	return true, true
}

// metadata are the beginnings of names that are copied from folders above.
var metadata = [...]string{"AUTHORS", "CONTRIBUTORS", "COPYLEFT", "COPYING", "COPYRIGHT", "LEGAL", "LICENSE", "NOTICE", "PATENTS"}

func isMetadata(base string) bool {
	return slices.ContainsFunc(metadata[:], func(prefix string) bool { return strings.HasPrefix(base, prefix) })
}

// embedded adds what the Go files of a package embed. Those that no build
// includes count as well, beside one that is built.
func (m *Module) embedded(pkg string, names []string, files map[string]bool) {
	for _, name := range names {
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") && !m.TestEmbeds {
			continue
		}
		info, _ := m.Read(name)
		for _, pattern := range info.Embeds {
			pattern, all := strings.CutPrefix(pattern, "all:")
			for _, found := range m.match(pkg, pattern, all) {
				files[found] = true
			}
		}
	}
}

// match returns the files that a pattern takes in.
func (m *Module) match(pkg, pattern string, all bool) (list []string) {
	prefix := ""
	if pkg != "." {
		prefix = pkg + "/"
	}
	start, _ := slices.BinarySearch(m.Names, prefix)
	for _, name := range m.Names[start:] {
		rel, ok := strings.CutPrefix(name, prefix)
		if !ok {
			break
		}
		if taken(rel, pattern, all) && !m.otherModule(prefix, rel) {
			list = append(list, name)
		}
	}
	return list
}

// taken reports whether a pattern takes in a file: by its own name, or by that
// of a folder above it, of which names that begin with . or _ are left out.
func taken(rel, pattern string, all bool) bool {
	if ok, _ := path.Match(pattern, rel); ok {
		return true
	}
	for dir := path.Dir(rel); ; dir = path.Dir(dir) {
		if ok, _ := path.Match(pattern, dir); ok {
			below := rel
			if dir != "." {
				below = rel[len(dir)+1:]
			}
			return all || !slices.ContainsFunc(strings.Split(below, "/"), func(e string) bool { return e[0] == '.' || e[0] == '_' })
		}
		if dir == "." {
			return false
		}
	}
}

// otherModule reports whether a file below a package lies in a module of its own.
func (m *Module) otherModule(prefix, rel string) bool {
	for dir := path.Dir(rel); dir != "."; dir = path.Dir(dir) {
		if _, ok := slices.BinarySearch(m.Names, prefix+dir+"/go.mod"); ok {
			return true
		}
	}
	return false
}
