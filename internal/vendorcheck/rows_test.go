package vendorcheck

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/workspace"
)

// moduleBase is a module with a local replace that embeds, a required module
// with a dependency, and a tool.
var moduleBase = map[string]string{
	"go.mod": `module example.com/app

go 1.24

require (
	example.com/errors v0.9.1
	example.com/lib v0.0.0
	example.com/quote v1.5.2
)

require (
	example.com/sampler v1.3.0 // indirect
	example.com/tool v1.0.0 // indirect
)

replace example.com/lib => ./lib

tool example.com/tool/cmd/tool
`,
	"main.go":              "package main\n\nimport (\n\t_ \"example.com/errors/wrap\"\n\t_ \"example.com/lib\"\n\t_ \"example.com/quote\"\n)\n\nfunc main() {}\n",
	"lib/go.mod":           "module example.com/lib\n\ngo 1.20\n",
	"lib/lib.go":           "package lib\n\nimport \"embed\"\n\n//go:embed data all:skel\nvar FS embed.FS\n",
	"lib/data/a.txt":       "a\n",
	"lib/skel/cmd/main.go": "package main\n",
}

// workBase is a workspace of two modules and a library that both replace.
var workBase = map[string]string{
	"go.work":    "go 1.24\n\nuse (\n\t./a\n\t./b\n)\n",
	"a/go.mod":   "module example.com/a\n\ngo 1.23\n\nrequire (\n\texample.com/errors v0.9.1\n\texample.com/lib v0.0.0\n)\n\nreplace example.com/lib => ../lib\n",
	"a/a.go":     "package a\n\nimport (\n\t_ \"example.com/errors\"\n\t_ \"example.com/lib\"\n)\n",
	"b/go.mod":   "module example.com/b\n\ngo 1.23\n\nrequire (\n\texample.com/errors v0.8.1\n\texample.com/lib v0.0.0\n)\n\nreplace example.com/lib => ../lib\n",
	"b/b.go":     "package b\n\nimport (\n\t_ \"example.com/errors\"\n\t_ \"example.com/lib\"\n)\n",
	"lib/go.mod": "module example.com/lib\n\ngo 1.20\n",
	"lib/lib.go": "package lib\n",
}

// load reads a tree as a workspace, with whatever modules it holds.
func load(t testing.TB, dir string) *workspace.Workspace {
	t.Helper()
	ws, err := workspace.Load(dir)
	if err != nil {
		t.Fatalf("workspace: %v", err)
	}
	return ws
}

// check is Check in the environment of g and further settings.
func check(t testing.TB, g *goTool, dir string, extra ...string) []finding.Finding {
	t.Helper()
	r, err := Check(context.Background(), load(t, dir), Options{Environ: append(slices.Clone(g.environ), extra...), Rules: vendorRules})
	if err != nil {
		t.Fatalf("check: %v", err)
	}
	return r.Findings
}

// brief is one line a finding.
func brief(list []finding.Finding) []string {
	var lines []string
	for _, f := range list {
		lines = append(lines, fmt.Sprintf("%s %s %s:%d %s", f.Severity, f.Rule, f.File, f.Line, f.Message))
	}
	return lines
}

func worst(list []finding.Finding) finding.Severity {
	var s finding.Severity
	for _, f := range list {
		s = max(s, f.Severity)
	}
	return s
}

// row is one mutation of a vendored tree.
type row struct {
	name   string
	work   bool // of workBase, else of moduleBase
	mutate func(t *testing.T, dir string)
	// want are the findings, as "severity rule file:line" and a part of the
	// message; one a cause.
	want []string
	// silent is true where 'go list -deps -mod=vendor' has nothing to say.
	silent bool
}

