package timermode

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// Each case is a tree; mode is old, new or debug (asynctimerchan=2).
var cases = []struct {
	name, tree      string
	dir             string
	gowork          string
	toolchain       string
	directives      []Directive
	mode, says      string
	differsFromList bool // the go command on this machine cannot be asked
}{
	{name: "go 1.22 alone", tree: "-- go.mod --\nmodule m\n\ngo 1.22\n", mode: "old", says: "go.mod:3: go 1.22"},
	{name: "go 1.23 alone", tree: "-- go.mod --\nmodule m\n\ngo 1.23.0\n", mode: "new", says: "go.mod:3: go 1.23.0"},
	{name: "no go line", tree: "-- go.mod --\nmodule m\n", mode: "old", says: "go.mod:1: no go line, so go 1.16"},
	{
		name: "go 1.22 in a go 1.26 workspace",
		tree: "-- go.work --\ngo 1.26\n\nuse ./old\n-- old/go.mod --\nmodule m\n\ngo 1.22\n",
		dir:  "old", mode: "new", says: "go.work:1: go 1.26",
	},
	{
		name: "the same, GOWORK=off",
		tree: "-- go.work --\ngo 1.26\n\nuse ./old\n-- old/go.mod --\nmodule m\n\ngo 1.22\n",
		dir:  "old", gowork: "off", mode: "old", says: "go.mod:3: go 1.22",
	},
	{
		name: "a workspace that does not use the module",
		tree: "-- go.work --\ngo 1.26\n\nuse ./new\n-- new/go.mod --\nmodule n\n-- old/go.mod --\nmodule m\n\ngo 1.22\n",
		dir:  "old", mode: "old", says: "go.mod:3: go 1.22", differsFromList: true,
	},
	{
		name: "go 1.26 in a go 1.22 workspace",
		tree: "-- go.work --\ngo 1.22\n\nuse ./new\n-- new/go.mod --\nmodule m\n\ngo 1.22\n",
		dir:  "new", mode: "old", says: "go.work:1: go 1.22",
	},
	{
		name: "a workspace without a go line",
		tree: "-- go.work --\nuse ./a\n-- a/go.mod --\nmodule m\n",
		dir:  "a", mode: "old", says: "go.work:1: no go line, so go 1.18",
	},
	{
		name: "godebug line", tree: "-- go.mod --\nmodule m\n\ngo 1.26\n\ngodebug asynctimerchan=1\n",
		mode: "old", says: "go.mod:5: godebug asynctimerchan=1",
	},
	{
		name: "godebug block", tree: "-- go.mod --\nmodule m\n\ngo 1.22\n\ngodebug (\n\tpanicnil=1\n\tasynctimerchan=0\n)\n",
		mode: "new", says: "go.mod:7: godebug asynctimerchan=0",
	},
	{
		name: "godebug default", tree: "-- go.mod --\nmodule m\n\ngo 1.26\n\ngodebug default=go1.21\n",
		mode: "old", says: "go.mod:5: godebug default=go1.21",
	},
	{
		name: "the key wins over default", tree: "-- go.mod --\nmodule m\n\ngo 1.26\n\ngodebug (\n\tasynctimerchan=0\n\tdefault=go1.21\n)\n",
		mode: "new", says: "go.mod:6: godebug asynctimerchan=0",
	},
	{
		name: "godebug of a member is ignored under go.work",
		tree: "-- go.work --\ngo 1.26\n\nuse ./a\n-- a/go.mod --\nmodule m\n\ngo 1.26\n\ngodebug asynctimerchan=1\n",
		dir:  "a", mode: "new", says: "go.work:1: go 1.26",
	},
	{
		name: "godebug of go.work",
		tree: "-- go.work --\ngo 1.26\n\ngodebug asynctimerchan=1\n\nuse ./a\n-- a/go.mod --\nmodule m\n\ngo 1.26\n",
		dir:  "a", mode: "old", says: "go.work:3: godebug asynctimerchan=1",
	},
	{
		name: "//go:debug", tree: "-- go.mod --\nmodule m\n\ngo 1.26\n",
		directives: []Directive{{File: "main.go", Line: 1, Key: "asynctimerchan", Value: "1"}},
		mode:       "old", says: "main.go:1: //go:debug asynctimerchan=1",
	},
	{
		name: "//go:debug wins over godebug", tree: "-- go.mod --\nmodule m\n\ngo 1.22\n\ngodebug asynctimerchan=1\n",
		directives: []Directive{{File: "main.go", Line: 1, Key: "asynctimerchan", Value: "0"}},
		mode:       "new", says: "main.go:1: //go:debug asynctimerchan=0",
	},
	{
		name: "//go:debug default", tree: "-- go.mod --\nmodule m\n\ngo 1.26\n",
		directives: []Directive{{File: "main.go", Line: 2, Key: "default", Value: "go1.20"}},
		mode:       "old", says: "main.go:2: //go:debug default=go1.20",
	},
	{
		name: "asynctimerchan=2", tree: "-- go.mod --\nmodule m\n\ngo 1.26\n\ngodebug asynctimerchan=2\n",
		mode: "debug", says: "go.mod:5: godebug asynctimerchan=2",
	},
	{
		name: "Go 1.27 has no such setting", tree: "-- go.mod --\nmodule m\n\ngo 1.22\n",
		toolchain: "go1.27.4", mode: "new", says: "Go 1.27.4", differsFromList: true,
	},
	{
		name: "toolchain line of Go 1.27", tree: "-- go.mod --\nmodule m\n\ngo 1.22\n\ntoolchain go1.27.4\n",
		mode: "new", says: "go.mod:5: toolchain go1.27.4", differsFromList: true,
	},
	{name: "malformed", tree: "-- go.mod --\nmodule\n(\n", mode: "unknown", differsFromList: true},
	{name: "no go.mod", tree: "-- a.txt --\n", mode: "unknown", differsFromList: true},
}

