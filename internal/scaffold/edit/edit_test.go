package edit

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"golang.org/x/mod/modfile"
)

func TestUse(t *testing.T) {
	for _, c := range []struct{ name, in, dir, out, what string }{
		{"one line becomes a block", "go 1.26.0\n\nuse ./contracts\n", "auth",
			"go 1.26.0\n\nuse (\n\t./auth\n\t./contracts\n)\n", "use ./auth"},
		{"sorted into a block with comments", "// ours\ngo 1.27 // new\n\nuse (\n\t./a // first\n\n\t// the shop\n\t./shop\n)\n", "b",
			"// ours\ngo 1.27 // new\n\nuse (\n\t./a // first\n\t./b\n\n\t// the shop\n\t./shop\n)\n", "use ./b"},
		{"no use yet", "go 1.26.0\n", "x/auth", "go 1.26.0\n\nuse ./x/auth\n", "use ./x/auth"},
		{"old go line", "go 1.21\n\ntoolchain go1.22.1\n\nuse ./a\n", "auth",
			"go 1.26.0\n\nuse (\n\t./a\n\t./auth\n)\n", "use ./auth, go 1.26.0"},
		{"newer toolchain stays", "go 1.21\n\ntoolchain go1.30.1\n\nuse ./a\n", "a",
			"go 1.26.0\n\ntoolchain go1.30.1\n\nuse ./a\n", "go 1.26.0"},
		{"no go line", "use ./a\n", "a", "go 1.26.0\n\nuse ./a\n", "go 1.26.0"},
		{"there already, written otherwise", "go   1.26.0\nuse   auth/\n", "auth", "go   1.26.0\nuse   auth/\n", ""},
		{"the root", "go 1.26.0\n", ".", "go 1.26.0\n\nuse .\n", "use ."},
	} {
		got, what, err := Use("go.work", []byte(c.in), c.dir, "1.26.0")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(c.out, string(got)); diff != "" || what != c.what {
			t.Errorf("%s: %q (-want +got):\n%s", c.name, what, diff)
		}
		again, what, err := Use("go.work", got, c.dir, "1.26.0")
		if err != nil || what != "" || string(again) != string(got) {
			t.Errorf("%s: edited twice: %q, %v\n%s", c.name, what, err, again)
		}
	}
	if _, _, err := Use("go.work", []byte("go 1.26\nuse\n"), "a", "1.26.0"); err == nil || !strings.HasPrefix(err.Error(), "go.work:2: ") {
		t.Errorf("error %v", err)
	}
}

