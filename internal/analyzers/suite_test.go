package analyzers

import (
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/analysis"
)

// TestSuite holds the list to the folders on disk, and each rule to what a
// user is promised: a name, a text with all its parts, a URL, test data.
func TestSuite(t *testing.T) {
	var names []string
	var list []*analysis.Analyzer
	for _, r := range Suite() {
		names = append(names, r.Name())
		list = append(list, r.Analyzer)
		t.Run(r.Name(), func(t *testing.T) {
			a := r.Analyzer
			if r.Severity == 0 {
				t.Error("no severity")
			}
			if !strings.HasSuffix(a.URL, "/"+a.Name) {
				t.Errorf("URL %q does not end in the name", a.URL)
			}
			summary, rest, _ := strings.Cut(a.Doc, "\n")
			if summary == "" || len(summary) > 100 || strings.HasSuffix(summary, ".") {
				t.Errorf("summary %q: want one line of at most 100 letters without a period", summary)
			}
			before := 0
			for _, part := range []string{"\n# Why\n", "\n# Wrong\n", "\n# Right\n", "\n# When not\n", "\n# Suppress\n"} {
				at := strings.Index(rest, part)
				if at < 0 {
					t.Errorf("doc.go has no section %q", strings.TrimSpace(part))
				} else if at < before {
					t.Errorf("doc.go has section %q out of its order", strings.TrimSpace(part))
				}
				before = max(before, at)
			}
			if data, err := os.ReadDir(a.Name + "/testdata"); err != nil || len(data) == 0 {
				t.Errorf("no test data: %v", err)
			}
		})
	}
	if err := analysis.Validate(list); err != nil {
		t.Error(err)
	}
	if !slices.IsSorted(names) {
		t.Errorf("Suite is not sorted by name: %v", names)
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var folders []string
	for _, e := range entries {
		if e.IsDir() && e.Name() != "internal" {
			folders = append(folders, e.Name())
		}
	}
	if !slices.Equal(folders, names) {
		t.Errorf("folders %v, Suite %v: list each rule once", folders, names)
	}
}
