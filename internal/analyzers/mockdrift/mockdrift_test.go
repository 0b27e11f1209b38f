package mockdrift

import (
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"
)

func TestMockDrift(t *testing.T) {
	seen := make(map[string]bool)
	for _, res := range analysistest.Run(t, analysistest.TestData(), Analyzer, "a", "b") {
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
