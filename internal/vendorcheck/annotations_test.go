package vendorcheck

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestNewestGo holds which go versions a note may name before the go command
// refuses it: those up to the toolchain that the build would run with.
func TestNewestGo(t *testing.T) {
	root := tree(t, map[string]string{"VERSION": "go1.24.3\n", "pkg/tool/x": "", "go.env": "GOTOOLCHAIN=auto\n"})
	tests := []struct {
		toolchain string // GOTOOLCHAIN
		lines     string // of go.mod
		noted     string
		refused   bool
	}{
		{"", "go 1.21", "1.24", false},
		{"", "go 1.21", "1.25", true},
		{"", "go 1.26", "1.25", false},
		{"", "go 1.21\n\ntoolchain go1.25.1", "1.25", false},
		{"local", "go 1.21\n\ntoolchain go1.25.1", "1.25", true},
		{"go1.26.1", "go 1.21", "1.26", false},
		{"go1.23.1", "go 1.21", "1.24", true},
		{"go1.23.1+auto", "go 1.21\n\ntoolchain go1.25.1", "1.25", false},
	}
	for _, tt := range tests {
		files := with(smallVendored,
			"go.mod", strings.Replace(smallVendored["go.mod"], "go 1.21", tt.lines, 1),
			"vendor/modules.txt", strings.Replace(smallVendored["vendor/modules.txt"], "1.20", tt.noted, 1))
		dir := tree(t, files)
		r, err := Check(t.Context(), load(t, dir), Options{Environ: []string{"GOROOT=" + filepath.ToSlash(root), "GOTOOLCHAIN=" + tt.toolchain, "GOENV=off"}})
		if err != nil {
			t.Fatal(err)
		}
		refused := slices.ContainsFunc(brief(r.Findings), func(line string) bool { return strings.Contains(line, "newer than the toolchain's") })
		if refused != tt.refused {
			t.Errorf("%+v: %v\n%s", tt, refused, strings.Join(brief(r.Findings), "\n"))
		}
	}
}
