package finding

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// everyKind has what formats stumble over: letters of several bytes, signs that need
// escapes, a finding about no line, one of several lines.
func everyKind(t *testing.T) *Report {
	t.Helper()
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "größe, 1.go"), []byte("package p\n\nvar ä, b = 1, 2\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	return &Report{
		Command: "vet", Root: root, Dir: root, Version: "v1.2.3", MinSeverity: Warning, Suppressed: 1,
		Rules: []RuleText{
			{Name: "alpha", Summary: "finds <alphas>", Text: "Alphas & more.", URL: "https://example.com/alpha", Severity: Error},
			{Name: "beta", Summary: "finds betas", Text: "Betas.", Severity: Warning},
		},
		Findings: []Finding{
			{Rule: "beta", Severity: Warning, File: "go.mod", Message: "50% of it,\nat least: all"},
			{
				Rule: "alpha", Severity: Error, File: "größe, 1.go", Line: 3, Column: 9, EndLine: 3, EndColumn: 10, Fraction: "auth",
				Message: "b is <bad> & \"worse\"", Hint: "drop it", Fingerprint: "0011",
				Related: []Related{{"go.mod", 1, "first"}, {"größe, 1.go", 1, "second"}},
				Fixes:   []Fix{{Message: "Drop b", Edits: []Edit{{File: "größe, 1.go", Start: 17, End: 20}, {File: "größe, 1.go", Start: 25, End: 28, New: []byte("0")}}}},
			},
			{Rule: "alpha", Severity: Note, File: "größe, 1.go", Line: 1, Column: 1, EndLine: 3, EndColumn: 2, Message: "a note"},
		},
		SuppressedFindings: []Suppressed{{Finding{Rule: "beta", Severity: Warning, File: "a.go", Line: 2, Column: 1, Message: "known"}, "it goes away"}},
	}
}

func render(t *testing.T, name string, r *Report) string {
	t.Helper()
	f, err := FormatNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	var one, two bytes.Buffer
	if _, err := f.Write(&one, r); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(&two, r); err != nil || one.String() != two.String() {
		t.Errorf("%s: twice is not the same (%v)", name, err)
	}
	return one.String()
}

// TestSARIF holds the log to the schema of OASIS, and to what code scanners read
// of it.
func TestSARIF(t *testing.T) {
	text := render(t, "sarif", everyKind(t))
	validate(t, text)
	var doc sarifLog
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	run := doc.Runs[0]
	if len(run.Results) != 4 || len(run.Tool.Driver.Rules) != 2 {
		t.Fatalf("%d results, %d rules", len(run.Results), len(run.Tool.Driver.Rules))
	}
	b := run.Results[1]
	region := b.Locations[0].Physical.Region
	if region.StartColumn != 8 || region.EndColumn != 9 {
		t.Errorf("columns %d to %d, want code points 8 to 9", region.StartColumn, region.EndColumn)
	}
	if uri := b.Locations[0].Physical.Artifact.URI; uri != "gr%C3%B6%C3%9Fe,%201.go" {
		t.Errorf("URI %s", uri)
	}
	if *b.RuleIndex != 0 || b.PartialFingerprints["fractl/v1"] != "0011" || len(b.CodeFlows[0].ThreadFlows[0].Locations) != 3 || len(b.Fixes[0].Changes[0].Replacements) != 2 {
		t.Errorf("not whole: %+v", b)
	}
	if run.Results[0].Locations[0].Physical.Region != nil {
		t.Error("a region of no line")
	}
	if s := run.Results[3].Suppressions; len(s) != 1 || s[0].Justification != "it goes away" {
		t.Errorf("suppressions %+v", s)
	}
	validate(t, render(t, "sarif", &Report{Command: "vendor-check"}))
}

// validate holds a log to the schema that OASIS publishes (docs.oasis-open.org,
// sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json).
func validate(t *testing.T, text string) {
	t.Helper()
	c := jsonschema.NewCompiler()
	schema, err := c.Compile("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestGitHub(t *testing.T) {
	want := strings.Join([]string{
		"::warning file=go.mod,title=fractl beta::50%25 of it,%0Aat least: all",
		`::error file=größe%2C 1.go,line=3,col=9,endColumn=10,title=fractl alpha::b is <bad> & "worse"; hint: drop it`,
		"",
	}, "\n")
	if got := render(t, "github", everyKind(t)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestCheckstyle(t *testing.T) {
	text := render(t, "checkstyle", everyKind(t))
	var doc checkstyle
	if err := xml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Files) != 2 || doc.Files[1].Name != "größe, 1.go" || doc.Files[1].Errors[0].Message != `b is <bad> & "worse"; hint: drop it` || doc.Files[1].Errors[0].Source != "fractl.alpha" {
		t.Errorf("%+v", doc)
	}
	if !strings.HasPrefix(text, `<?xml version="1.0" encoding="UTF-8"?>`+"\n<checkstyle version=\"4.3\">") {
		t.Error(text)
	}
}
