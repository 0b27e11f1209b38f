package vendorcheck

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fractl/fractl/internal/vendorcheck/proof"

	"github.com/fractl/fractl/internal/finding"
)

// fingerprint is the names, modes, times and bytes of a tree, a line each.
func fingerprint(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text := ""
		switch {
		case info.Mode().IsRegular():
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			sum := sha256.Sum256(data)
			text = hex.EncodeToString(sum[:])
		case info.Mode()&fs.ModeSymlink != 0:
			if text, err = os.Readlink(name); err != nil {
				return err
			}
		}
		fmt.Fprintf(&b, "%s %s %d %d %s\n", name, info.Mode(), info.ModTime().UnixNano(), info.Size(), text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// spoiled is a tree with a finding of every rule.
func spoiled(t *testing.T) string {
	dir := tree(t, map[string]string{
		"go.work":                           "go 1.24\n\nuse ./a\n",
		"a/go.mod":                          "module example.com/a\n\ngo 1.24\n\nrequire example.com/lib v1.0.0\n\nreplace example.com/lib => ./vendor/example.com/lib\n\nreplace example.com/gone v1.0.0 => ./gone\n",
		"b/go.mod":                          "module example.com/b\n\ngo 1.24\n\nrequire (\n\texample.com/a v0.0.0\n\texample.com/lib v1.2.0\n)\n\nreplace example.com/a => ../a\n",
		"b/b.go":                            "package b\n\nimport _ \"example.com/nowhere\"\n",
		"a/vendor/modules.txt":              "# example.com/gone v1.0.0 => ./gone\nexample.com/gone\n# example.com/lib v1.1.0 => ./lib\n## explicit; sealed\nexample.com/lib\n# example.com/other v1.0.0\nexample.com/other\n\x00\n",
		"a/vendor/example.com/lib/l.go":     "package lib\n",
		"a/vendor/example.com/other/o.go":   "package other\n",
		"a/vendor/example.com/gone/g.go":    "package gone\n",
		"a/vendor/example.com/lone.s":       "",
		"a/vendor/example.com/lib/late.txt": "",
	})
	if err := os.Symlink("a/vendor", filepath.Join(dir, "vendor")); err != nil {
		t.Skip(err)
	}
	return dir
}

// TestUntouched holds that a check changes nothing, and that two say the same.
func TestUntouched(t *testing.T) {
	dir := spoiled(t)
	environ := append(os.Environ(), "GOFLAGS=", "GOWORK=")
	before := fingerprint(t, dir)
	var texts []string
	for range 3 {
		r, err := Check(context.Background(), load(t, dir), Options{Environ: environ, Vault: &proof.Vault{ModCache: filepath.Join(dir, "none")}})
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, fmt.Sprintf("%+v", r))
		for _, f := range r.Findings {
			if !slices.ContainsFunc(Rules(), func(rule Rule) bool { return rule.Name == f.Rule }) {
				t.Errorf("rule %s is not listed in Rules", f.Rule)
			}
		}
		for _, rule := range Rules() {
			found := false
			for _, f := range r.Findings {
				found = found || f.Rule == rule.Name
				if f.Fingerprint == "" {
					t.Errorf("no fingerprint: %s", f.Message)
				}
			}
			if !found {
				t.Errorf("no finding of %s: the tree does not exercise it\n%s", rule.Name, strings.Join(brief(r.Findings), "\n"))
			}
		}
	}
	if after := fingerprint(t, dir); after != before {
		t.Errorf("the tree was changed\nbefore:\n%s\nafter:\n%s", before, after)
	}
	if texts[0] != texts[1] || texts[1] != texts[2] {
		t.Errorf("one tree, different findings:\n%s", strings.Join(texts, "\n"))
	}
}

// TestNoNetwork runs TestUntouched where there is no network at all, not even a
// loopback.
func TestNoNetwork(t *testing.T) {
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		t.Skip("no unshare here")
	}
	if err := exec.Command(unshare, "-n", "true").Run(); err != nil {
		t.Skip("unshare -n is not allowed here")
	}
	out, err := exec.Command(unshare, "-n", os.Args[0], "-test.run", "^TestUntouched$", "-test.v").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestUntouched") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestNoProcess holds the packages that the check is made of to those that can
// neither start a process nor open a connection.
func TestNoProcess(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if !slices.Contains(deps, "os") {
		t.Fatalf("go list says %q", out)
	}
	for _, bad := range []string{"os/exec", "net", "net/http", "plugin"} {
		if slices.Contains(deps, bad) {
			t.Errorf("package vendorcheck depends on %s", bad)
		}
	}
}

// TestRulesAreExplained holds each rule's text to its parts, and the list to be
// sorted and complete: TestUntouched has a finding of each.
func TestRulesAreExplained(t *testing.T) {
	var names []string
	for _, r := range Rules() {
		names = append(names, r.Name)
		if r.Summary == "" || strings.Contains(r.Summary, "\n") || strings.HasSuffix(r.Summary, ".") || len(r.Summary) > 100 {
			t.Errorf("%s: summary %q: want one line of at most 100 letters without a period", r.Name, r.Summary)
		}
		at := 0
		for _, part := range []string{"\n# Why\n", "\n# Wrong\n", "\n# Right\n", "\n# When not\n"} {
			i := strings.Index(r.Text, part)
			if i < at {
				t.Errorf("%s: no section %q, or out of its order", r.Name, strings.TrimSpace(part))
			}
			at = max(at, i)
		}
		if r.Severity == 0 {
			t.Errorf("%s: no severity", r.Name)
		}
	}
	if !slices.IsSorted(names) {
		t.Errorf("not sorted: %v", names)
	}
}

// TestOneRule holds that a rule alone says what it says among all.
func TestOneRule(t *testing.T) {
	dir := spoiled(t)
	ws, environ := load(t, dir), append(os.Environ(), "GOFLAGS=", "GOWORK=")
	all, err := Check(context.Background(), ws, Options{Environ: environ, Vault: &proof.Vault{ModCache: filepath.Join(dir, "none")}})
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range Rules() {
		one, err := Check(context.Background(), ws, Options{Environ: environ, Vault: &proof.Vault{ModCache: filepath.Join(dir, "none")}, Rules: []string{rule.Name}})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range one.Findings {
			if f.Rule != rule.Name {
				t.Errorf("%s asked for, %s found", rule.Name, f.Rule)
			}
		}
		for _, f := range all.Findings {
			if f.Rule == rule.Name && !slices.ContainsFunc(one.Findings, func(g finding.Finding) bool { return g.Message == f.Message }) {
				t.Errorf("%s alone does not say %s", rule.Name, f.Message)
			}
		}
	}
	list, err := ReplaceDrift(context.Background(), ws, environ)
	if err != nil || len(list) == 0 {
		t.Errorf("ReplaceDrift: %v, %v", list, err)
	}
}
