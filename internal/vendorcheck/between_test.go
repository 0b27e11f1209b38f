package vendorcheck

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/fractl/fractl/internal/vendorcheck/proof"
)

// TestBetweenModules holds the rules about modules among each other to their
// findings.
func TestBetweenModules(t *testing.T) {
	g := newGo(t)
	mod := func(name, rest string) string { return "module example.com/" + name + "\n\ngo 1.24\n\n" + rest }
	for _, c := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"123 replace in a local module", map[string]string{
			"a/go.mod":   mod("a", "require (\n\texample.com/lib v0.0.0\n\texample.com/quote v1.5.2\n)\n\nreplace example.com/lib => ../lib\n"),
			"a/a.go":     "package a\n",
			"lib/go.mod": mod("lib", "require example.com/quote v1.5.2\n\nreplace example.com/quote => example.com/quote v1.5.1\n"),
		}, []string{"warning lostreplace lib/go.mod:7 replace example.com/quote => example.com/quote v1.5.1 has no effect in a/go.mod, which requires example.com/lib and uses example.com/quote v1.5.2",
			"warning versiondrift a/go.mod:7 example.com/quote is replaced differently: v1.5.2 in a/go.mod, v1.5.2 => example.com/quote v1.5.1 in lib/go.mod"}},
		{"repeated", map[string]string{
			"a/go.mod":   mod("a", "require (\n\texample.com/lib v0.0.0\n\texample.com/quote v1.5.2\n)\n\nreplace example.com/lib => ../lib\n\nreplace example.com/quote => ../fork\n"),
			"lib/go.mod": mod("lib", "require example.com/quote v1.5.2\n\nreplace example.com/quote => ../fork\n"),
		}, nil},
		{"of a module that the user does not have", map[string]string{
			"a/go.mod":   mod("a", "require example.com/lib v0.0.0\n\nreplace example.com/lib => ../lib\n"),
			"lib/go.mod": mod("lib", "require example.com/quote v1.5.2\n\nreplace example.com/quote => ../fork\n"),
		}, nil},
		{"of another version", map[string]string{
			"a/go.mod":   mod("a", "require (\n\texample.com/lib v0.0.0\n\texample.com/quote v1.5.2\n)\n\nreplace example.com/lib => ../lib\n"),
			"lib/go.mod": mod("lib", "require example.com/quote v1.5.2\n\nreplace example.com/quote v1.5.1 => ../fork\n"),
		}, nil},
		{"104 chain", map[string]string{
			"go.mod": mod("a", "require example.com/quote v1.5.2\n\nreplace example.com/quote => example.com/b v1.0.0\n\nreplace example.com/b v1.0.0 => example.com/c v1.0.0\n"),
		}, []string{"warning lostreplace go.mod:7 replace example.com/quote => example.com/b v1.0.0, and replace example.com/b v1.0.0 => example.com/c v1.0.0: the second is not applied to the first"}},
		{"exclude", map[string]string{
			"a/go.mod":   mod("a", "require (\n\texample.com/lib v0.0.0\n\texample.com/quote v1.5.2\n)\n\nreplace example.com/lib => ../lib\n"),
			"lib/go.mod": mod("lib", "exclude example.com/quote v1.5.2\n"),
		}, []string{"warning lostreplace lib/go.mod:5 exclude example.com/quote v1.5.2 has no effect in a/go.mod"}},
		{"versions differ in the patch", map[string]string{
			"a/go.mod": mod("a", "require example.com/quote v1.5.2\n"), "b/go.mod": mod("b", "require example.com/quote v1.5.1\n"),
		}, []string{"note versiondrift b/go.mod:5 example.com/quote is selected in versions that differ: v1.5.1 in b/go.mod, v1.5.2 in a/go.mod"}},
		{"versions differ in the minor", map[string]string{
			"a/go.mod": mod("a", "require example.com/quote v1.5.2\n"), "b/go.mod": mod("b", "require example.com/quote v1.4.0\n"),
		}, []string{"warning versiondrift b/go.mod:5"}},
		{"policy same", map[string]string{
			"fractl.yaml": "version: 1\nvendor: {versions: {\"*\": off, \"example.com/*\": same}}\n",
			"a/go.mod":    mod("a", "require (\n\texample.com/quote v1.5.2\n\texample.org/x v1.0.0\n)\n"), "b/go.mod": mod("b", "require (\n\texample.com/quote v1.5.1\n\texample.org/x v2.0.0+incompatible\n)\n"),
		}, []string{"warning versiondrift b/go.mod:6"}},
		{"w2 replaced differently", map[string]string{
			"a/go.mod": mod("a", "require example.com/quote v1.5.2\n\nreplace example.com/quote => ./fork\n"),
			"b/go.mod": mod("b", "require example.com/quote v1.5.2\n\nreplace example.com/quote => ./fork\n"),
		}, []string{"warning versiondrift a/go.mod:5 example.com/quote is replaced differently: v1.5.2 => a/fork in a/go.mod, v1.5.2 => b/fork in b/go.mod"}},
		{"replaced by one folder", map[string]string{
			"a/go.mod": mod("a", "require example.com/quote v1.5.2\n\nreplace example.com/quote => ../fork\n"),
			"b/go.mod": mod("b", "require example.com/quote v1.5.1\n\nreplace example.com/quote => ../fork\n"),
		}, nil},
		{"w11 forgotten requirement", map[string]string{
			"go.work":  "go 1.24\n\nuse (\n\t./a\n\t./b\n)\n",
			"a/go.mod": mod("a", "require example.com/quote v1.5.2\n"), "a/a.go": "package a\n\nimport _ \"example.com/quote\"\n",
			"b/go.mod": mod("b", ""), "b/b.go": "package b\n\nimport (\n\t_ \"example.com/quote\"\n\t_ \"fmt\"\n)\n",
		}, []string{"error independence b/b.go:4 package example.com/quote is imported here, and b/go.mod requires no module that provides it: it does not build alone"}},
		{"w10 other code in the workspace", map[string]string{
			"go.work":  "go 1.24\n\nuse (\n\t./a\n\t./b\n)\n",
			"a/go.mod": mod("a", "require example.com/quote v1.5.2\n\nreplace example.com/quote => ../fork\n"),
			"b/go.mod": mod("b", "require example.com/quote v1.5.1\n"),
		}, []string{"warning independence b/go.mod:1 other code than in the workspace: example.com/quote is v1.5.1 alone and from fork in the workspace",
			"warning versiondrift b/go.mod:5"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := tree(t, c.files)
			r, err := Check(context.Background(), load(t, dir), Options{
				Environ: append(slices.Clone(g.environ), "GOFLAGS="), Vault: &proof.Vault{}, Rules: []string{LostReplaceRule, VersionDriftRule, IndependenceRule}})
			if err != nil {
				t.Fatal(err)
			}
			got := brief(r.Findings)
			if len(got) != len(c.want) {
				t.Errorf("%d findings, want %d:\n%s", len(got), len(c.want), strings.Join(got, "\n"))
			}
			for _, w := range c.want {
				if !slices.ContainsFunc(got, func(line string) bool { return strings.HasPrefix(line, w) }) {
					t.Errorf("no finding %q in\n%s", w, strings.Join(got, "\n"))
				}
			}
		})
	}
}

// BenchmarkBetween is 200 modules that require 500 others each.
func BenchmarkBetween(b *testing.B) {
	g := newGo(b)
	files := map[string]string{}
	for m := range 200 {
		var text strings.Builder
		text.WriteString("module example.com/m" + string(rune('a'+m%26)) + strings.Repeat("x", m/26) + "\n\ngo 1.24\n\nrequire (\n")
		for d := range 500 {
			text.WriteString("\texample.org/d" + strings.Repeat("y", d%7) + string(rune('a'+d%26)) + strings.Repeat("z", d/26) + " v1." + string(rune('0'+(m+d)%3)) + ".0\n")
		}
		text.WriteString(")\n")
		files["m"+string(rune('a'+m%26))+strings.Repeat("x", m/26)+"/go.mod"] = text.String()
	}
	ws := load(b, tree(b, files))
	for b.Loop() {
		r, err := Check(context.Background(), ws, Options{Environ: append(slices.Clone(g.environ), "GOFLAGS="), Rules: []string{VersionDriftRule, LostReplaceRule}})
		if err != nil || len(r.Findings) < 100 {
			b.Fatal(err, len(r.Findings))
		}
	}
}
