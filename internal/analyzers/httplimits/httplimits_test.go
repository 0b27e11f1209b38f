package httplimits

import (
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"
)

func TestHTTPLimits(t *testing.T) {
	analysistest.Run(t, analysistest.TestData(), Analyzer, "a", "stream", "made", "made/lib", "proxied/gate", "proxied/free")
}

// The category decides the severity; want comments do not show it.
func TestCategories(t *testing.T) {
	seen := make(map[string]bool)
	for _, res := range analysistest.Run(t, analysistest.TestData(), Analyzer, "a", "stream", "made", "made/lib", "proxied/gate", "proxied/free") {
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
