package chanleak

import (
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"
)

func TestChanLeak(t *testing.T) {
	analysistest.Run(t, analysistest.TestData(), Analyzer, "a", "behind", "gen", "prog", "more", "more/lib")
}

// The category decides the severity; want comments do not show it.
func TestCategories(t *testing.T) {
	seen := make(map[string]bool)
	for _, res := range analysistest.Run(t, analysistest.TestData(), Analyzer, "a", "behind", "gen", "prog", "more", "more/lib") {
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
