// Package origin tells the code of a workspace from that of its dependencies.
package origin

import (
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// Foreign reports whether the package is one of a dependency's or of the
// standard library: it lies in the module cache or in a vendor folder. Its
// code is not ours to mend, and its functions leave no facts, so that every
// driver finds the same, whether or not it looks at dependencies.
//
// The folder decides and not the module's version, which the copies that a
// local replace points to have as well.
func Foreign(pass *analysis.Pass) bool {
	if m := pass.Module; m != nil && (m.Path == "std" || m.Path == "cmd") {
		return true
	}
	if len(pass.Files) == 0 {
		return true
	}
	dir := filepath.ToSlash(filepath.Dir(pass.Fset.File(pass.Files[0].FileStart).Name()))
	return slices.ContainsFunc(strings.Split(dir, "/"), func(part string) bool {
		// The module cache writes MODULE@VERSION.
		return part == "vendor" || strings.Contains(part, "@v")
	})
}
