package vendorcheck

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// smallVendored is a vendored module without a drift.
var smallVendored = map[string]string{
	"go.mod":                        "module example.com/app\n\ngo 1.21\n\nrequire example.com/lib v1.0.0\n",
	"app.go":                        "package app\n\nimport _ \"example.com/lib\"\n",
	"vendor/modules.txt":            "# example.com/lib v1.0.0\n## explicit; go 1.20\nexample.com/lib\n",
	"vendor/example.com/lib/lib.go": "package lib\n",
}

// with is a copy of files with further ones; an empty text takes one away.
func with(files map[string]string, further ...string) map[string]string {
	all := map[string]string{}
	for name, text := range files {
		all[name] = text
	}
	for i := 0; i < len(further); i += 2 {
		if further[i+1] == "" {
			delete(all, further[i])
			continue
		}
		all[further[i]] = further[i+1]
	}
	return all
}

// below moves files into a folder.
func below(dir string, files map[string]string) map[string]string {
	moved := map[string]string{}
	for name, text := range files {
		moved[dir+"/"+name] = text
	}
	return moved
}

// TestBypass holds each way in which a build would not use vendor/ to a finding
// that names its source.
func TestBypass(t *testing.T) {
	const workspaceList = "## workspace\n# example.com/lib v1.0.0\n## explicit; go 1.20\nexample.com/lib\n"
	tests := []struct {
		name    string
		files   map[string]string
		environ []string // $DIR is the tree
		prepare func(t *testing.T, dir string)
		want    []string // parts of the brief lines, one each
		// used is true where the go command builds from vendor/.
		used bool
	}{
		{name: "default", files: smallVendored, used: true},
		{name: "GOFLAGS vendor", files: smallVendored, environ: []string{"GOFLAGS=-mod=vendor"}, used: true},
		{name: "GOFLAGS mod", files: smallVendored, environ: []string{"GOFLAGS=-v -mod=mod"},
			want: []string{"error vendorbypass vendor/modules.txt:0 builds take the module cache and not vendor: GOFLAGS=-mod=mod, set in the environment"}},
		{name: "GOFLAGS readonly, two dashes", files: smallVendored, environ: []string{"GOFLAGS=--mod=readonly"},
			want: []string{"error vendorbypass vendor/modules.txt:0 builds take the module cache and not vendor: GOFLAGS=-mod=readonly, set in the environment"}},
		{name: "go env -w", files: with(smallVendored, "env", "GOFLAGS=-mod=mod\n"), environ: []string{"GOENV=$DIR/env", "GOFLAGS="},
			want: []string{"GOFLAGS=-mod=mod, set by 'go env -w'"}},
		{name: "environment before go env -w", files: with(smallVendored, "env", "GOFLAGS=-mod=mod\n"), environ: []string{"GOENV=$DIR/env", "GOFLAGS=-mod=vendor"}, used: true},
		{name: "go 1.13", files: with(smallVendored, "go.mod", strings.Replace(smallVendored["go.mod"], "1.21", "1.13", 1)),
			want: []string{"warning vendorbypass go.mod:3 builds do not use vendor: below go 1.14, here go 1.13, -mod=vendor is not the default"}},
		{name: "no go line", files: with(smallVendored, "go.mod", strings.Replace(smallVendored["go.mod"], "go 1.21\n", "", 1)),
			want: []string{"warning vendorbypass go.mod:1 builds do not use vendor: without a go line"}},
		{name: "workspace line", files: with(smallVendored, "vendor/modules.txt", workspaceList),
			want: []string{"error vendorbypass vendor/modules.txt:1 builds do not use vendor: its first line says '## workspace', and this build is that of the module go.mod alone"}},
		{name: "go.work above", files: with(below("app", smallVendored), "go.work", "go 1.21\n\nuse ./app\n"),
			want: []string{"warning vendorbypass app/go.mod:1 builds here do not use app/vendor: go.work stands above it"}},
		{name: "go.work above, GOWORK off", files: with(below("app", smallVendored), "go.work", "go 1.21\n\nuse ./app\n"), environ: []string{"GOWORK=off"}, used: true},
		{name: "GOWORK names a file", files: with(below("app", smallVendored), "ci/ci.work", "go 1.21\n\nuse ../app\n"), environ: []string{"GOWORK=$DIR/ci/ci.work"},
			want: []string{"warning vendorbypass app/go.mod:1 builds here do not use app/vendor: ci/ci.work is named by GOWORK, set in the environment"}},
		{name: "workspace beside its root module", files: with(smallVendored, "go.work", "go 1.21\n\nuse .\n"),
			want: []string{"warning vendorbypass vendor/modules.txt:1 builds do not use vendor: its first line does not say '## workspace', and this build is that of the workspace go.work"}},
		{name: "workspace line lost", files: with(below("app", with(smallVendored, "vendor/modules.txt", "", "vendor/example.com/lib/lib.go", "")),
			"go.work", "go 1.21\n\nuse ./app\n", "vendor/modules.txt", smallVendored["vendor/modules.txt"], "vendor/example.com/lib/lib.go", "package lib\n"),
			want: []string{"error vendorbypass vendor/modules.txt:1 builds do not use vendor: its first line does not say '## workspace'"}},
		{name: "workspace switched off", files: with(below("app", with(smallVendored, "vendor/modules.txt", "", "vendor/example.com/lib/lib.go", "")),
			"go.work", "go 1.21\n\nuse ./app\n", "vendor/modules.txt", workspaceList, "vendor/example.com/lib/lib.go", "package lib\n"), environ: []string{"GOWORK=off"},
			want: []string{"warning vendorbypass vendor/modules.txt:0 GOWORK=off, set in the environment, switches go.work off, and vendor with it"}},
		{name: "workspace with -mod=mod", files: with(below("app", with(smallVendored, "vendor/modules.txt", "", "vendor/example.com/lib/lib.go", "")),
			"go.work", "go 1.21\n\nuse ./app\n", "vendor/modules.txt", workspaceList, "vendor/example.com/lib/lib.go", "package lib\n"), environ: []string{"GOFLAGS=-mod=mod"},
			want: []string{"error vendorbypass vendor/modules.txt:0 the go command refuses to build: GOFLAGS=-mod=mod, set in the environment, is not allowed in a workspace"}},
		{name: "modules off", files: smallVendored, environ: []string{"GO111MODULE=off"},
			want: []string{"warning vendorbypass vendor/modules.txt:0 GO111MODULE=off, set in the environment, makes builds ignore go.mod"}},
		{name: "vendor is a file", files: map[string]string{"go.mod": smallVendored["go.mod"], "vendor": "x\n"},
			want: []string{"warning vendorbypass vendor:0 vendor is a file: builds do not use it"}},
		{name: "vendor is a link", files: below("real", smallVendored), prepare: func(t *testing.T, dir string) {
			if err := os.Rename(filepath.Join(dir, "real/go.mod"), filepath.Join(dir, "go.mod")); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("real/vendor", filepath.Join(dir, "vendor")); err != nil {
				t.Skip(err)
			}
		}, want: []string{"note vendorbypass vendor:0 vendor is a link to real/vendor"}, used: true},
		{name: "vendor is a link to nowhere", files: with(smallVendored, "vendor/modules.txt", "", "vendor/example.com/lib/lib.go", ""), prepare: func(t *testing.T, dir string) {
			if err := os.Symlink("nowhere", filepath.Join(dir, "vendor")); err != nil {
				t.Skip(err)
			}
		}, want: []string{"warning vendorbypass vendor:0 vendor is a link that leads nowhere: builds do not use it"}},
		{name: "modfile", files: with(smallVendored, "ci.mod", strings.Replace(smallVendored["go.mod"], "v1.0.0", "v1.1.0", 1)), environ: []string{"GOFLAGS=-modfile=ci.mod"},
			want: []string{"error requiredrift ci.mod:5 require example.com/lib v1.1.0, but vendor/modules.txt:1 has v1.0.0"}, used: true},
		{name: "modfile missing", files: smallVendored, environ: []string{"GOFLAGS=-modfile=ci.mod"},
			want: []string{"error vendorbypass vendor/modules.txt:0 the go command refuses to build: GOFLAGS=-modfile=ci.mod, set in the environment, names no file"}},
		{name: "overlay", files: with(smallVendored, "overlay.json", `{"Replace": {"vendor/example.com/lib/lib.go": "other.go", "x.go": "y.go"}}`), environ: []string{"GOFLAGS=-overlay=overlay.json"},
			want: []string{"warning vendorbypass vendor/modules.txt:0 builds do not use vendor as it is: GOFLAGS=-overlay=overlay.json, set in the environment, puts other files in the place of 1, first vendor/example.com/lib/lib.go"}, used: true},
		{name: "overlay missing", files: smallVendored, environ: []string{"GOFLAGS=-overlay=overlay.json"},
			want: []string{"error vendorbypass vendor/modules.txt:0 the go command refuses to build: GOFLAGS=-overlay=overlay.json, set in the environment, names no overlay file"}},
		{name: "-mod=vendor without vendor", files: map[string]string{"go.mod": smallVendored["go.mod"]}, environ: []string{"GOFLAGS=-mod=vendor"},
			want: []string{"error modulestxt go.mod:0 there is no vendor, but GOFLAGS=-mod=vendor, set in the environment"}, used: true},
		{name: "-mod=vendor without dependencies", files: map[string]string{"go.mod": "module example.com/app\n\ngo 1.21\n"}, environ: []string{"GOFLAGS=-mod=vendor"}, used: true},
		{name: "not Go's vendor", files: map[string]string{"go.mod": "module example.com/app\n\ngo 1.21\n", "vendor/composer/autoload.php": "<?php\n"}, used: true},
		{name: "modules.txt is a folder", files: with(smallVendored, "vendor/modules.txt", "", "vendor/modules.txt/x", "x"),
			want: []string{"error modulestxt vendor/modules.txt:0 vendor/modules.txt is not a regular file"}, used: true},
	}
	g := newGo(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := tree(t, tt.files)
			if tt.prepare != nil {
				tt.prepare(t, dir)
			}
			environ := []string{"GOFLAGS="}
			for _, kv := range tt.environ {
				environ = append(environ, strings.ReplaceAll(kv, "$DIR", filepath.ToSlash(dir)))
			}
			got := brief(check(t, g, dir, environ...))
			if len(got) != len(tt.want) {
				t.Fatalf("%d findings, want %d:\n%s", len(got), len(tt.want), strings.Join(got, "\n"))
			}
			for i, want := range tt.want {
				if !strings.Contains(got[i], want) {
					t.Errorf("got  %s\nwant %s", got[i], want)
				}
			}
			held := usesVendor(t, g, dir, environ)
			if held != tt.used {
				t.Errorf("the go command uses vendor/: %v, want %v", held, tt.used)
			}
		})
	}
}

