package timerleak

import (
	"fmt"
	"go/version"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"
	"golang.org/x/tools/txtar"
)

// Each archive of testdata is a tree of modules. Its comment may name the
// module to analyse ("dir: old") and the toolchain ("toolchain: go1.27.4");
// without one it is the last that knows both meanings. "also: …" is a
// diagnostic that no want comment can stand beside. "until: go1.27" is the first
// release whose go command refuses to load the tree.
func TestTimerleak(t *testing.T) {
	archives, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil || len(archives) == 0 {
		t.Fatalf("no testdata: %v", err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			root := t.TempDir()
			for _, f := range archive.Files {
				write(t, filepath.Join(root, filepath.FromSlash(f.Name)), f.Data)
			}
			toolchain, dir, also := "go1.26.8", ".", ""
			for line := range strings.Lines(string(archive.Comment)) {
				switch key, value, _ := strings.Cut(strings.TrimSpace(line), ": "); key {
				case "dir":
					dir = value
				case "toolchain":
					toolchain = value
				case "also":
					also = value
				case "until":
					if version.Compare(runtime.Version(), value) >= 0 {
						t.Skipf("%s refuses to load what this tree sets", value)
					}
				}
			}
			a := newAnalyzer()
			if err := a.Flags.Set("toolchain", toolchain); err != nil {
				t.Fatal(err)
			}
			if also == "" {
				analysistest.Run(t, filepath.Join(root, dir), a, "./...")
				return
			}
			var rec recorder
			analysistest.Run(&rec, filepath.Join(root, dir), a, "./...")
			if len(rec) != 1 || !strings.HasSuffix(rec[0], also) {
				t.Errorf("got %q, want one that ends in %q", rec, also)
			}
		})
	}
}

// recorder keeps what analysistest complains about.
type recorder []string

func (r *recorder) Errorf(format string, args ...any) { *r = append(*r, fmt.Sprintf(format, args...)) }

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Every category is explained, and has a severity that its label ends with.
func TestSeverities(t *testing.T) {
	for category, severity := range Severities() {
		if !strings.Contains(doc, category) {
			t.Errorf("doc.go does not explain category %s", category)
		}
		if got, want := label(category), category+"/"+severity.String(); got != want {
			t.Errorf("label %q, want %q", got, want)
		}
	}
}

// The category decides the severity, and want comments do not show it: in the
// two archives with all categories, each message comes with its own.
func TestCategories(t *testing.T) {
	want := map[string][]string{
		"is never stopped":              {leak, oneShot, clock, inTest},
		"is not stopped on the path":    {onPath},
		"is made again":                 {leak, onPath},
		"is replaced at":                {leak, onPath},
		"cannot be stopped":             {tick},
		"leaves a timer behind":         {after},
		"nothing in this package stops": {leak, field},
		"for ever once the ticker":      {stopped},
		"cannot end":                    {goroutine, worker},
		"which uses":                    {afterFunc},
		"nothing can stop its callback": {callback, afterFunc},
		"arms itself again":             {afterFunc},
		"once Stop has returned (":      {drain},
		"nothing to drain":              {redundant},
		"is always 0":                   {lenCap, guard},
		"has no channel":                {nilChan},
		"makes a timer":                 {cost},
		"is dropped, so nothing":        {leak, callback, afterFunc},
		"only the channel":              {leak},
		"alone, which does not stop it": {leak},
		"blocks for ever":               {drain, nilChan},
		"the result of Reset":           {drain},
	}
	seen := make(map[string]bool)
	for _, name := range []string{"old", "new"} {
		archive, err := txtar.ParseFile(filepath.Join("testdata", name+".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		root := t.TempDir()
		for _, f := range archive.Files {
			write(t, filepath.Join(root, filepath.FromSlash(f.Name)), f.Data)
		}
		a := newAnalyzer()
		if err := a.Flags.Set("toolchain", "go1.26.8"); err != nil {
			t.Fatal(err)
		}
		for _, res := range analysistest.Run(t, root, a, "./...") {
			for _, d := range res.Diagnostics {
				category, _, _ := strings.Cut(d.Category, "/")
				seen[category] = true
				fits := false
				for part, list := range want {
					fits = fits || strings.Contains(d.Message, part) && slices.Contains(list, category)
				}
				if !fits {
					t.Errorf("%q has category %s", d.Message, category)
				}
			}
		}
	}
	for category := range Severities() {
		// godebug is what the archive directive shows.
		if !seen[category] && category != goDebug {
			t.Errorf("no case has category %s", category)
		}
	}
}
