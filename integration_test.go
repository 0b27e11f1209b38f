package fractl_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func readYAML(t *testing.T, data []byte, v any) {
	t.Helper()
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(v); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestHooks holds .pre-commit-hooks.yaml to the keys that pre-commit documents
// (https://pre-commit.com/#creating-new-hooks), and each entry to the command
// line of fractl.
func TestHooks(t *testing.T) {
	var hooks []struct {
		ID, Name, Entry, Language, Description, Files, Exclude string
		Types, Stages, Args                                    []string
		TypesOr                                                []string `yaml:"types_or"`
		ExcludeTypes                                           []string `yaml:"exclude_types"`
		PassFilenames                                          *bool    `yaml:"pass_filenames"`
		RequireSerial                                          bool     `yaml:"require_serial"`
		AlwaysRun                                              bool     `yaml:"always_run"`
		MinimumVersion                                         string   `yaml:"minimum_pre_commit_version"`
	}
	readYAML(t, readFile(t, ".pre-commit-hooks.yaml"), &hooks)
	seen := make(map[string]bool)
	for _, h := range hooks {
		if h.ID == "" || h.Name == "" || h.Entry == "" || h.Language != "system" || seen[h.ID] {
			t.Errorf("incomplete: %+v", h)
		}
		seen[h.ID] = true
		if h.PassFilenames == nil || *h.PassFilenames {
			t.Errorf("%s: fractl takes packages, not the names of files", h.ID)
		}
		if _, err := regexp.Compile(h.Files); err != nil {
			t.Errorf("%s: %v", h.ID, err)
		}
		words := strings.Fields(h.Entry)
		out, err := exec.Command("go", append(append([]string{"run", "./cmd/fractl"}, words[1:]...), "--help")...).CombinedOutput()
		if words[0] != "fractl" || err != nil {
			t.Errorf("%s: %v\n%s", h.ID, err, out)
		}
	}
	if docs := string(readFile(t, "docs/ci.md")); len(hooks) != strings.Count(docs, "- id: fractl-") {
		t.Error("docs/ci.md shows other hooks than there are")
	}
}

// action is what a composite action may hold
// (https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax).
type action struct {
	Name, Description, Author string
	Branding                  struct{ Icon, Color string }
	Inputs                    map[string]struct {
		Description        string
		Required           bool
		Default            *string
		DeprecationMessage string `yaml:"deprecationMessage"`
	}
	Outputs map[string]struct{ Description, Value string }
	Runs    struct {
		Using string
		Steps []step
	}
}

type step struct {
	ID, Name, If, Run, Shell, Uses string
	WorkingDirectory               string `yaml:"working-directory"`
	ContinueOnError                bool   `yaml:"continue-on-error"`
	With, Env                      map[string]string
}

func TestActionSyntax(t *testing.T) {
	data := readFile(t, "action.yml")
	var a action
	readYAML(t, data, &a)
	if a.Name == "" || a.Description == "" || a.Runs.Using != "composite" || len(a.Runs.Steps) == 0 {
		t.Errorf("incomplete: %+v", a)
	}
	for name, in := range a.Inputs {
		if in.Description == "" || in.Required == (in.Default != nil) {
			t.Errorf("input %s: %+v", name, in)
		}
	}
	for _, m := range regexp.MustCompile(`inputs\.([\w-]+)`).FindAllStringSubmatch(string(data), -1) {
		if _, ok := a.Inputs[m[1]]; !ok {
			t.Errorf("there is no input %s", m[1])
		}
	}
	for _, s := range a.Runs.Steps {
		switch {
		case (s.Run == "") == (s.Uses == ""):
			t.Errorf("step %s: needs one of run and uses", s.Name)
		case s.Run != "" && s.Shell == "":
			t.Errorf("step %s: has no shell", s.Name)
		case strings.Contains(s.Run, "${{"):
			t.Errorf("step %s: what an input holds would be run as a script", s.Name)
		case s.Uses != "" && !regexp.MustCompile(`@(v\d+|[0-9a-f]{40})$`).MatchString(s.Uses):
			t.Errorf("step %s: %s is not pinned", s.Name, s.Uses)
		}
	}
}

// TestActionRuns runs the scripts of the action as a runner does, with a go
// command that installs the fractl of this tree.
func TestActionRuns(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("the action's scripts are for bash: ", err)
	}
	tmp := t.TempDir()
	built := filepath.Join(tmp, "built")
	if out, err := exec.Command("go", "build", "-o", built, "./cmd/fractl").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	real, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	bin, fake, work := filepath.Join(tmp, "bin"), filepath.Join(tmp, "fake"), filepath.Join(tmp, "a b")
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(fake, "go"), fmt.Sprintf("#!/bin/sh\nif [ \"$1\" = install ]; then echo \"$2\" >'%s/installed'; mkdir -p '%s'; exec cp '%s' '%s/fractl'; fi\nexec '%s' \"$@\"\n", tmp, bin, built, bin, real))
	write(filepath.Join(work, "go.mod"), "module example.com/app\n\ngo 1.26\n")
	write(filepath.Join(work, "app.go"), "package app\n\nimport \"time\"\n\nfunc Tick() {\n\tt := time.NewTicker(time.Second)\n\tgo func() {\n\t\tfor range t.C {\n\t\t}\n\t}()\n}\n")
	var a action
	readYAML(t, readFile(t, "action.yml"), &a)

	run := func(inputs map[string]string) (code int, output string) {
		t.Helper()
		value := func(text string) string {
			return regexp.MustCompile(`\$\{\{ *([\w.-]+) *\}\}`).ReplaceAllStringFunc(text, func(m string) string {
				name := strings.Trim(m, "${} ")
				if in, ok := strings.CutPrefix(name, "inputs."); ok {
					if v, ok := inputs[in]; ok {
						return v
					}
					return *a.Inputs[in].Default
				}
				return map[string]string{"runner.temp": tmp}[name]
			})
		}
		var all bytes.Buffer
		for _, s := range a.Runs.Steps {
			if s.Run == "" {
				continue
			}
			cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", s.Run)
			cmd.Dir = filepath.Join(work, value(s.WorkingDirectory))
			cmd.Env = append(os.Environ(), "GOBIN="+bin, "GITHUB_PATH="+filepath.Join(tmp, "path"), "PATH="+fake+string(os.PathListSeparator)+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
			for _, name := range slices.Sorted(maps.Keys(s.Env)) {
				cmd.Env = append(cmd.Env, name+"="+value(s.Env[name]))
			}
			cmd.Stdout, cmd.Stderr = &all, &all
			if err := cmd.Run(); err != nil {
				return cmd.ProcessState.ExitCode(), all.String()
			}
		}
		return 0, all.String()
	}

	code, out := run(map[string]string{"version": "v1.2.3", "sarif": "report $(touch owned).sarif"})
	if code != 1 || !strings.Contains(out, "::warning file=app.go,line=8") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	if got := string(readFile(t, filepath.Join(tmp, "installed"))); got != "github.com/fractl/fractl/cmd/fractl@v1.2.3\n" {
		t.Errorf("installed %s", got)
	}
	if got := string(readFile(t, filepath.Join(tmp, "path"))); got != bin+"\n" {
		t.Errorf("on PATH: %s", got)
	}
	if !strings.Contains(string(readFile(t, filepath.Join(work, "report $(touch owned).sarif"))), `"2.1.0"`) {
		t.Error("no SARIF")
	}
	if _, err := os.Stat(filepath.Join(work, "owned")); err == nil {
		t.Error("an input was run as a script")
	}
	if _, err := os.Stat(filepath.Join(tmp, "fractl-cache")); err != nil {
		t.Error("nothing was kept")
	}
	if code, out := run(map[string]string{"version": "v1.2.3", "args": "--disable timerleak"}); code != 0 {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	if code, out := run(map[string]string{"version": "v1.2.3", "packages": "./none"}); code != 2 {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	if code, out := run(map[string]string{"version": "latest"}); code != 2 || !strings.Contains(out, "latest is no release") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}

// TestSnippets: the examples in the documentation can be read.
func TestSnippets(t *testing.T) {
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, page := range pages {
		for _, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(readFile(t, page)), -1) {
			var v any
			if err := yaml.Unmarshal([]byte(m[1]), &v); err != nil {
				t.Errorf("%s: %v in\n%s", page, err, m[1])
			}
			n++
		}
	}
	if n < 4 {
		t.Errorf("only %d examples", n)
	}
}
