package vendorcheck

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fractl/fractl/internal/finding"
)

// TestRandomAgainstGo makes small repositories by seed, vendors them, spoils
// some of their files, and compares the verdicts: one weaker than that of
// 'go list -mod=vendor' fails, and so does one that is stricter where nothing
// but the known gaps of the go command explains it. Every clean tree has to be
// without a finding at all.
func TestRandomAgainstGo(t *testing.T) {
	g := newGo(t)
	repos := uint64(220)
	if testing.Short() {
		repos = 6
	}
	for seed := range repos {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 6))
			files, work := randomRepo(rng)
			base := tree(t, files)
			command, pkgs := "mod", "./..."
			if work {
				command, pkgs = "work", "./a/..."
			}
			if !work {
				g.must(t, base, []string{"GOFLAGS=-mod=mod -modcacherw"}, "list", "all")
			}
			if out, err := g.run(base, nil, command, "vendor"); err != nil {
				t.Fatalf("go %s vendor: %v\n%s\n%v", command, err, out, files)
			}
			if list := checkContent(t, g, base, vaultOf(g), false).Findings; len(list) > 0 {
				t.Fatalf("a clean tree has findings:\n%s\n%v\n%s", strings.Join(brief(list), "\n"), files, read0(base, "vendor/modules.txt"))
			}
			for n := range 4 {
				dir := tree(t, nil)
				if err := os.CopyFS(dir, os.DirFS(base)); err != nil {
					t.Fatal(err)
				}
				var done []string
				for range 1 + rng.IntN(2) {
					done = append(done, spoil(t, rng, dir, work))
				}
				list := checkContent(t, g, dir, vaultOf(g), false).Findings
				changed := read0(dir, "vendor/modules.txt") != read0(base, "vendor/modules.txt")
				if changed && len(list) == 0 {
					t.Errorf("mutation %d, %q: not noticed\n%s", n, done, dump(dir))
				}
				out, err := g.run(dir, nil, "list", "-mod=vendor", pkgs)
				sev := worst(list)
				// A missing require that only an import shows is not in the metadata:
				// below go 1.14 the list does not say what go.mod requires.
				imports := strings.Contains(out, "from implicitly required module")
				if err != nil && sev < finding.Error && !imports {
					t.Errorf("mutation %d, %q: weaker than the go command, which says\n%s\nfindings:\n%s\n%s", n, done, out, strings.Join(brief(list), "\n"), dump(dir))
				}
				if err == nil && sev == finding.Error && !knownGap(list) {
					t.Errorf("mutation %d, %q: the go command has nothing to say, but\n%s\n%s", n, done, strings.Join(brief(list), "\n"), dump(dir))
				}
			}
		})
	}
}

// knownGap reports whether some finding is of a kind that the go command does
// not look at: the rows of TestRows that are silent.
func knownGap(list []finding.Finding) bool {
	for _, f := range list {
		switch {
		case f.Rule == ModulesTxtRule, f.Rule == VendorContentRule, f.Rule == StaleVendorRule,
			// Lines of versions, which the go command does not compare (132, 133).
			f.Rule == ReplaceDriftRule && strings.Contains(f.Message, ", but vendor/modules.txt:"),
			// A mark or a requirement of a module without packages (49).
			f.Rule == RequireDriftRule && strings.Contains(f.Message, "is marked '## explicit'"),
			f.Rule == RequireDriftRule && strings.Contains(f.Message, "takes away"):
			return true
		}
	}
	return false
}

func dump(dir string) string {
	var b strings.Builder
	for _, name := range []string{"go.work", "go.mod", "a/go.mod", "b/go.mod", "vendor/modules.txt"} {
		if data, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
			fmt.Fprintf(&b, "-- %s --\n%s", name, data)
		}
	}
	return b.String()
}

// dependencies are what a random module may require.
var dependencies = []struct{ path, version, pkg string }{
	{"example.com/errors", "v0.8.1", "example.com/errors"},
	{"example.com/errors", "v0.9.1", "example.com/errors/wrap"},
	{"example.com/quote", "v1.5.1", "example.com/quote"},
	{"example.com/quote", "v1.5.2", "example.com/quote"},
	{"example.com/sampler", "v1.3.0", "example.com/sampler"},
	{"example.com/modern", "v1.0.0", "example.com/modern"},
}

// randomRepo makes a module or a workspace of two.
func randomRepo(rng *rand.Rand) (files map[string]string, work bool) {
	files = map[string]string{
		"lib/go.mod": "module example.com/lib\n\ngo 1.16\n",
		"lib/lib.go": "package lib\n",
	}
	if rng.IntN(3) == 0 {
		files["go.work"] = "go 1.24\n\nuse (\n\t./a\n\t./b\n)\n" + pick(rng, "", "", "\nreplace example.com/sampler v1.0.0 => ./lib\n")
		// One set of replaces for both, or the workspace contradicts itself.
		replaces := randomReplaces(rng, "../lib", "1.24")
		randomModule(rng, files, "a/", "../lib", "1.23", replaces)
		randomModule(rng, files, "b/", "../lib", "1.24", pick(rng, replaces, nil))
		return files, true
	}
	goVersion := pick(rng, "1.13", "1.14", "1.16", "1.17", "1.20", "1.21", "1.22", "1.23", "1.24", "1.26")
	randomModule(rng, files, "", "./lib", goVersion, randomReplaces(rng, "./lib", goVersion))
	return files, false
}

func randomReplaces(rng *rand.Rand, lib, goVersion string) []string {
	var list []string
	if rng.IntN(2) == 0 {
		list = append(list, pick(rng, "example.com/errors => example.com/fork/errors v0.9.2", "example.com/errors v0.9.1 => example.com/fork/errors v0.9.2"))
	}
	if rng.IntN(3) == 0 {
		list = append(list, "example.com/unused => "+lib)
	}
	if rng.IntN(3) == 0 {
		list = append(list, "example.com/unused v1.2.3 => "+lib)
	}
	return list
}

