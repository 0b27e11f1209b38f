package finding

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestIgnoresInGo(t *testing.T) {
	src := strings.Join([]string{
		"package p", // 1
		"",
		"//fractl:ignore timerleak the process ends with it", // 3
		"var a = 1",
		"var b = 2 //fractl:ignore ctxlessdb one-off tool", // 5
		"//fractl:ignore timerleak first",                  // 6
		"//fractl:ignore ctxlessdb second",                 // 7
		"var c = `//fractl:ignore in a string`",
		"//fractl:ignore",           // 9
		"//fractl:ignore timerleak", // 10
		"//fractl:ignored nothing of ours",
		"// fractl:ignore timerleak with a space", // 12
		"/* //fractl:ignore timerleak in a block */",
		"//\t//fractl:ignore timerleak in documentation",
		"var d = `", // 15
		"` //fractl:ignore timerleak after a raw string",
	}, "\n")
	want := []Ignore{
		{File: "p.go", Line: 3, Column: 1, EndColumn: 51, Rule: "timerleak", Reason: "the process ends with it", Target: 4},
		{File: "p.go", Line: 5, Column: 11, EndColumn: 49, Rule: "ctxlessdb", Reason: "one-off tool", Target: 5},
		{File: "p.go", Line: 6, Column: 1, EndColumn: 32, Rule: "timerleak", Reason: "first", Target: 8},
		{File: "p.go", Line: 7, Column: 1, EndColumn: 33, Rule: "ctxlessdb", Reason: "second", Target: 8},
		{File: "p.go", Line: 9, Column: 1, EndColumn: 16, Target: 11},
		{File: "p.go", Line: 10, Column: 1, EndColumn: 26, Rule: "timerleak", Target: 11},
		{File: "p.go", Line: 12, Column: 1, EndColumn: 40, Rule: "timerleak", Reason: "with a space", Target: 13, Spaced: true},
		{File: "p.go", Line: 16, Column: 3, EndColumn: 47, Rule: "timerleak", Reason: "after a raw string", Target: 16},
	}
	if diff := cmp.Diff(want, IgnoresInGo("p.go", []byte(src))); diff != "" {
		t.Error(diff)
	}
}

func TestIgnoresInMod(t *testing.T) {
	src := "module m\n\n// fractl:ignore replacedrift vendored by hand\nreplace a => ./a\nreplace b => ./b //fractl:ignore replacedrift the same\n"
	want := []Ignore{
		{File: "go.mod", Line: 3, Column: 1, EndColumn: 47, Rule: "replacedrift", Reason: "vendored by hand", Target: 4},
		{File: "go.mod", Line: 5, Column: 18, EndColumn: 55, Rule: "replacedrift", Reason: "the same", Target: 5},
	}
	if diff := cmp.Diff(want, IgnoresInMod("go.mod", []byte(src))); diff != "" {
		t.Error(diff)
	}
}

func TestIgnoresInSQL(t *testing.T) {
	src := "--fractl:ignore crossschema a report\nSELECT 1;\nSELECT 2; -- fractl:ignore crossschema the same\n-- nothing\n"
	want := []Ignore{
		{File: "q.sql", Line: 1, Column: 1, EndColumn: 37, Rule: "crossschema", Reason: "a report", Target: 2},
		{File: "q.sql", Line: 3, Column: 11, EndColumn: 48, Rule: "crossschema", Reason: "the same", Target: 3},
	}
	if diff := cmp.Diff(want, IgnoresInSQL("q.sql", []byte(src))); diff != "" {
		t.Error(diff)
	}
}

func TestSuppress(t *testing.T) {
	ignores := []Ignore{
		{File: "p.go", Line: 3, Target: 4, Rule: "a", Reason: "why"},
		{File: "p.go", Line: 8, Target: 8, Rule: "a", Reason: "why"},
		{File: "p.go", Line: 20, Target: 21, Rule: "a"},
		{File: "p.go", Line: 30, Target: 31, Rule: "a", Reason: "why"},
	}
	list := []Finding{
		{Rule: "a", File: "p.go", Line: 4},
		{Rule: "b", File: "p.go", Line: 4},
		{Rule: "a", File: "q.go", Line: 4},
		{Rule: "a", File: "p.go", Line: 8},
		{Rule: "a", File: "p.go", Line: 9},  // after a trailing comment
		{Rule: "a", File: "p.go", Line: 21}, // no reason
	}
	kept, dropped, used := Suppress(list, ignores)
	if len(dropped) != len(list)-len(kept) || dropped[0].Reason != "why" {
		t.Errorf("dropped %v", dropped)
	}
	if diff := cmp.Diff([]Finding{list[1], list[2], list[4], list[5]}, kept); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]bool{true, true, false, false}, used); diff != "" {
		t.Error(diff)
	}
}

// FuzzParseIgnore holds that what is read is read the same again when it is
// written down, in Go files and in module files.
func FuzzParseIgnore(f *testing.F) {
	for _, s := range []string{"//fractl:ignore a b", "// fractl:ignore  a\tb c ", "//fractl:ignore", "//fractl:ignorer x", "//fractl:ignore \u00a0 x\r"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ig, ok := parseIgnore(text)
		if !ok {
			return
		}
		if strings.ContainsAny(ig.Rule, " \t\n\r") || ig.Rule == "" && ig.Reason != "" {
			t.Fatalf("%q: rule %q, reason %q", text, ig.Rule, ig.Reason)
		}
		again, ok := parseIgnore(strings.TrimRight(IgnoreDirective+" "+ig.Rule+" "+ig.Reason, " "))
		if !ok || again.Rule != ig.Rule || again.Reason != ig.Reason {
			t.Fatalf("%q: read as %q %q, and again as %q %q", text, ig.Rule, ig.Reason, again.Rule, again.Reason)
		}
	})
}

// FuzzIgnoresInFiles holds that no bytes make the readers panic or place a
// comment outside its file.
func FuzzIgnoresInFiles(f *testing.F) {
	f.Add([]byte("package p //fractl:ignore a b\n"))
	f.Add([]byte("//fractl:ignore a b\r\n`\n` //fractl:ignore"))
	f.Fuzz(func(t *testing.T, src []byte) {
		lines := strings.Count(string(src), "\n") + 1
		for _, list := range [][]Ignore{IgnoresInGo("x", src), IgnoresInMod("x", src)} {
			for _, ig := range list {
				if ig.Line < 1 || ig.Line > lines || ig.Column < 1 || ig.EndColumn <= ig.Column || ig.Target < ig.Line {
					t.Fatalf("%+v in a file of %d lines", ig, lines)
				}
			}
		}
	})
}