// usesVendor asks the go command itself, from the module's folder: it cannot
// list all modules where it builds from vendor/, and says so.
func usesVendor(t *testing.T, g *goTool, dir string, environ []string) bool {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "app", "go.mod")); err == nil {
		dir = filepath.Join(dir, "app")
	}
	out, _ := g.run(dir, environ, "list", "-m", "all")
	for _, sign := range []string{"using the vendor directory", "inconsistent vendoring", "modules.txt: is a directory"} {
		if strings.Contains(out, sign) {
			return true
		}
	}
	return false
}

// TestBothOwn: where a module and a workspace own one vendor folder and the
// list fits only the one that its first line does not name, that line is the
// only finding.
func TestBothOwn(t *testing.T) {
	g := newGo(t)
	files := with(smallVendored,
		"go.work", "go 1.21\n\nuse (\n\t.\n\t./b\n)\n",
		"b/go.mod", "module example.com/b\n\ngo 1.21\n\nrequire example.com/other v1.0.0\n",
		"vendor/modules.txt", "# example.com/lib v1.0.0\n## explicit; go 1.20\nexample.com/lib\n# example.com/other v1.0.0\n## explicit\n")
	got := brief(check(t, g, tree(t, files), "GOFLAGS="))
	if len(got) != 1 || !strings.Contains(got[0], "vendorbypass vendor/modules.txt:1") {
		t.Errorf("got %s", strings.Join(got, "\n"))
	}
}

