package lsp

import (
	"bytes"
	"slices"

	"github.com/fractl/fractl/internal/finding"
)

// drift carries findings from one text of a file to a later one: what stands
// above or below the lines that have changed is where it was, or has moved with
// them; what stands in them is gone, and all fixes are.
func drift(list []finding.Finding, from, to []byte) []finding.Finding {
	old, now := bytes.Split(from, []byte("\n")), bytes.Split(to, []byte("\n"))
	above := 0
	for above < min(len(old), len(now)) && bytes.Equal(old[above], now[above]) {
		above++
	}
	below := 0
	for below < min(len(old), len(now))-above && bytes.Equal(old[len(old)-1-below], now[len(now)-1-below]) {
		below++
	}
	var moved []finding.Finding
	for _, f := range list {
		switch {
		case f.EndLine <= above:
		case f.Line > len(old)-below:
			f.Line += len(now) - len(old)
			f.EndLine += len(now) - len(old)
		default:
			continue
		}
		f.Fixes = nil
		f.Related = slices.Clone(f.Related)
		moved = append(moved, f)
	}
	return moved
}