func TestRequires(t *testing.T) {
	in := "module example.com/auth\n\ngo 1.26.0\n\ntool go.uber.org/mock/mockgen\n\nrequire example.com/contracts v0.0.0\n\nreplace example.com/contracts => ../contracts\n"
	req := func(path, version string, indirect bool) *modfile.Require {
		r := &modfile.Require{Indirect: indirect}
		r.Mod.Path, r.Mod.Version = path, version
		return r
	}
	got, err := Requires("go.mod", []byte(in), []*modfile.Require{
		req("example.com/contracts", "v0.0.0", false), req("b.example/b", "v1.0.0", false), req("a.example/a", "v1.2.3", true),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "module example.com/auth\n\ngo 1.26.0\n\ntool go.uber.org/mock/mockgen\n\nrequire (\n\tb.example/b v1.0.0\n\texample.com/contracts v0.0.0\n)\n\n" +
		"require a.example/a v1.2.3 // indirect\n\nreplace example.com/contracts => ../contracts\n"
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

var auth = Fraction{Name: "auth", Dir: "auth", Kind: "service", Pieces: []string{"health"}}

func TestAddFraction(t *testing.T) {
	const flow = "{dir: auth, kind: service, pieces: [health]}"
	for _, c := range []struct{ name, in, out string }{
		{"empty flow", "version: 1\n\nfractions: {}\n", "version: 1\n\nfractions:\n  auth: " + flow + "\n"},
		{"empty flow with a comment", "fractions: {} # none yet\nvet:\n  disable: []\n", "fractions: # none yet\n  auth: " + flow + "\nvet:\n  disable: []\n"},
		{"null", "version: 1\nfractions:\n\n# more\nvet: {}\n", "version: 1\nfractions:\n  auth: " + flow + "\n\n# more\nvet: {}\n"},
		{"tilde", "fractions: ~ # none\n", "fractions: # none\n  auth: " + flow + "\n"},
		{"no key", "version: 1\n# end\n\n\n", "version: 1\n# end\n\nfractions:\n  auth: " + flow + "\n"},
		{"no final newline", "version: 1", "version: 1\n\nfractions:\n  auth: " + flow + "\n"},
		{"block of flows", "fractions:\n  # the first\n  zoo: {dir: zoo}   # odd   spacing\n\n# about vet\nvet: {}\n",
			"fractions:\n  # the first\n  zoo: {dir: zoo}   # odd   spacing\n  auth: " + flow + "\n\n# about vet\nvet: {}\n"},
		{"block of blocks", "fractions:\n    zoo:\n        dir: zoo\n        kind: service\n        # trailing\nvet: {}\n",
			"fractions:\n    zoo:\n        dir: zoo\n        kind: service\n        # trailing\n    auth:\n        dir: auth\n        kind: service\n        pieces: [health]\nvet: {}\n"},
		{"at the end without newline", "fractions:\n  zoo: {dir: zoo}", "fractions:\n  zoo: {dir: zoo}\n  auth: " + flow + "\n"},
		{"flow on one line", "fractions: {zoo: {dir: 'z#o}o'}} # all\nvet: {}\n", "fractions: {zoo: {dir: 'z#o}o'}, auth: " + flow + "} # all\nvet: {}\n"},
		{"flow on lines", "fractions: {\n  zoo: {dir: zoo},\n}\n", "fractions: {\n  zoo: {dir: zoo},\n  auth: " + flow + ",\n}\n"},
		{"flow on lines without comma", "fractions: {\n  zoo: {dir: zoo}\n}\n", "fractions: {\n  zoo: {dir: zoo},\n  auth: " + flow + ",\n}\n"},
		{"null entry", "fractions:\n  zoo:\n  bar:\n", "fractions:\n  zoo:\n  bar:\n  auth: " + flow + "\n"},
		{"CR LF", "version: 1\r\nfractions:\r\n  zoo: {}\r\n", "version: 1\r\nfractions:\r\n  zoo: {}\r\n  auth: " + flow + "\r\n"},
	} {
		got, err := AddFraction("fractl.yaml", []byte(c.in), auth)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(c.out, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestAddFractionQuotes(t *testing.T) {
	f := Fraction{Name: "auth", Dir: "a, b/#c: {d}", Kind: "service"}
	got, err := AddFraction("fractl.yaml", []byte("fractions: {}\n"), f)
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Fractions map[string]struct{ Dir string }
	}
	if err := yaml.Unmarshal(got, &m); err != nil || m.Fractions["auth"].Dir != f.Dir {
		t.Errorf("error %v:\n%s", err, got)
	}
}

func TestAddFractionRefuses(t *testing.T) {
	for _, in := range []string{
		"fractions: 7\n", "fractions: [a]\n", "[a]\n", "{fractions: {}}\n", "",
		"fractions:\n  zoo: &a {dir: zoo}\n  auth: *a\n",
		"fractions: {\n  zoo: {dir: zoo} # comment\n}\n",
	} {
		got, err := AddFraction("fractl.yaml", []byte(in), auth)
		if err == nil {
			t.Errorf("%q: no error:\n%s", in, got)
		}
	}
}

// FuzzAddFraction holds that an accepted edit gives YAML that holds the entry,
// and that every line of the text is still there but for the one that was added
// to.
func FuzzAddFraction(f *testing.F) {
	for _, s := range []string{"fractions: {}\n", "version: 1\n", "fractions:\n  a: {dir: b}\n# c\n", "fractions: {a: {dir: '}'}}", "fractions:\n- a\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := AddFraction("fractl.yaml", []byte(in), auth)
		if err != nil {
			return
		}
		var m struct{ Fractions map[string]any }
		if err := yaml.Unmarshal(got, &m); err != nil || m.Fractions["auth"] == nil {
			t.Fatalf("error %v:\n%s", err, got)
		}
		missing := 0
		for _, line := range strings.Split(in, "\n") {
			if s := strings.TrimSpace(line); s != "" && !strings.Contains(string(got), s) {
				missing++
			}
		}
		if missing > 1 {
			t.Errorf("%d lines changed:\n%s\n---\n%s", missing, in, got)
		}
	})
}

// FuzzUse holds that an accepted edit gives a go.work that uses the folder.
func FuzzUse(f *testing.F) {
	f.Add("go 1.26.0\n\nuse ./contracts\n")
	f.Add("use (\n\t./a\n)\nreplace a => ./b\n")
	f.Fuzz(func(t *testing.T, in string) {
		got, _, err := Use("go.work", []byte(in), "auth", "1.26.0")
		if err != nil {
			return
		}
		work, err := modfile.ParseWork("go.work", got, nil)
		if err != nil || !uses(work, "./auth") || work.Go == nil {
			t.Errorf("error %v:\n%s\n---\n%s", err, in, got)
		}
	})
}
