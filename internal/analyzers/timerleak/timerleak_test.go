package timerleak

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"
	"golang.org/x/tools/txtar"
)

// Each archive of testdata is a tree of modules. Its comment may name the
// module to analyse ("dir: old") and the toolchain ("toolchain: go1.27.4");
// without one it is the last that knows both meanings. "also: …" is a
// diagnostic that no want comment can stand beside.
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