func randomModule(rng *rand.Rand, files map[string]string, dir, lib, goVersion string, replaces []string) {
	name := "example.com/" + strings.TrimSuffix(dir+"app", "/")
	mod := "module " + name + "\n\ngo " + goVersion + "\n\n"
	src := "package app\n\n"
	taken := map[string]bool{}
	for range rng.IntN(5) {
		d := dependencies[rng.IntN(len(dependencies))]
		if taken[d.path] {
			continue
		}
		taken[d.path] = true
		mod += "require " + d.path + " " + d.version + "\n"
		if rng.IntN(5) > 0 {
			src += "import _ \"" + d.pkg + "\"\n"
		}
	}
	if rng.IntN(2) == 0 {
		mod += "require example.com/lib v0.0.0\n"
		replaces = append(replaces[:len(replaces):len(replaces)], pick(rng, "example.com/lib", "example.com/lib v0.0.0")+" => "+lib)
		src += "import _ \"example.com/lib\"\n"
	}
	for _, r := range replaces {
		mod += "replace " + r + "\n"
	}
	files[dir+"go.mod"] = mod
	files[dir+"app.go"] = src
}

func pick[T any](rng *rand.Rand, list ...T) T { return list[rng.IntN(len(list))] }

// spoil changes one thing in a vendored tree and says what.
func spoil(t *testing.T, rng *rand.Rand, dir string, work bool) string {
	mods := []string{"go.mod"}
	if work {
		mods = []string{"a/go.mod", "b/go.mod", "go.work"}
	}
	name := mods[rng.IntN(len(mods))]
	file := filepath.Join(dir, name)
	list := filepath.Join(dir, "vendor", "modules.txt")
	if rng.IntN(2) == 0 {
		return spoilLine(t, rng, list)
	}
	lines := strings.Split(strings.TrimSuffix(string(mustRead(t, file)), "\n"), "\n")
	lib := "./lib"
	if strings.Contains(name, "/") {
		lib = "../lib"
	}
	var what string
	switch rng.IntN(6) {
	case 0: // drop a require or replace
		if i := lineWith(rng, lines, "require ", "replace "); i >= 0 {
			what = "drop " + lines[i]
			lines = append(lines[:i], lines[i+1:]...)
		}
	case 1: // another version
		if i := lineWith(rng, lines, "require "); i >= 0 {
			f := strings.Fields(lines[i])
			what = "version of " + lines[i]
			lines[i] = f[0] + " " + f[1] + " " + pick(rng, "v0.8.1", "v0.9.1", "v1.5.2", "v1.9.9")
		}
	case 2: // another target
		if i := lineWith(rng, lines, "replace "); i >= 0 {
			what = "target of " + lines[i]
			old, _, _ := strings.Cut(lines[i], " => ")
			lines[i] = old + " => " + pick(rng, lib, lib+"/", "./other", "example.com/fork/errors v0.9.2")
		}
	case 3: // a new replace
		r := "replace " + pick(rng, "example.com/errors", "example.com/quote v1.5.2", "example.com/new", "example.com/sampler v1.3.0") + " => " + lib
		what = "add " + r
		lines = append(lines, r)
	case 4: // a new require
		if name != "go.work" {
			r := "require example.com/new v1.0.0"
			what = "add " + r
			lines = append(lines, r)
		}
	case 5: // a new exclude
		if i := lineWith(rng, lines, "require "); i >= 0 {
			f := strings.Fields(lines[i])
			x := "exclude " + f[1] + " " + pick(rng, f[2], "v1.7.7")
			what = "add " + x
			lines = append(lines, x)
		}
	}
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return name + ": " + what
}

func spoilLine(t *testing.T, rng *rand.Rand, list string) string {
	data, err := os.ReadFile(list)
	if err != nil {
		return "nothing: no list"
	}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	i := rng.IntN(len(lines))
	what := lines[i]
	switch rng.IntN(7) {
	case 0:
		lines = append(lines[:i], lines[i+1:]...)
		what = "drop " + what
	case 1:
		lines = append(lines[:i+1], lines[i:]...)
		what = "double " + what
	case 2:
		j := rng.IntN(len(lines))
		lines[i], lines[j] = lines[j], lines[i]
		what = "swap " + what + " and " + lines[i]
	case 3:
		lines[i] = lines[i][:rng.IntN(len(lines[i])+1)]
		what = "cut " + what
	case 4:
		lines[i] += pick(rng, " ", "\r", " => ./lib", "; explicit", "; sealed", " v1.0.0", "/x")
		what = "to " + lines[i]
	case 5:
		lines[i] = pick(rng, "", "## explicit", "## workspace", "# example.com/new v1.0.0", "example.com/new", "# example.com/lib => ./lib", "## go 1.30000")
		what = "instead of " + what + ": " + lines[i]
	case 6:
		lines[i] = strings.Replace(lines[i], "example", pick(rng, "Example", "exam ple", "exa\x00mple"), 1)
		what = "to " + lines[i]
	}
	if err := os.WriteFile(list, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return "modules.txt: " + what
}

// lineWith picks a line with one of the prefixes, or -1.
func lineWith(rng *rand.Rand, lines []string, prefixes ...string) int {
	var at []int
	for i, l := range lines {
		for _, p := range prefixes {
			if strings.HasPrefix(l, p) {
				at = append(at, i)
			}
		}
	}
	if len(at) == 0 {
		return -1
	}
	return at[rng.IntN(len(at))]
}

func mustRead(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
