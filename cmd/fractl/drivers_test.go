package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/golangci/plugin-module-register/register"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/txtar"

	_ "github.com/fractl/fractl/golangci"
	"github.com/fractl/fractl/nogo/chanleak"
	"github.com/fractl/fractl/nogo/crossimport"
	"github.com/fractl/fractl/nogo/crossschema"
	"github.com/fractl/fractl/nogo/ctxbreak"
	"github.com/fractl/fractl/nogo/ctxlessdb"
	"github.com/fractl/fractl/nogo/httplimits"
	"github.com/fractl/fractl/nogo/ignore"
	"github.com/fractl/fractl/nogo/mockdrift"
	"github.com/fractl/fractl/nogo/poolescape"
	"github.com/fractl/fractl/nogo/replacedrift"
	"github.com/fractl/fractl/nogo/timerleak"
	"github.com/fractl/fractl/nogo/unsafeshare"
)

// seed writes the module and returns what is to be found: FILE:LINE RULE.
func seed(t *testing.T) (dir string, want []string) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	mark := regexp.MustCompile(`// want(-above)? (\w+)`)
	tree, err := txtar.ParseFile(filepath.Join("..", "..", "testdata", "seeded.txtar"))
	if err != nil {
		t.Fatal(err)
	}
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
	slices.Sort(want)
	if len(want) != 10 {
		t.Fatalf("%d violations are seeded", len(want))
	}
	return dir, want
}

// TestDrivers finds the seeded violations through everything that runs the
// rules. CI runs it under both Go releases.
func TestDrivers(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	for name, find := range map[string]func(*testing.T, string) []string{
		"vet, cold":     func(t *testing.T, dir string) []string { return byVet(t, dir) },
		"vet, no cache": func(t *testing.T, dir string) []string { return byVet(t, dir, "--cache", "off") },
		"vet, warm":     func(t *testing.T, dir string) []string { byVet(t, dir); return byVet(t, dir) },
		"vettool":       byVettool,
		"golangci":      byGolangci,
		"nogo":          byNogo,
		"lsp":           byLSP,
	} {
		t.Run(name, func(t *testing.T) {
			dir, want := seed(t)
			t.Chdir(dir)
			got := find(t, dir)
			slices.Sort(got)
			if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func byVet(t *testing.T, _ string, flags ...string) []string {
	var out, stderr bytes.Buffer
	code := run(context.Background(), append([]string{"vet", "--format", "json"}, flags...), nil, &out, &stderr)
	if code != exitReport {
		t.Errorf("exit code %d: %s", code, &stderr)
	}
	var report struct {
		Findings []struct {
			Rule, File string
			Line       int
		}
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, f := range report.Findings {
		list = append(list, fmt.Sprintf("%s:%d %s", f.File, f.Line, f.Rule))
	}
	return list
}

// textFinding is a line that the go command prints of a finding.
var textFinding = regexp.MustCompile(`(?m)^(?:\./)?(\S+\.go):(\d+):\d+: .* \((\w+)\)$`)

func byVettool(t *testing.T, _ string) []string {
	tool, err := exec.LookPath("fractl")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "vet", "-vettool="+tool, "./...")
	out, err := cmd.CombinedOutput()
	if err == nil || cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("go vet: %v\n%s", err, out)
	}
	var list []string
	for _, m := range textFinding.FindAllStringSubmatch(string(out), -1) {
		list = append(list, fmt.Sprintf("%s:%s %s", filepath.ToSlash(m[1]), m[2], m[3]))
	}
	return list
}

func byGolangci(t *testing.T, dir string) []string {
	plugin, err := register.GetPlugin("fractl")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plugin(map[string]any{"enable": []string{"timerlek"}}); err == nil || !strings.Contains(err.Error(), "did you mean timerleak") {
		t.Errorf("got %v", err)
	}
	linter, err := plugin(map[string]any{"disable": []string{"replacedrift"}})
	if err != nil {
		t.Fatal(err)
	}
	if mode := linter.GetLoadMode(); mode != register.LoadModeTypesInfo {
		t.Errorf("load mode %s", mode)
	}
	list, err := linter.BuildAnalyzers()
	if err != nil {
		t.Fatal(err)
	}
	return byChecker(t, dir, list)
}

func byNogo(t *testing.T, dir string) []string {
	var list []*analysis.Analyzer
	for _, a := range []*analysis.Analyzer{
		chanleak.Analyzer, crossimport.Analyzer, crossschema.Analyzer, ctxbreak.Analyzer, ctxlessdb.Analyzer, httplimits.Analyzer,
		ignore.Analyzer, mockdrift.Analyzer, poolescape.Analyzer, replacedrift.Analyzer, timerleak.Analyzer, unsafeshare.Analyzer,
	} {
		// What nogo does not give to a pass.
		stripped := *a
		run := a.Run
		stripped.Run = func(pass *analysis.Pass) (any, error) {
			p := *pass
			p.Module, p.ReadFile, p.OtherFiles, p.IgnoredFiles = nil, nil, nil, nil
			return run(&p)
		}
		list = append(list, &stripped)
	}
	return byChecker(t, dir, list)
}

// byChecker runs analyzers as golangci-lint and nogo do, in a driver of x/tools.
func byChecker(t *testing.T, dir string, list []*analysis.Analyzer) []string {
	t.Helper()
	if err := analysis.Validate(list); err != nil {
		t.Fatal(err)
	}
	pkgs, err := packages.Load(&packages.Config{Mode: packages.LoadAllSyntax, Dir: dir, Tests: true}, "./...")
	if err != nil {
		t.Fatal(err)
	}
	graph, err := checker.Analyze(list, pkgs, nil)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for act := range graph.All() {
		if act.Err != nil {
			t.Errorf("%s: %v", act, act.Err)
		}
		if !act.IsRoot {
			continue
		}
		for _, d := range act.Diagnostics {
			at := act.Package.Fset.Position(d.Pos)
			rel, err := filepath.Rel(dir, at.Filename)
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, fmt.Sprintf("%s:%d %s", filepath.ToSlash(rel), at.Line, act.Analyzer.Name))
		}
	}
	return found
}

func byLSP(t *testing.T, dir string) []string {
	in, out := newPipe(), &lockedBuffer{}
	exited := make(chan int, 1)
	go func() { exited <- run(context.Background(), []string{"lsp"}, in, out, &bytes.Buffer{}) }()
	in.message(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"rootUri":"file://` + filepath.ToSlash(dir) + `","capabilities":{}}}`)
	in.message(`{"jsonrpc":"2.0","method":"initialized","params":{}}`)
	out.await(t, `memory.go","diagnostics"`) // the last file by name
	in.message(`{"jsonrpc":"2.0","id":2,"method":"shutdown"}`)
	in.message(`{"jsonrpc":"2.0","method":"exit"}`)
	if code := <-exited; code != exitDone {
		t.Errorf("exit code %d", code)
	}
	var list []string
	for _, body := range strings.Split(out.String(), "Content-Length: ")[1:] {
		_, body, _ = strings.Cut(body, "\r\n\r\n")
		var m struct {
			Params struct {
				URI         string
				Diagnostics []struct {
					Code  string
					Range struct{ Start struct{ Line int } }
				}
			}
		}
		if err := json.Unmarshal([]byte(body), &m); err != nil {
			t.Fatal(err)
		}
		rel := strings.TrimPrefix(m.Params.URI, "file://"+filepath.ToSlash(dir)+"/")
		for _, d := range m.Params.Diagnostics {
			list = append(list, fmt.Sprintf("%s:%d %s", rel, d.Range.Start.Line+1, d.Code))
		}
	}
	return list
}
