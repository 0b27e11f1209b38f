package analyzerdoc

import (
	"strings"
	"testing"
)

func TestExtract(t *testing.T) {
	const src = `// Package p does things.
//
// # Analyzer p
//
// p: finds things
//
// More about it.
//
// # Wrong
//
//	x()
package p
`
	got, err := Extract(src, "p")
	if err != nil {
		t.Fatal(err)
	}
	if want := "finds things\n\nMore about it.\n\n# Wrong\n\n\tx()"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestExtractErrors(t *testing.T) {
	for _, tc := range []struct{ src, want string }{
		{"package p", "no package comment"},
		{"// Package p.\npackage p", `no heading "# Analyzer p"`},
		{"// Package p.\n//\n// # Analyzer p\n//\n// finds things\npackage p", `does not begin with "p: "`},
		{"// Package", "expected 'package'"},
	} {
		_, err := Extract(tc.src, "p")
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("Extract(%q): error %v, want %q", tc.src, err, tc.want)
		}
	}
}
