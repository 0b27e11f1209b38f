package ctxbreak

import (
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"
)

var packages = []string{"a", "derived", "more", "chain", "pathlib", "field", "cancel", "cancel/lib", "over", "request", "shadow", "stands", "handed"}

func TestCtxBreak(t *testing.T) {
	analysistest.RunWithSuggestedFixes(t, analysistest.TestData(), Analyzer, packages...)
}

// The category decides the severity; want comments do not show it.
func TestCategories(t *testing.T) {
	seen := make(map[string]bool)
	for _, res := range analysistest.Run(t, analysistest.TestData(), Analyzer, packages...) {
		for _, d := range res.Diagnostics {
			seen[d.Category] = true
		}
	}
	for category := range Severities() {
		if !seen[label(category)] {
			t.Errorf("nothing of category %s", category)
		}
	}
}