// TestScope holds which modules a folder stands for.
func TestScope(t *testing.T) {
	g := newGo(t)
	files := below("a", with(smallVendored, "go.mod", strings.Replace(smallVendored["go.mod"], "v1.0.0", "v1.1.0", 1)))
	for name, text := range below("a/internal/b", with(smallVendored, "go.mod", strings.Replace(smallVendored["go.mod"], "v1.0.0", "v1.2.0", 1))) {
		files[name] = text
	}
	files["a/testdata/broken/go.mod"] = "no module\n"
	files["a/_old/go.mod"] = "no module\n"
	files["a/vendor/example.com/lib/go.mod"] = "no module\n"
	files["a/cmd/x/main.go"] = "package main\n"
	dir := tree(t, files)
	for from, want := range map[string][]string{
		".":            {"a/go.mod:5", "a/internal/b/go.mod:5"},
		"a":            {"a/go.mod:5", "a/internal/b/go.mod:5"},
		"a/cmd/x":      {"a/go.mod:5"},
		"a/internal/b": {"a/internal/b/go.mod:5"},
		"a/internal":   {"a/go.mod:5", "a/internal/b/go.mod:5"},
	} {
		t.Run(from, func(t *testing.T) {
			r, err := Check(t.Context(), load(t, dir), Options{Dir: filepath.Join(dir, from), Rules: vendorRules, Environ: append(slices.Clone(g.environ), "GOFLAGS=")})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range r.Findings {
				got = append(got, strings.Split(brief(r.Findings[len(got):])[0], " ")[2])
				if f.Rule != RequireDriftRule {
					t.Errorf("rule %s", f.Rule)
				}
			}
			if !slices.Equal(got, want) || len(r.Vendored) != len(want) {
				t.Errorf("got %v of %v, want %v", got, r.Vendored, want)
			}
		})
	}
}

