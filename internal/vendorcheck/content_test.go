package vendorcheck

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vendorcheck/proof"
)

// vaultOf is the vault over the module cache of g.
func vaultOf(g *goTool) *proof.Vault { return &proof.Vault{ModCache: ModCache(g.environ)} }

// vendorRules are the rules about one vendor folder.
var vendorRules = []string{ModulesTxtRule, ReplaceDriftRule, ReplaceIntoVendorRule, RequireDriftRule, StaleVendorRule, UnprovenRule, VendorBypassRule, VendorContentRule}

// checkContent is check with the content of files.
func checkContent(t testing.TB, g *goTool, dir string, v *proof.Vault, strict bool) *Result {
	t.Helper()
	r, err := Check(context.Background(), load(t, dir), Options{Environ: append(slices.Clone(g.environ), "GOFLAGS=-mod=vendor"), Vault: v, Strict: strict, Rules: vendorRules})
	if err != nil {
		t.Fatalf("check: %v", err)
	}
	return r
}

func copyTree(t testing.TB, from string) string {
	t.Helper()
	dir := tree(t, nil)
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// contentRows are mutations that the go command does not see.
func contentRows() []row {
	add := func(name, text string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { rewrite(t, dir, name, text) }
	}
	sub := func(name, old, new string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { edit(t, dir, name, old, new) }
	}
	remove := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.RemoveAll(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
				t.Fatal(err)
			}
		}
	}
	return []row{
		{name: "clean", mutate: func(*testing.T, string) {}},
		{name: "01 edited", mutate: sub("vendor/example.com/errors/errors.go", "V = 91", "V = 92"),
			want: []string{"error vendorcontent vendor/example.com/errors/errors.go:0 example.com/errors/errors.go is not the file of example.com/errors v0.9.1 that go.sum vouches for"}},
		{name: "02 edited copy of a local module", mutate: sub("vendor/example.com/lib/lib.go", "var FS", "var  FS"),
			want: []string{"error stalevendor vendor/modules.txt:5 vendor/example.com/lib is not a copy of lib: lib.go is newer in vendor/"}},
		{name: "03 local source newer", mutate: sub("lib/lib.go", "var FS", "var  FS"),
			want: []string{"error stalevendor vendor/modules.txt:5 lib.go is older in vendor/"}},
		{name: "04 embedded file newer", mutate: add("lib/data/a.txt", "b\n"),
			want: []string{"error stalevendor vendor/modules.txt:5 data/a.txt is older in vendor/"}},
		{name: "05 new file in the local module", mutate: add("lib/new.go", "package lib\n"),
			want: []string{"error stalevendor vendor/modules.txt:5 new.go is not in vendor/"}},
		{name: "new embedded file", mutate: add("lib/data/b.txt", "b\n"),
			want: []string{"error stalevendor vendor/modules.txt:5 data/b.txt is not in vendor/"}},
		{name: "08 local go line", mutate: sub("lib/go.mod", "go 1.20", "go 1.21"),
			want: []string{"error modulestxt vendor/modules.txt:6 example.com/lib v0.0.0 is noted with go 1.20, but lib/go.mod:3 says go 1.21"}},
		{name: "09 file missing", mutate: remove("vendor/example.com/errors/extra.go"),
			want: []string{"error vendorcontent vendor/example.com/errors/extra.go:0 extra.go of example.com/errors v0.9.1 is missing"}},
		{name: "10 licence missing", mutate: remove("vendor/example.com/errors/LICENSE"),
			want: []string{"error vendorcontent vendor/example.com/errors/LICENSE:0 LICENSE of example.com/errors v0.9.1 is missing"}},
		{name: "11 embedded file missing", mutate: remove("vendor/example.com/quote/text/a.txt"),
			want: []string{"error vendorcontent vendor/example.com/quote/text/a.txt:0 text/a.txt of example.com/quote v1.5.2 is missing"}},
		{name: "12 package missing", mutate: remove("vendor/example.com/errors/wrap"),
			want: []string{"error modulestxt vendor/modules.txt:4 package example.com/errors/wrap is listed, but vendor/example.com/errors/wrap holds no Go file"}},
		{name: "13 code added", mutate: add("vendor/example.com/errors/init.go", "package errors\n\nfunc init() {}\n"),
			want: []string{"error vendorcontent vendor/example.com/errors/init.go:0 was added: example.com/errors v0.9.1 has no such file, and a build may compile it"}},
		{name: "14 package added", mutate: add("vendor/example.com/errors/more/more.go", "package more\n"),
			want: []string{"error modulestxt vendor/modules.txt:1 package example.com/errors/more is in vendor, but not listed"}},
		{name: "16 text added", mutate: add("vendor/example.com/errors/notes.txt", "x\n"),
			want: []string{"warning vendorcontent vendor/example.com/errors/notes.txt:0 was added"}},
		{name: "17 test copied", mutate: add("vendor/example.com/errors/errors_test.go", "package errors\n"),
			want: []string{"error vendorcontent vendor/example.com/errors/errors_test.go:0 is of example.com/errors v0.9.1, but 'go mod vendor' does not copy it"}},
		{name: "18 go.mod copied", mutate: add("vendor/example.com/errors/go.mod", "module example.com/errors\n\ngo 1.12\n"),
			want: []string{"warning vendorcontent vendor/example.com/errors/go.mod:0 'go mod vendor' does not copy it"}},
		{name: "19 object added", mutate: add("vendor/example.com/errors/x.syso", "x"),
			want: []string{"error vendorcontent vendor/example.com/errors/x.syso:0 a build may compile it"}},
		{name: "19 assembly in no module", mutate: add("vendor/example.org/x.s", "x"),
			want: []string{"error vendorcontent vendor/example.org/x.s:0 no module of modules.txt holds it, and a build may compile it"}},
		{name: "20 link", mutate: func(t *testing.T, dir string) {
			name := filepath.Join(dir, "vendor/example.com/errors/errors.go")
			remove("vendor/example.com/errors/errors.go")(t, dir)
			if err := os.Symlink("../../../main.go", name); err != nil {
				t.Skip(err)
			}
		}, want: []string{"error vendorcontent vendor/example.com/errors/errors.go:0 is a symbolic link to ../../../main.go"}},
		{name: "21 executable", mutate: func(t *testing.T, dir string) {
			if err := os.Chmod(filepath.Join(dir, "vendor/example.com/errors/errors.go"), 0o755); err != nil {
				t.Fatal(err)
			}
		}, want: []string{"warning vendorcontent vendor/example.com/errors/errors.go:0 is executable"}},
		{name: "22 line ends", mutate: func(t *testing.T, dir string) {
			rewrite(t, dir, "vendor/example.com/errors/errors.go", strings.ReplaceAll(read(t, dir, "vendor/example.com/errors/errors.go"), "\n", "\r\n"))
		}, want: []string{"error vendorcontent vendor/example.com/errors/errors.go:0 is not the file"}},
		{name: "case only", mutate: func(t *testing.T, dir string) {
			rewrite(t, dir, "vendor/example.com/errors/ERRORS.go", read(t, dir, "vendor/example.com/errors/errors.go"))
		}, want: []string{
			"error vendorcontent vendor/example.com/errors/errors.go:0 differs from example.com/errors/ERRORS.go in case only",
			"error vendorcontent vendor/example.com/errors/ERRORS.go:0 was added"}},
		{name: "look-alike", mutate: add("vendor/example.com/errors/еrrors.go", "package errors\n"),
			want: []string{`error vendorcontent vendor/example.com/errors/еrrors.go:0 "example.com/errors/\u0435rrors.go" was added`}},
		{name: "70 hash in go.sum changed", mutate: func(t *testing.T, dir string) {
			rewrite(t, dir, "go.sum", strings.Replace(read(t, dir, "go.sum"), "errors v0.9.1 h1:", "errors v0.9.1 h1:AAAA", 1))
		}, want: []string{"error vendorcontent go.sum:1 the module cache's folder of example.com/errors v0.9.1 is not what go.sum vouches for",
			"error vendorcontent go.sum:1 the module cache's zip of example.com/errors v0.9.1 is not what go.sum vouches for",
			"note unproven vendor/modules.txt:1 4 files of example.com/errors v0.9.1: not proven"}},
		{name: "71 line of go.sum dropped", mutate: func(t *testing.T, dir string) {
			var kept []string
			for line := range strings.Lines(read(t, dir, "go.sum")) {
				if !strings.HasPrefix(line, "example.com/errors v0.9.1 ") {
					kept = append(kept, line)
				}
			}
			rewrite(t, dir, "go.sum", strings.Join(kept, ""))
		}, want: []string{"note unproven vendor/modules.txt:1 4 files of example.com/errors v0.9.1: not proven: go.sum does not name it"}},
		{name: "103 no folder", mutate: remove("lib"),
			want: []string{"error stalevendor go.mod:16 replace example.com/lib => ./lib: there is no folder lib"}},
		{name: "122 another module", mutate: sub("lib/go.mod", "module example.com/lib", "module example.com/other"),
			want: []string{"warning stalevendor go.mod:16 the go.mod in lib is of module example.com/other"}},
		{name: "125 noise", mutate: add("lib/.lib.go.swp", "x")},
		{name: "100 link in a local module", mutate: func(t *testing.T, dir string) {
			if err := os.Symlink("lib.go", filepath.Join(dir, "lib", "alias.go")); err != nil {
				t.Skip(err)
			}
		}, want: []string{"error stalevendor lib/alias.go:0 lib/alias.go is a symbolic link, which 'go mod vendor' leaves out"}},
		{name: "allowed", mutate: func(t *testing.T, dir string) {
			rewrite(t, dir, "fractl.yaml", "version: 1\nvendor: {allow: [OWNERS]}\n")
			rewrite(t, dir, "vendor/OWNERS", "x\n")
			rewrite(t, dir, "vendor/example.com/errors/OWNERS", "x\n")
		}},
		{name: "never code", mutate: func(t *testing.T, dir string) {
			rewrite(t, dir, "fractl.yaml", "version: 1\nvendor: {allow: [\"*\"]}\n")
			rewrite(t, dir, "vendor/example.com/errors/a.s", "x\n")
		}, want: []string{"error vendorcontent vendor/example.com/errors/a.s:0 was added"}},
	}
}