func TestFind(t *testing.T) {
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			dir := filepath.Join(extract(t, tc.tree), tc.dir)
			m := Find(Query{Dir: dir, GOWORK: tc.gowork, Toolchain: tc.toolchain, Directives: tc.directives})
			if got := describe(m); got != tc.mode {
				t.Errorf("mode %s, want %s (%v)", got, tc.mode, m)
			}
			if m.Known && m.String() != tc.says {
				t.Errorf("says %q, want %q", m, tc.says)
			}
		})
	}
}

// The go command is the judge of what a tree means.
func TestFindAgreesWithGoList(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the go command for each case")
	}
	for _, tc := range cases {
		if tc.differsFromList {
			continue
		}
		t.Run(tc.name, func(t *testing.T) {
			dir := filepath.Join(extract(t, tc.tree), tc.dir)
			var src strings.Builder
			for _, d := range tc.directives {
				src.WriteString("//go:debug " + d.Key + "=" + d.Value + "\n")
			}
			src.WriteString("\npackage main\n\nfunc main() {}\n")
			if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(src.String()), 0o644); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("go", "list", "-f", "{{.DefaultGODEBUG}}", ".")
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "GOWORK="+tc.gowork, "GOTOOLCHAIN=go1.26.8", "GOPROXY=off", "GOFLAGS=")
			out, err := cmd.Output()
			if err != nil {
				t.Skipf("no Go 1.26 to ask: %v", err)
			}
			want := "new"
			for kv := range strings.SplitSeq(strings.TrimSpace(string(out)), ",") {
				switch kv {
				case "asynctimerchan=1":
					want = "old"
				case "asynctimerchan=2":
					want = "debug"
				}
			}
			m := Find(Query{Dir: dir, GOWORK: tc.gowork, Directives: tc.directives})
			if got := describe(m); got != want {
				t.Errorf("mode %s, but go list says %s: %s", got, want, out)
			}
		})
	}
}

func describe(m Mode) string {
	switch {
	case !m.Known:
		return "unknown"
	case m.Collected && m.Synchronous:
		return "new"
	case m.Collected:
		return "debug"
	}
	return "old"
}

func extract(t *testing.T, tree string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(tree)).Files {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
