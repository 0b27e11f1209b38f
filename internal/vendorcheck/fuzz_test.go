package vendorcheck

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fractl/fractl/internal/workspace"
)

// FuzzCheck: whatever stands in go.mod and modules.txt, a check comes to an end
// without a panic, and twice to the same.
func FuzzCheck(f *testing.F) {
	f.Add(moduleBase["go.mod"], smallVendored["vendor/modules.txt"], "example.com/lib/a.go")
	f.Add(smallVendored["go.mod"], "## workspace\n# a v1 => ./b\n## explicit; go 1\na\n# a => ./c\n", "a/b/c.go")
	f.Add("module a\n\ngo 1.13\n\nreplace a v1.0.0 => a v1.0.0\n", "# => v1.0.0\n", "vendor/x.go")
	f.Fuzz(func(t *testing.T, mod, list, file string) {
		dir := t.TempDir()
		for name, text := range map[string]string{"go.mod": mod, "vendor/modules.txt": list} {
			if err := writeFile(filepath.Join(dir, name), text); err != nil {
				t.Fatal(err)
			}
		}
		if name := filepath.Join("vendor", filepath.FromSlash(file)); filepath.IsLocal(name) && name != "vendor" {
			_ = writeFile(filepath.Join(dir, name), "package x\n\n//go:embed "+file+"\n") // not every name is one
		}
		ws, err := workspace.Load(dir)
		if err != nil {
			return
		}
		opt := Options{Environ: []string{"GOFLAGS=-mod=vendor", "GOENV=off"}}
		one, err := Check(context.Background(), ws, opt)
		if err != nil {
			return
		}
		two, err := Check(context.Background(), ws, opt)
		if err != nil || !slices.Equal(brief(one.Findings), brief(two.Findings)) {
			t.Errorf("two runs differ, %v:\n%v\n%v", err, brief(one.Findings), brief(two.Findings))
		}
		for _, f := range one.Findings {
			if strings.ContainsAny(f.Message, "\n") || f.Message == "" || f.File == "" {
				t.Errorf("finding %+v", f)
			}
		}
	})
}

func FuzzEmbedPatterns(f *testing.F) {
	f.Add("a b \"c d\" `e` all:f")
	f.Fuzz(func(t *testing.T, args string) {
		for _, p := range embedPatterns(args) {
			if len(p) > len(args) {
				t.Errorf("%q out of %q", p, args)
			}
		}
	})
}

// BenchmarkCheck measures metadata of a vendor folder as large as the largest
// that are public: 300 modules, 1,800 packages, 9,000 files.
func BenchmarkCheck(b *testing.B) {
	files := map[string]string{}
	var mod, list strings.Builder
	mod.WriteString("module example.com/app\n\ngo 1.24\n\nrequire (\n")
	for i := range 300 {
		path := fmt.Sprintf("example.com/mod%03d", i)
		fmt.Fprintf(&mod, "\t%s v1.2.3\n", path)
		fmt.Fprintf(&list, "# %s v1.2.3\n## explicit; go 1.21\n", path)
		for j := range 6 {
			pkg := fmt.Sprintf("%s/pkg%d", path, j)
			fmt.Fprintf(&list, "%s\n", pkg)
			for k := range 5 {
				files[fmt.Sprintf("vendor/%s/f%d.go", pkg, k)] = "package p\n"
			}
		}
	}
	files["go.mod"] = mod.String() + ")\n"
	files["vendor/modules.txt"] = list.String()
	dir := tree(b, files)
	opt := Options{Environ: append(os.Environ(), "GOFLAGS=", "GOWORK=off")}
	b.ReportAllocs()
	for b.Loop() {
		ws, err := workspace.Load(dir)
		if err != nil {
			b.Fatal(err)
		}
		r, err := Check(context.Background(), ws, opt)
		if err != nil || len(r.Findings) > 0 {
			b.Fatal(err, brief(r.Findings))
		}
	}
}
