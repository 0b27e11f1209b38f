package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// TestPlugin runs golangci-lint with the plugin and the configuration that
// docs/ci.md shows on the seeded violations.
func TestPlugin(t *testing.T) {
	tool := filepath.Join(t.TempDir(), "golangci-lint")
	if out, err := exec.Command("go", "build", "-o", tool, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	docs, err := os.ReadFile(filepath.Join("..", "..", "docs", "ci.md"))
	if err != nil {
		t.Fatal(err)
	}
	config := regexp.MustCompile("(?s)`.golangci.yml`:\n\n```yaml\n(.*?)```").FindSubmatch(docs)
	if config == nil {
		t.Fatal("docs/ci.md shows no .golangci.yml")
	}
	tree, err := txtar.ParseFile(filepath.Join("..", "seeded.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text := strings.Replace(string(config[1]), "disable: [unsafeshare]", "disable: [replacedrift]", 1)
	text = strings.Replace(text, "linters:\n", "linters:\n  default: none\n", 1)
	tree.Files = append(tree.Files, txtar.File{Name: ".golangci.yml", Data: []byte(text)})
	mark := regexp.MustCompile(`// want(-above)? (\w+)`)
	var want []string
	for _, f := range tree.Files {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o666); err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(f.Data), "\n") {
			if m := mark.FindStringSubmatch(line); m != nil {
				n := i + 1
				if m[1] != "" {
					n--
				}
				want = append(want, fmt.Sprintf("%s:%d %s", f.Name, n, m[2]))
			}
		}
	}
	cmd := exec.Command(tool, "run", "--output.json.path", "stdout", "--show-stats=false", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOLANGCI_LINT_CACHE="+t.TempDir(), "GOFLAGS=")
	out, err := cmd.Output()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 1 {
		t.Fatalf("%v\n%s", err, out)
	}
	var report struct {
		Issues []struct {
			FromLinter, Text string
			Pos              struct {
				Filename string
				Line     int
			}
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var got []string
	for _, i := range report.Issues {
		rule, _, _ := strings.Cut(i.Text, ":")
		got = append(got, fmt.Sprintf("%s:%d %s", i.Pos.Filename, i.Pos.Line, rule))
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