// TestContentRows holds each mutation to its findings: with the module cache, and
// with manifests alone, where that can tell as much.
func TestContentRows(t *testing.T) {
	g := newGo(t)
	base := tree(t, moduleBase)
	g.must(t, base, nil, "mod", "tidy")
	g.must(t, base, nil, "mod", "vendor")
	g.must(t, base, nil, "mod", "download", "all")
	clean := checkContent(t, g, base, vaultOf(g), true)
	if len(clean.Findings) > 0 || len(clean.Proven) != 4 {
		t.Fatalf("%d proven, %s", len(clean.Proven), strings.Join(brief(clean.Findings), "\n"))
	}
	manifest := filepath.Join(t.TempDir(), "vendor.sums")
	if err := proof.WriteFile(manifest, clean.Proven); err != nil {
		t.Fatal(err)
	}
	file, err := proof.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	kept := t.TempDir()
	for _, c := range clean.Proven {
		if err := (&proof.Vault{Kept: kept}).Keep(c); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range contentRows() {
		for source, v := range map[string]*proof.Vault{
			"cache": vaultOf(g), "manifest": {ModCache: t.TempDir(), File: file}, "kept": {ModCache: t.TempDir(), Kept: kept},
		} {
			t.Run(r.name+"/"+source, func(t *testing.T) {
				t.Parallel()
				dir := copyTree(t, base)
				r.mutate(t, dir)
				want := r.want
				if source != "cache" && strings.HasPrefix(r.name, "70") {
					want = want[2:] // there is no module cache that could be wrong
				}
				got := brief(checkContent(t, g, dir, v, false).Findings)
				if len(got) != len(want) {
					t.Errorf("%d findings, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
				}
				for _, w := range want {
					f := strings.SplitN(w, " ", 4)
					if !slices.ContainsFunc(got, func(line string) bool {
						return strings.HasPrefix(line, strings.Join(f[:3], " ")) && strings.Contains(line, f[3])
					}) {
						t.Errorf("no finding %q in\n%s", w, strings.Join(got, "\n"))
					}
				}
			})
		}
	}
}

// TestCleanClone looks for vendored files that git leaves out.
func TestCleanClone(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip(err)
	}
	g := newGo(t)
	dir := tree(t, moduleBase)
	g.must(t, dir, nil, "mod", "tidy")
	g.must(t, dir, nil, "mod", "vendor")
	git := func(args ...string) {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	git("init", "-q")
	rewrite(t, dir, ".gitignore", "*.txt\n!modules.txt\nwrap\n")
	if got := brief(checkContent(t, g, dir, vaultOf(g), false).Findings); len(got) != 2 ||
		!strings.HasPrefix(got[0], `note vendorcontent .gitignore:1 "*.txt" makes git leave out vendored files`) ||
		!strings.HasPrefix(got[1], `warning vendorcontent .gitignore:3 "wrap" makes git leave out vendored files, which a clean clone lacks: example.com/errors/wrap/wrap.go`) {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
	if list := checkContent(t, g, dir, vaultOf(g), true).Findings; worst(list) != finding.Error {
		t.Errorf("strict: %s", strings.Join(brief(list), "\n"))
	}
	git("add", "-f", "vendor")
	if list := checkContent(t, g, dir, vaultOf(g), true).Findings; len(list) > 0 {
		t.Errorf("tracked: %s", strings.Join(brief(list), "\n"))
	}
}

// TestTamperedCache changes the module cache, and vendors from it.
func TestTamperedCache(t *testing.T) {
	shared := newGo(t)
	base := tree(t, moduleBase)
	shared.must(t, base, nil, "mod", "tidy")
	type cache struct {
		*testing.T
		dir, zip string
		g        *goTool
	}
	changeFolder := func(c cache) {
		name := filepath.Join(c.dir, "errors.go")
		if err := os.WriteFile(name, []byte("package errors\n\nconst V = 666\n"), 0o644); err != nil {
			c.Fatal(err)
		}
	}
	changeZip := func(c cache) {
		rezip(c.T, c.zip, "errors.go", "package errors\n\nconst V = 666\n")
	}
	const changed = "error vendorcontent vendor/example.com/errors/errors.go:0"
	for name, c := range map[string]struct {
		tamper func(cache)
		strict bool
		want   []string
	}{
		"T1 folder":           {changeFolder, false, []string{changed, "error vendorcontent go.sum:1 the module cache's folder"}},
		"T2 folder and zip":   {func(c cache) { changeFolder(c); changeZip(c) }, false, []string{"error vendorcontent go.sum:1 the module cache's folder", "error vendorcontent go.sum:1 the module cache's zip", "note unproven vendor/modules.txt:1"}},
		"T3 zip":              {changeZip, false, []string{"error vendorcontent go.sum:1 the module cache's zip"}},
		"T3 bit of the zip":   {func(c cache) { flip(c.T, c.zip) }, true, []string{"error vendorcontent go.sum:1 the module cache's zip"}},
		"T3b zip, no folder":  {func(c cache) { changeZip(c); os.RemoveAll(c.dir) }, false, []string{"error vendorcontent go.sum:1 the module cache's folder", "error vendorcontent go.sum:1 the module cache's zip", "note unproven"}},
		"nothing":             {func(cache) {}, true, nil},
		"folder has one more": {func(c cache) { os.WriteFile(filepath.Join(c.dir, "x.go"), []byte("package errors\n"), 0o644) }, false, []string{"error vendorcontent vendor/example.com/errors/x.go:0", "error vendorcontent go.sum:1 the module cache's folder"}},
	} {
		t.Run(name, func(t *testing.T) {
			own := t.TempDir()
			g := &goTool{environ: append(slices.Clone(shared.environ), "GOMODCACHE="+own)}
			dir := copyTree(t, base)
			g.must(t, dir, nil, "mod", "download", "all")
			c.tamper(cache{t, filepath.Join(own, "example.com", "errors@v0.9.1"), filepath.Join(own, "cache", "download", "example.com", "errors", "@v", "v0.9.1.zip"), g})
			g.must(t, dir, nil, "mod", "vendor")
			list := checkContent(t, g, dir, vaultOf(g), false).Findings
			if c.strict {
				v := vaultOf(g)
				v.Thorough = true
				list = checkContent(t, g, dir, v, false).Findings
			}
			got := brief(list)
			if len(got) != len(c.want) {
				t.Errorf("%d findings, want %d", len(got), len(c.want))
			}
			for _, w := range c.want {
				if !slices.ContainsFunc(got, func(line string) bool { return strings.HasPrefix(line, w) }) {
					t.Errorf("no finding %q", w)
				}
			}
			if t.Failed() {
				t.Log(strings.Join(got, "\n"))
			}
		})
	}
}

// rezip writes a zip anew with other bytes in one of its files.
func rezip(t *testing.T, name, file, text string) {
	t.Helper()
	r, err := zip.OpenReader(name)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range r.File {
		out, err := w.Create(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f.Name, "/"+file) {
			_, err = io.WriteString(out, text)
		} else {
			var in io.ReadCloser
			if in, err = f.Open(); err == nil {
				_, err = io.Copy(out, in)
				in.Close()
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	r.Close()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// flip changes one bit of the compressed data of a zip.
func flip(t *testing.T, name string) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(data, []byte("errors.go")) + len("errors.go") + 12
	data[at] ^= 4
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestFlippedBits flips a bit in each of many files, one at a time, chosen by
// chance: each is found.
func TestFlippedBits(t *testing.T) {
	g := newGo(t)
	base := tree(t, moduleBase)
	g.must(t, base, nil, "mod", "tidy")
	g.must(t, base, nil, "mod", "vendor")
	var files []string
	err := fs.WalkDir(os.DirFS(base), "vendor", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && d.Name() != "modules.txt" {
			files = append(files, name)
		}
		return err
	})
	if err != nil || len(files) < 8 {
		t.Fatal(files, err)
	}
	chance := rand.New(rand.NewPCG(1, 2))
	for _, name := range files {
		full := filepath.Join(base, filepath.FromSlash(name))
		data, err := os.ReadFile(full)
		if err != nil {
			t.Fatal(err)
		}
		changed := slices.Clone(data)
		changed[chance.IntN(len(data))] ^= 1 << chance.IntN(8)
		if err := os.WriteFile(full, changed, 0o644); err != nil {
			t.Fatal(err)
		}
		list := checkContent(t, g, base, vaultOf(g), false).Findings
		if !slices.ContainsFunc(list, func(f finding.Finding) bool {
			return f.Severity == finding.Error && (f.File == name || f.Rule == StaleVendorRule)
		}) {
			t.Errorf("%s: not found in %s", name, fmt.Sprint(brief(list)))
		}
		if err := os.WriteFile(full, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