func rows() []row {
	sub := func(name, old, new string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { edit(t, dir, name, old, new) }
	}
	txt := func(old, new string) func(*testing.T, string) { return sub("vendor/modules.txt", old, new) }
	mod := func(old, new string) func(*testing.T, string) { return sub("go.mod", old, new) }
	const lib = "# example.com/lib v0.0.0 => ./lib\n"
	return []row{
		{name: "clean", mutate: func(*testing.T, string) {}, silent: true},
		{name: "30 require bumped", mutate: mod("errors v0.9.1", "errors v0.8.1"),
			want: []string{"error requiredrift go.mod:6 require example.com/errors v0.8.1, but vendor/modules.txt:1 has v0.9.1"}},
		{name: "31 require dropped", mutate: mod("\texample.com/quote v1.5.2\n", ""),
			want: []string{"error requiredrift vendor/modules.txt:8 example.com/quote v1.5.2 is marked '## explicit', but go.mod does not require it"}},
		{name: "32 unused require added", mutate: mod("require (\n", "require (\n\texample.com/modern v1.0.0\n"),
			want: []string{"error requiredrift go.mod:6 require example.com/modern v1.0.0 is missing from vendor/modules.txt"}},
		{name: "33 replace dropped", mutate: mod("replace example.com/lib => ./lib\n", ""),
			want: []string{"error replacedrift go.mod:7 example.com/lib v0.0.0 is not replaced in go.mod, but vendor/modules.txt:5 says => ./lib"}},
		{name: "34 replace retargeted", mutate: mod("=> ./lib", "=> ./lib2"),
			want: []string{"error replacedrift go.mod:16 replace example.com/lib => ./lib2, but vendor/modules.txt:17 says => ./lib"}},
		{name: "35 slash at the end", mutate: mod("=> ./lib", "=> ./lib/"),
			want: []string{"error replacedrift go.mod:16 replace example.com/lib => ./lib/, but vendor/modules.txt:17 says => ./lib: the same folder"}},
		{name: "36 absolute path", mutate: func(t *testing.T, dir string) { edit(t, dir, "go.mod", "=> ./lib", "=> "+filepath.Join(dir, "lib")) },
			want: []string{"error replacedrift go.mod:16 says => ./lib: the same folder"}},
		{name: "37 replace of an unused module", mutate: mod("\ntool ", "\nreplace example.com/modern => ./lib\n\ntool "),
			want: []string{"error replacedrift go.mod:18 replace example.com/modern => ./lib is missing from vendor/modules.txt"}},
		{name: "38 replace of an unused version", mutate: mod("\ntool ", "\nreplace example.com/errors v0.8.1 => ./lib\n\ntool "),
			want: []string{"error replacedrift go.mod:18 replace example.com/errors v0.8.1 => ./lib is missing from vendor/modules.txt"}},
		{name: "39 wildcard to versioned", mutate: mod("replace example.com/lib =>", "replace example.com/lib v0.0.0 =>"),
			want: []string{"error replacedrift go.mod:7 example.com/lib is not replaced in go.mod, but vendor/modules.txt:17 says => ./lib"}},
		{name: "41 wildcard line removed", mutate: txt("# example.com/lib => ./lib\n", ""),
			want: []string{"error replacedrift go.mod:16 replace example.com/lib => ./lib is missing from vendor/modules.txt"}},
		{name: "132 versioned line with a wrong target", mutate: txt(lib, "# example.com/lib v0.0.0 => ./other\n"), silent: true,
			want: []string{"error replacedrift go.mod:16 replace example.com/lib => ./lib, but vendor/modules.txt:5 says => ./other"}},
		{name: "133 versioned line with no target", mutate: txt(lib, "# example.com/lib v0.0.0\n"), silent: true,
			want: []string{"error replacedrift go.mod:16 replace example.com/lib => ./lib, but vendor/modules.txt:5 does not replace example.com/lib v0.0.0"}},
		{name: "versioned line replaced by a version", mutate: txt(lib, "# example.com/lib v0.0.0 => example.com/fork v1.0.0\n"), silent: true,
			want: []string{"error replacedrift go.mod:16 says => example.com/fork v1.0.0"}},
		{name: "42 package line removed", mutate: txt("example.com/errors/wrap\n", ""),
			want: []string{"error modulestxt vendor/modules.txt:1 package example.com/errors/wrap is in vendor, but not listed under example.com/errors v0.9.1"}},
		{name: "43 bogus package line", mutate: txt("example.com/errors/wrap\n", "example.com/errors/ghost\nexample.com/errors/wrap\n"), silent: true,
			want: []string{"error modulestxt vendor/modules.txt:4 package example.com/errors/ghost is listed, but vendor/example.com/errors/ghost holds no Go file"}},
		{name: "44 go note removed", mutate: txt("## explicit; go 1.20\n", "## explicit\n"), silent: true,
			want: []string{"error modulestxt vendor/modules.txt:6 example.com/lib v0.0.0 is noted with no go version, but lib/go.mod:3 says go 1.20"}},
		{name: "45 go note lowered", mutate: txt("## explicit; go 1.20\n", "## explicit; go 1.5\n"), silent: true,
			want: []string{"error modulestxt vendor/modules.txt:6 noted with go 1.5, but lib/go.mod:3 says go 1.20"}},
		{name: "46 go note above the toolchain", mutate: txt("## explicit; go 1.12\n", "## explicit; go 1.999\n"),
			want: []string{"error modulestxt vendor/modules.txt:2 example.com/errors v0.9.1 is noted with go 1.999, newer than the toolchain's"}},
		{name: "47 list missing", mutate: func(t *testing.T, dir string) { remove(t, dir, "vendor/modules.txt") },
			want: []string{"error modulestxt go.mod:0 vendor/modules.txt is missing"}},
		{name: "list empty", mutate: func(t *testing.T, dir string) { rewrite(t, dir, "vendor/modules.txt", "") },
			want: []string{"error modulestxt vendor/modules.txt:0 vendor/modules.txt names no module"}},
		{name: "48 bogus module line", mutate: txt("# example.com/quote", "# example.com/ghost v1.0.0\n# example.com/quote"), silent: true,
			want: []string{"error modulestxt vendor/modules.txt:8 example.com/ghost v1.0.0 has neither a package nor a mark nor a replacement"}},
		{name: "49 bogus explicit line", mutate: txt("# example.com/lib v0", "# example.com/ghost v1.0.0\n## explicit\n# example.com/lib v0"), silent: true,
			want: []string{"error requiredrift vendor/modules.txt:5 example.com/ghost v1.0.0 is marked '## explicit', but go.mod does not require it"}},
		{name: "50 bogus module with a package", mutate: func(t *testing.T, dir string) {
			edit(t, dir, "vendor/modules.txt", "# example.com/lib v0", "# example.com/ghost v1.0.0\nexample.com/ghost\n# example.com/lib v0")
			rewrite(t, dir, "vendor/example.com/ghost/ghost.go", "package ghost\n")
		}, want: []string{"error requiredrift vendor/modules.txt:5 example.com/ghost v1.0.0 has packages in vendor/, but go.mod does not require it"}},
		{name: "51 package under the wrong module", mutate: func(t *testing.T, dir string) {
			edit(t, dir, "vendor/modules.txt", "example.com/errors/wrap\n", "")
			edit(t, dir, "vendor/modules.txt", "example.com/lib\n", "example.com/errors/wrap\nexample.com/lib\n")
		}, silent: true,
			want: []string{"error modulestxt vendor/modules.txt:6 package example.com/errors/wrap stands under module example.com/lib v0.0.0, which cannot hold it"}},
		{name: "52 workspace line added", mutate: txt("# example.com/errors", "## workspace\n# example.com/errors"), silent: true,
			want: []string{"error modulestxt vendor/modules.txt:1 first line says '## workspace'"}},
		{name: "53 unknown token", mutate: txt("## explicit; go 1.12\n", "## explicit; go 1.12; sealed\n"), silent: true,
			want: []string{`warning modulestxt vendor/modules.txt:2 unknown note "sealed"`}},
		{name: "54 reordered", mutate: func(t *testing.T, dir string) {
			const quote = "# example.com/quote v1.5.2\n## explicit; go 1.16\nexample.com/quote\n"
			edit(t, dir, "vendor/modules.txt", quote, "")
			edit(t, dir, "vendor/modules.txt", "# example.com/errors", quote+"# example.com/errors")
		}, silent: true,
			want: []string{"warning modulestxt vendor/modules.txt:4 example.com/errors v0.9.1 stands after example.com/quote v1.5.2"}},
		{name: "55 crlf", mutate: func(t *testing.T, dir string) {
			rewrite(t, dir, "vendor/modules.txt", strings.ReplaceAll(read(t, dir, "vendor/modules.txt"), "\n", "\r\n"))
		}, silent: true, want: []string{"warning modulestxt vendor/modules.txt:1 CR LF"}},
		{name: "56 duplicate of an older version", mutate: txt("# example.com/lib v0", "# example.com/errors v0.8.1\nexample.com/errors\n# example.com/lib v0"),
			silent: true, want: []string{
				"error modulestxt vendor/modules.txt:5 packages of both example.com/errors v0.8.1 and, in vendor/modules.txt:1, example.com/errors v0.9.1"}},
		{name: "57 implicit version wrong", mutate: func(t *testing.T, dir string) {
			edit(t, dir, "vendor/modules.txt", "# example.com/sampler v1.3.0\n## explicit\n", "# example.com/sampler v1.0.0\n")
		}, want: []string{"error requiredrift go.mod:12 require example.com/sampler v1.3.0, but vendor/modules.txt:11 has v1.0.0"}},
		{name: "58 exclude of a used version", mutate: mod("\ntool ", "\nexclude example.com/errors v0.9.1\n\ntool "),
			want: []string{"error requiredrift go.mod:18 exclude example.com/errors v0.9.1 takes away what go.mod:6 requires"}},
		{name: "exclude of a required version without packages", mutate: func(t *testing.T, dir string) {
			edit(t, dir, "go.mod", "require (\n", "require (\n\texample.com/modern v1.0.0\n")
			edit(t, dir, "go.mod", "\ntool ", "\nexclude example.com/modern v1.0.0\n\ntool ")
			edit(t, dir, "vendor/modules.txt", "# example.com/quote", "# example.com/modern v1.0.0\n## explicit; go 1.21\n# example.com/quote")
		}, want: []string{"error requiredrift go.mod:19 exclude example.com/modern v1.0.0 takes away what go.mod:6 requires"}},
		{name: "package under a wildcard line", mutate: func(t *testing.T, dir string) {
			edit(t, dir, "vendor/modules.txt", "example.com/lib\n", "")
			rewrite(t, dir, "vendor/modules.txt", read(t, dir, "vendor/modules.txt")+"example.com/lib\n")
		}, want: []string{"error modulestxt vendor/modules.txt:17 package example.com/lib stands under the replacement of every version of example.com/lib"}},
		{name: "two modules from one folder", mutate: func(t *testing.T, dir string) {
			edit(t, dir, "go.mod", "\ntool ", "\nreplace example.com/errors => ./lib\n\ntool ")
			edit(t, dir, "vendor/modules.txt", "# example.com/errors v0.9.1\n", "# example.com/errors v0.9.1 => ./lib\n")
			edit(t, dir, "vendor/modules.txt", "## explicit; go 1.12\n", "## explicit; go 1.20\n")
			edit(t, dir, "vendor/modules.txt", "# example.com/lib =>", "# example.com/errors => ./lib\n# example.com/lib =>")
		}, want: []string{"error replacedrift go.mod:16 replace example.com/lib => ./lib, but example.com/errors comes from there already"}},
		{name: "63 go line below a local replacement's", mutate: mod("go 1.24", "go 1.18"), silent: true},
		{name: "64 go 1.16", mutate: mod("go 1.24", "go 1.16"), silent: true},
		{name: "65 go 1.13", mutate: mod("go 1.24", "go 1.13"), silent: true},
		{name: "go 1.13 without a require", mutate: func(t *testing.T, dir string) {
			rewrite(t, dir, "go.mod", "module example.com/app\n\ngo 1.13\n")
			rewrite(t, dir, "vendor/modules.txt", "# example.com/errors v0.9.1\nexample.com/errors\nexample.com/errors/wrap\n")
			rewrite(t, dir, "main.go", "package main\n\nimport _ \"example.com/errors/wrap\"\n\nfunc main() {}\n")
			for _, gone := range []string{"lib", "vendor/example.com/lib", "vendor/example.com/quote", "vendor/example.com/sampler", "vendor/example.com/tool"} {
				remove(t, dir, gone)
			}
		}, want: []string{"error requiredrift vendor/modules.txt:1 example.com/errors v0.9.1 and what follows is vendored, but go.mod requires nothing"}},
		{name: "no go line", mutate: mod("go 1.24\n", ""), silent: true},
		{name: "59-62 no effect on vendor", mutate: mod("go 1.24\n", "go 1.24.1\n\ntoolchain go1.24.2\n\ngodebug default=go1.21\n\nretract v1.0.0\n"), silent: true},
		{name: "67 tool not vendored", mutate: func(t *testing.T, dir string) {
			edit(t, dir, "vendor/modules.txt", "example.com/tool/cmd/tool\n", "")
			remove(t, dir, "vendor/example.com/tool")
		}, silent: true,
			want: []string{"error modulestxt go.mod:18 tool example.com/tool/cmd/tool is not vendored"}},
		{name: "12 package folder missing", mutate: func(t *testing.T, dir string) { remove(t, dir, "vendor/example.com/errors/wrap") },
			want: []string{"error modulestxt vendor/modules.txt:4 package example.com/errors/wrap is listed, but vendor/example.com/errors/wrap holds no Go file"}},
		{name: "module folder missing", mutate: func(t *testing.T, dir string) { remove(t, dir, "vendor/example.com/errors") },
			want: []string{"error modulestxt vendor/modules.txt:1 example.com/errors v0.9.1 is listed with 2 packages, but vendor holds none of them"}},
		{name: "14 unlisted package", mutate: func(t *testing.T, dir string) {
			rewrite(t, dir, "vendor/example.com/errors/extra/deep/x.go", "package deep\n")
			rewrite(t, dir, "vendor/example.com/errors/extra/x.go", "package extra\n")
		}, silent: true,
			want: []string{"error modulestxt vendor/modules.txt:1 package example.com/errors/extra is in vendor, but not listed"}},
		{name: "module gone from the list", mutate: txt("# example.com/lib v0.0.0 => ./lib\n## explicit; go 1.20\nexample.com/lib\n", ""),
			want: []string{"error requiredrift go.mod:7 require example.com/lib v0.0.0 is missing from vendor/modules.txt"}},
		{name: "explicit mark removed", mutate: txt("## explicit; go 1.16\n", "## go 1.16\n"),
			want: []string{"error requiredrift go.mod:8 require example.com/quote v1.5.2, but vendor/modules.txt:8 does not mark it '## explicit'"}},
		{name: "torn replace line", mutate: txt(lib, "# example.com/lib v0.0.0 = > ./lib\n"), silent: true,
			want: []string{"error modulestxt vendor/modules.txt:5 is not a replacement"}},
		{name: "torn module line", mutate: txt("# example.com/quote v1.5.2\n", "# example.com/quote 1.5.2\n"),
			want: []string{"error modulestxt vendor/modules.txt:8 neither a version nor =>"}},
		{name: "merge conflict", mutate: txt("# example.com/quote", "<<<<<<< HEAD\n# example.com/quote"), silent: true,
			want: []string{"error modulestxt vendor/modules.txt:8 is not a line of modules.txt"}},
		{name: "cut off in a word", mutate: func(t *testing.T, dir string) {
			text := read(t, dir, "vendor/modules.txt")
			rewrite(t, dir, "vendor/modules.txt", text[:strings.Index(text, "# example.com/sampler")+len("# example.com/sampl")])
		}, want: []string{
			"error requiredrift go.mod:12 require example.com/sampler v1.3.0 is missing",
			"error requiredrift go.mod:13 require example.com/tool v1.0.0 is missing",
			"error replacedrift go.mod:16 replace example.com/lib => ./lib is missing",
			"error modulestxt go.mod:18 tool example.com/tool/cmd/tool is not vendored",
			"error modulestxt vendor/modules.txt:11 has no version",
			"warning modulestxt vendor/modules.txt:11 does not end in a newline"}},
		{name: "nul byte", mutate: txt("example.com/errors/wrap\n", "example.com/errors/wrap\x00\n"),
			want: []string{"error modulestxt vendor/modules.txt:1 package example.com/errors/wrap is in vendor, but not listed", "error modulestxt vendor/modules.txt:4 NUL"}},
		{name: "two replaces of one module", mutate: mod("\ntool ", "\nreplace example.com/lib => ./lib2\n\ntool "),
			want: []string{"error replacedrift go.mod:18 contradicts go.mod:16", "error replacedrift go.mod:18 replace example.com/lib => ./lib2, but vendor/modules.txt:17 says => ./lib"}},

		{name: "clean workspace", work: true, mutate: func(*testing.T, string) {}, silent: true},
		{name: "w9 versioned line with a wrong target", work: true, mutate: txt("# example.com/lib v0.0.0 => ./lib\n", "# example.com/lib v0.0.0 => ./a\n"), silent: true,
			want: []string{"error replacedrift b/go.mod:10 replace example.com/lib => ../lib, but vendor/modules.txt:7 says => ./a and not => ./lib"}},
		{name: "workspace replace retargeted", work: true, mutate: func(t *testing.T, dir string) {
			edit(t, dir, "a/go.mod", "=> ../lib", "=> ../lib2")
			edit(t, dir, "b/go.mod", "=> ../lib", "=> ../lib2")
		}, want: []string{"error replacedrift b/go.mod:10 replace example.com/lib => ../lib2, but vendor/modules.txt:10 says => ./lib and not => ./lib2"}},
		{name: "w2 conflicting replaces", work: true, mutate: sub("a/go.mod", "=> ../lib", "=> ../lib2"),
			want: []string{"error replacedrift b/go.mod:10 replace example.com/lib => ../lib contradicts a/go.mod:10, which says => ../lib2"}},
		{name: "one folder in other words", work: true, mutate: func(t *testing.T, dir string) {
			edit(t, dir, "a/go.mod", "replace example.com/lib =>", "replace example.com/lib v0.0.0 =>")
			edit(t, dir, "b/go.mod", "replace example.com/lib => ../lib", "replace example.com/lib v0.0.0 => ../a/../lib")
			edit(t, dir, "vendor/modules.txt", "# example.com/lib => ./lib\n", "")
		}, want: []string{"error replacedrift b/go.mod:10 replace example.com/lib v0.0.0 => ../a/../lib, but a/go.mod:10 says => ../lib: the go command compares the words"}},
		{name: "replace of a workspace module", work: true, mutate: sub("go.work", "use (", "replace example.com/a => ./lib\n\nuse ("),
			want: []string{"error replacedrift go.work:3 replace example.com/a => ./lib replaces a module of the workspace"}},
		{name: "replace in go.work", work: true, mutate: sub("go.work", "use (", "replace example.com/errors => ./fork\n\nuse ("),
			want: []string{"error replacedrift go.work:3 replace example.com/errors => ./fork, but vendor/modules.txt:2 does not replace example.com/errors v0.8.1"}},
		{name: "workspace require bumped", work: true, mutate: sub("b/go.mod", "errors v0.8.1", "errors v0.9.0"),
			want: []string{"error requiredrift b/go.mod:6 require example.com/errors v0.9.0, but vendor/modules.txt:2 has v0.8.1"}},
		{name: "w6 workspace line removed", work: true, mutate: txt("## workspace\n", ""), silent: true,
			want: []string{"error modulestxt vendor/modules.txt:1 first line does not say '## workspace'"}},
		{name: "module dropped from go.work", work: true, mutate: sub("go.work", "\t./b\n", ""), silent: true,
			want: []string{"error requiredrift vendor/modules.txt:2 example.com/errors v0.8.1 is marked '## explicit', but go.work or a/go.mod does not require it"}},
		{name: "workspace below its module", work: true, mutate: sub("a/go.mod", "go 1.23", "go 1.25"),
			want: []string{"error vendorbypass go.work:1 go 1.24 is below the go 1.25 of a/go.mod"}},
	}
}

