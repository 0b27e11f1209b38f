package replacedrift

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/fractl/fractl/internal/workspace"
)

func TestAnalyzer(t *testing.T) {
	t.Setenv("GOFLAGS", "")
	t.Setenv("GOWORK", "")
	analysistest.Run(t, analysistest.TestData(), Analyzer, "drift", "drift/sub", "agree", "plain", "work/a", "work/b/inner")
}

// TestScan holds that the repository is told once, at the directive.
func TestScan(t *testing.T) {
	t.Setenv("GOFLAGS", "")
	t.Setenv("GOWORK", "")
	for folder, want := range map[string][]string{
		"drift": {"go.mod:7:1"},
		"agree": nil,
		"plain": nil,
		"work":  {"go.work:8:1"},
	} {
		root, err := filepath.EvalSymlinks(filepath.Join(analysistest.TestData(), "src", folder))
		if err != nil {
			t.Fatal(err)
		}
		ws, err := workspace.Load(root)
		if err != nil {
			t.Fatal(err)
		}
		list, err := Scan(context.Background(), ws)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range list {
			got = append(got, fmt.Sprintf("%s:%d:%d", f.File, f.Line, f.Column))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", folder, got, want)
		}
	}
}