// TestBadInput holds that what cannot be judged is an error with its line.
func TestBadInput(t *testing.T) {
	g := newGo(t)
	tests := []struct {
		name    string
		files   map[string]string
		environ []string
		prepare func(t *testing.T, dir string)
		want    string
	}{
		{name: "go.mod", files: map[string]string{"a/go.mod": "module a\n\nrequire x\n"}, want: "a/go.mod:3: usage: require module/path v1.2.3"},
		{name: "two at once", files: map[string]string{"a/go.mod": "module a\n\nrequire x\n", "b/go.mod": "module b\n\ngo one\n"}, want: "b/go.mod:3: invalid go version"},
		{name: "go.mod without a module", files: map[string]string{"a/go.mod": "go 1.21\n"}, want: "a/go.mod: no module line"},
		{name: "go.work", files: map[string]string{"a/go.work": "go 1.21\n\nuse\n"}, want: "a/go.work:3: usage: use local/dir"},
		{name: "use of nothing", files: map[string]string{"a/go.work": "go 1.21\n\nuse ./b\n"}, want: "a/go.work:3: use ./b: no go.mod in that folder"},
		{name: "use twice", files: map[string]string{"a/go.work": "go 1.21\n\nuse ./b\nuse ./b/\n", "a/b/go.mod": "module b\n"}, want: "a/go.work:4: use ./b/ stands twice"},
		{name: "a module twice", files: map[string]string{"a/go.work": "go 1.21\n\nuse ./b\nuse ./c\n", "a/b/go.mod": "module b\n", "a/c/go.mod": "module b\n"}, want: "a/go.work:4: module b stands in the workspace twice"},
		{name: "GOFLAGS", files: smallVendored, environ: []string{"GOFLAGS=mod=vendor"}, want: `GOFLAGS: "mod=vendor" is not a flag, set in the environment`},
		{name: "GOFLAGS mod", files: smallVendored, environ: []string{"GOFLAGS=-mod=vendored"}, want: "GOFLAGS: -mod=vendored, set in the environment, is none of mod, readonly and vendor"},
		{name: "GOWORK relative", files: smallVendored, environ: []string{"GOWORK=x/go.work"}, want: "GOWORK: x/go.work, set in the environment, is not an absolute path"},
		{name: "GOWORK missing", files: smallVendored, environ: []string{"GOWORK=/nowhere/go.work"}, want: "GOWORK: /nowhere/go.work, set in the environment, does not exist"},
		{name: "huge go.mod", files: map[string]string{"a/x": ""}, prepare: func(t *testing.T, dir string) {
			rewrite(t, dir, "a/go.mod", "module a\n"+strings.Repeat("\n", maxFile))
		}, want: "a/go.mod: cannot be read: larger than 16 MiB"},
		{name: "unreadable folder", files: smallVendored, prepare: func(t *testing.T, dir string) {
			if os.Geteuid() == 0 || runtime.GOOS == "windows" {
				t.Skip("nothing is unreadable here")
			}
			rewrite(t, dir, "closed/x", "x")
			if err := os.Chmod(filepath.Join(dir, "closed"), 0); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.Chmod(filepath.Join(dir, "closed"), 0o755) })
		}, want: "closed: cannot be read: permission denied"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := tree(t, tt.files)
			if tt.prepare != nil {
				tt.prepare(t, dir)
			}
			_, err := Check(t.Context(), load(t, dir), Options{Environ: append(slices.Clone(g.environ), tt.environ...)})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

// TestHugeList holds that a list of any size is a finding and not a burden.
func TestHugeList(t *testing.T) {
	g := newGo(t)
	dir := tree(t, smallVendored)
	if err := os.Truncate(filepath.Join(dir, "vendor", "modules.txt"), 1<<30); err != nil {
		t.Fatal(err)
	}
	got := brief(check(t, g, dir, "GOFLAGS="))
	if len(got) != 1 || !strings.Contains(got[0], "error modulestxt vendor/modules.txt:0 vendor/modules.txt is larger than 16 MiB") {
		t.Errorf("got %s", strings.Join(got, "\n"))
	}
}