func remove(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
		t.Fatal(err)
	}
}

func rewrite(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := writeFile(filepath.Join(dir, filepath.FromSlash(name)), text); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestRows holds each mutation of a vendored tree to its findings, one a cause,
// and the verdict to be never weaker than that of 'go list -deps -mod=vendor'. Rows
// that only the sources show (a missing embedded file, an import that is not
// vendored) are not for metadata.
func TestRows(t *testing.T) {
	g := newGo(t)
	module, work := tree(t, moduleBase), tree(t, workBase)
	g.must(t, module, nil, "mod", "tidy")
	g.must(t, module, nil, "mod", "vendor")
	g.must(t, work, nil, "work", "vendor")
	for _, r := range rows() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			dir := tree(t, nil)
			base, pkgs := module, "./..."
			if r.work {
				base, pkgs = work, "./a/..."
			}
			if err := os.CopyFS(dir, os.DirFS(base)); err != nil {
				t.Fatal(err)
			}
			r.mutate(t, dir)
			list := check(t, g, dir, "GOFLAGS=-mod=vendor")
			got := brief(list)
			if len(got) != len(r.want) {
				t.Errorf("%d findings, want %d:\n%s", len(got), len(r.want), strings.Join(got, "\n"))
			}
			for _, want := range r.want {
				f := strings.SplitN(want, " ", 4)
				if !slices.ContainsFunc(got, func(line string) bool {
					head := strings.Join(f[:min(3, len(f))], " ")
					return strings.HasPrefix(line, head) && (len(f) < 4 || strings.Contains(line, f[3]))
				}) {
					t.Errorf("no finding %q in\n%s", want, strings.Join(got, "\n"))
				}
			}
			out, err := g.run(dir, nil, "list", "-deps", "-mod=vendor", pkgs)
			if (err == nil) != r.silent {
				t.Errorf("go list -deps -mod=vendor fails: %v, want silent: %v\n%s", err, r.silent, out)
			}
			if err != nil && worst(list) < finding.Error {
				t.Errorf("weaker than the go command, which says:\n%s", out)
			}
			if t.Failed() {
				t.Logf("modules.txt:\n%s", read0(dir, "vendor/modules.txt"))
			}
		})
	}
}

func read0(dir, name string) string {
	data, _ := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	return string(data)
}
