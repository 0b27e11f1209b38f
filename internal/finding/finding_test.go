package finding

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sample() []Finding {
	return []Finding{
		{Rule: "timerleak", Severity: Warning, File: "auth/b.go", Line: 9, Column: 2, EndLine: 9, EndColumn: 8, Fraction: "auth", Message: "ticker is never stopped"},
		{Rule: "crossimport", Severity: Error, File: "auth/b.go", Line: 3, Column: 2, EndLine: 3, EndColumn: 20, Fraction: "auth", Message: "imports <order>", Hint: "call it",
			Related: []Related{{"auth/go.mod", 4, "required here"}}, Fixes: []Fix{{Message: "x"}}},
		{Rule: "modulestxt", Severity: Note, File: "auth/vendor/modules.txt", Message: "missing"},
	}
}

// TestSort holds that the order of arrival does not show.
func TestSort(t *testing.T) {
	want := Sort(append(sample(), sample()...))
	if len(want) != 3 || want[0].Line != 3 {
		t.Fatalf("sorted: %+v", want)
	}
	for seed := range uint64(50) {
		list := append(sample(), sample()...)
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		if diff := cmp.Diff(want, Sort(list)); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestFormats(t *testing.T) {
	r := &Report{Command: "vet", Root: "/w", Dir: "/w/auth", Findings: Sort(sample()), Suppressed: 2, MinSeverity: Warning}
	for _, f := range Formats() {
		t.Run(f.Name, func(t *testing.T) {
			var b bytes.Buffer
			omitted, err := f.Write(&b, r)
			if err != nil {
				t.Fatal(err)
			}
			switch f.Name {
			case "text":
				want := "b.go:3:2: imports <order> (crossimport)\nb.go:9:2: ticker is never stopped (timerleak)\n"
				if b.String() != want || omitted != 1 {
					t.Errorf("omitted %d\n%s", omitted, b.String())
				}
			case "json":
				if omitted != 0 || !strings.Contains(b.String(), `"message": "imports <order>"`) {
					t.Errorf("omitted %d\n%s", omitted, b.String())
				}
				var v struct {
					Schema   int
					Findings []struct {
						Fixable bool
						Related []Related
					}
					Summary map[string]int
				}
				if err := json.Unmarshal(b.Bytes(), &v); err != nil {
					t.Fatal(err)
				}
				want := map[string]int{"error": 1, "warning": 1, "note": 1, "suppressed": 2, "baselined": 0}
				if diff := cmp.Diff(want, v.Summary); diff != "" || v.Schema != 1 || !v.Findings[0].Fixable || v.Findings[1].Related == nil {
					t.Errorf("%s%s", diff, b.String())
				}
			case "sarif", "github", "checkstyle":
				// What each of them holds is tested in format_test.go.
				if all := omitted == 0; all != f.All || !strings.Contains(b.String(), "timerleak") {
					t.Errorf("omitted %d\n%s", omitted, b.String())
				}
			default:
				t.Errorf("no case for format %s", f.Name)
			}
		})
	}
	// An empty report is a list, never null.
	var b bytes.Buffer
	if err := writeJSON(&b, &Report{Command: "vet"}); err != nil || !strings.Contains(b.String(), `"findings": []`) {
		t.Errorf("%v %s", err, b.String())
	}
}

func TestFingerprints(t *testing.T) {
	lines := map[string][]string{"auth/b.go": {"", "", "import \"x\"", "", "", "", "", "", "t := time.NewTicker(d)", "t := time.NewTicker(d)"}}
	text := func(shift int) func(string, int) string {
		return func(_ string, n int) string { return lines["auth/b.go"][n-1-shift] }
	}
	list := Sort(append(sample(), Finding{Rule: "timerleak", File: "auth/b.go", Line: 10, Fraction: "auth", Message: "ticker is never stopped"}))
	Fingerprints(list, text(0))
	prints := func(l []Finding) (p []string) {
		for _, f := range l {
			p = append(p, f.Fingerprint)
		}
		return p
	}
	before := prints(list)
	if sorted := slices.Compact(slices.Sorted(slices.Values(before))); len(sorted) != len(list) {
		t.Errorf("two findings share a fingerprint: %v", before)
	}
	// A thousand lines above, and another name: the same fingerprints.
	moved := slices.Clone(list)
	for i := range moved {
		if moved[i].Line > 0 {
			moved[i].Line += 1000
			moved[i].File = "auth/renamed.go"
		}
	}
	Fingerprints(moved, text(1000))
	if diff := cmp.Diff(before, prints(moved)); diff != "" {
		t.Error(diff)
	}
}
