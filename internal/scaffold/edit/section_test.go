package edit

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

var health = Section{Key: "health", Text: "health:\n  # Not for the public.\n  addr: :8081"}

func TestSection(t *testing.T) {
	const section = "health:\n  # Not for the public.\n  addr: :8081"
	for _, c := range []struct {
		name, in, out string
		before        []string
	}{
		{"at the end", "# all\n\nhttp:\n  addr: :80 # ours\n", "# all\n\nhttp:\n  addr: :80 # ours\n\n" + section + "\n", nil},
		{"no final newline", "http:\n  addr: :80", "http:\n  addr: :80\n\n" + section, nil},
		{"blank lines at the end", "http: {}\n\n\n", "http: {}\n\n" + section + "\n\n\n", nil},
		{"empty", "", section + "\n", nil},
		{"comments only", "# nothing\n", "# nothing\n\n" + section + "\n", nil},
		{"comment at the end", "a: 1\n# after a\n", "a: 1\n# after a\n\n" + section + "\n", nil},
		{"before another, with its comment", "a: 1\n\n# about ring\nring:\n  self: x\n", "a: 1\n\n" + section + "\n\n# about ring\nring:\n  self: x\n", []string{"ring", "bus"}},
		{"before the first", "ring: {}\n", section + "\n\nring: {}\n", []string{"ring"}},
		{"tight", "a: 1\nring: {}\n", "a: 1\n\n" + section + "\nring: {}\n", []string{"ring"}},
		{"CR LF", "a: 1\r\n", "a: 1\r\n\r\n" + strings.ReplaceAll(section, "\n", "\r\n") + "\r\n", nil},
		{"values over lines", "a: |\n  x\n\n  # no comment\n\nb: {\n  c: 1\n}\nd:\n- 1\n# last\n", "a: |\n  x\n\n  # no comment\n\nb: {\n  c: 1\n}\nd:\n- 1\n# last\n\n" + section + "\n", nil},
	} {
		got, err := health.AddTo("c.yaml", []byte(c.in), c.before)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(c.out, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		back, err := health.RemoveFrom("c.yaml", got)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.in, string(back)); diff != "" {
			t.Errorf("%s: added and removed (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestSections(t *testing.T) {
	got, err := Sections("c.yaml", []byte("# the file\n\n# about a\n# more\na:\n  b: 1\n\n  # inside\n  c: 2\n\n# about d\nd: {e: 1} # here\n\n# the end\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Section{
		{Key: "a", Line: 5, Text: "# about a\n# more\na:\n  b: 1\n\n  # inside\n  c: 2"},
		{Key: "d", Line: 12, Text: "# about d\nd: {e: 1} # here"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSectionRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"a: 1\nhealth: {}\n": "c.yaml:2: has a section health already",
		"- a\n":              "c.yaml:1: is not a mapping of sections",
		"{a: 1}\n":           "c.yaml:1: is not a mapping of sections",
		"a: 1\n---\nb: 2\n":  "c.yaml:2: a second YAML document",
		"a: [\n":             "c.yaml:",
		"a: 1\rb: 2\n":       "c.yaml:1: holds a line end",
		"a: 1\n...\n":        "c.yaml: cannot be added to",
	} {
		got, err := health.AddTo("c.yaml", []byte(in), nil)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: error %v, want %s\n%s", in, err, want, got)
		}
	}
	if got, err := health.RemoveFrom("c.yaml", []byte("a: 1\n")); err != nil || string(got) != "a: 1\n" {
		t.Errorf("nothing to remove: %q, %v", got, err)
	}
}

// FuzzSection holds that a section that was added is there, that nothing else
// changed, and that removing it gives back every byte.
func FuzzSection(f *testing.F) {
	for _, s := range []string{"", "a: 1\n", "# c\n\na:\n  b: 1\n\n# d\nd: 2\n# e\n", "a: 1\r\n\r\nb: 2\r\n", "---\na: |\n  x\n", "\n\n\na: 1", "ring: 1\n\n\nb: 2\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := health.AddTo("c.yaml", []byte(in), []string{"ring"})
		if err != nil {
			return
		}
		var m map[string]any
		if err := yaml.Unmarshal(got, &m); err != nil || m["health"] == nil {
			t.Fatalf("error %v:\n%s", err, got)
		}
		back, err := health.RemoveFrom("c.yaml", got)
		if err != nil || !bytes.Equal(back, []byte(in)) {
			t.Errorf("added and removed, error %v:\n%q\n%q\n%q", err, in, got, back)
		}
	})
}
