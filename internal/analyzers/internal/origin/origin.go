// Package origin tells the code of a workspace from that of its dependencies.
package origin

import (
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// Foreign reports whether the package is one of a dependency's or of the
// standard library: it lies in the module cache or in a vendor folder. Its
// code is not ours to mend, and its functions leave no facts, so that every
// driver finds the same, whether or not it looks at dependencies.
//
// The folder decides and not the module's version alone, which the copies that a
// local replace points to have as well; and the folder alone does not either: a
// checkout may lie below a folder called vendor, or job@v2.
func Foreign(pass *analysis.Pass) bool {
	m := pass.Module
	if m != nil && (m.Path == "std" || m.Path == "cmd") {
		return true
	}
	if len(pass.Files) == 0 {
		return true
	}
	dir := filepath.ToSlash(filepath.Dir(pass.Fset.File(pass.Files[0].FileStart).Name())) + "/"
	if strings.HasSuffix(dir, "/vendor/"+pass.Pkg.Path()+"/") {
		return true
	}
	// The module cache writes MODULE@VERSION.
	return m != nil && m.Version != "" && strings.Contains(dir, "@"+m.Version+"/")
}
