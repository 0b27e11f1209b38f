package moddata

import (
	"bytes"
	"encoding/json"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"

	"github.com/fractl/fractl/internal/blueprint"
	"github.com/fractl/fractl/templates"
)

const root = "../.."

// stale is what to do about data that does not fit any more.
const stale = "run go generate ./templates"

// TestVersionsAreThoseOfGoMod finds data that was made before a version changed.
func TestVersionsAreThoseOfGoMod(t *testing.T) {
	pins, err := readPins(root)
	if err != nil {
		t.Fatal(err)
	}
	data := readData(t)
	if len(data.Versions) == 0 {
		t.Fatal("there is no data; " + stale)
	}
	for path, version := range data.Versions {
		if pins.version[path] != version {
			t.Errorf("%s: data has %s, go.mod has %q; %s", path, version, pins.version[path], stale)
		}
	}
	if staticcheck := templates.PinnedVersions().Staticcheck; staticcheck != pins.version["honnef.co/go/tools"] {
		t.Errorf("templates.PinnedVersions has staticcheck %s, go.mod has %s", staticcheck, pins.version["honnef.co/go/tools"])
	}
}

// TestDirectModulesAreThoseImported finds data that was made before a template
// or a piece began, or ceased, to import a module.
func TestDirectModulesAreThoseImported(t *testing.T) {
	for name, pieces := range combinations() {
		t.Run(name, func(t *testing.T) {
			files, err := blueprint.Sample("service", pieces)
			if err != nil {
				t.Fatal(err)
			}
			requires, _, err := templates.Modules("service", pieces)
			if err != nil {
				t.Fatal(err)
			}
			imported := map[string]bool{}
			for file, imports := range importsOf(t, files) {
				for _, imp := range imports {
					module := moduleOf(imp, requires)
					if module == "" {
						t.Errorf("%s imports %s of no required module; %s", file, imp, stale)
					}
					imported[module] = true
				}
			}
			for _, r := range requires {
				if r.Indirect == imported[r.Path] {
					t.Errorf("%s: indirect = %v, imported = %v; %s", r.Path, r.Indirect, imported[r.Path], stale)
				}
			}
		})
	}
}

// TestDataIsComplete makes the data anew, and shows that what templates.Modules
// puts together for a combination of pieces is tidy. It runs the go command
// many times, so it has to be asked for.
func TestDataIsComplete(t *testing.T) {
	if os.Getenv("FRACTL_TEST_MODDATA") == "" {
		t.Skip("set FRACTL_TEST_MODDATA=1 to run go mod tidy on combinations of pieces")
	}
	fresh, err := Generate(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	committed, err := os.ReadFile(filepath.Join(root, "templates", "modules_gen.json"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(fresh, committed) {
		t.Error("templates/modules_gen.json is not what it would be now; " + stale)
	}
	for name, pieces := range combinations() {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			files, err := blueprint.Sample("service", pieces)
			if err != nil {
				t.Fatal(err)
			}
			requires, sum, err := templates.Modules("service", pieces)
			if err != nil {
				t.Fatal(err)
			}
			mod, err := modfile.Parse("go.mod", files["go.mod"], nil)
			if err != nil {
				t.Fatal(err)
			}
			var lines []*modfile.Require
			for _, r := range requires {
				line := &modfile.Require{Indirect: r.Indirect}
				line.Mod.Path, line.Mod.Version = r.Path, r.Version
				lines = append(lines, line)
			}
			mod.SetRequireSeparateIndirect(lines)
			mod.Cleanup()
			files["go.mod"], files["go.sum"] = modfile.Format(mod.Syntax), sum
			if err := write(dir, files); err != nil {
				t.Fatal(err)
			}
			if err := goCommand(t.Context(), dir, "mod", "tidy", "-diff"); err != nil {
				t.Error(err)
			}
		})
	}
}

// combinations are each optional piece with each engine alone, and the sets of
// Covering, by a name for each.
func combinations() map[string][]string {
	tree := templates.Trees()[0]
	sets := map[string][]string{}
	add := func(set []string) { sets[strings.Join(append([]string{tree.Kind}, set...), "+")] = set }
	for _, set := range Covering(tree) {
		add(set)
	}
	for _, spec := range slices.Concat(Optional(tree)...) {
		add([]string{spec})
	}
	return sets
}

// TestCoveringIsComplete holds that any two choices are together in one set.
func TestCoveringIsComplete(t *testing.T) {
	tree := templates.Trees()[0]
	sets := Covering(tree)
	factors := Optional(tree)
	has := func(set, factor []string, level string) bool {
		if level == "" {
			return !slices.ContainsFunc(factor, func(s string) bool { return slices.Contains(set, s) })
		}
		return slices.Contains(set, level)
	}
	for i, f := range factors {
		for _, g := range factors[i+1:] {
			for _, a := range append([]string{""}, f...) {
				for _, b := range append([]string{""}, g...) {
					if !slices.ContainsFunc(sets, func(set []string) bool { return has(set, f, a) && has(set, g, b) }) {
						t.Errorf("no set has %q of %v and %q of %v", a, f, b, g)
					}
				}
			}
		}
	}
	t.Logf("%d sets", len(sets))
}

// importsOf lists, for each Go file, what it imports from elsewhere.
func importsOf(t *testing.T, files map[string][]byte) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for name, content := range files {
		if path.Ext(name) != ".go" {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, content, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(imp, "/")
			if strings.Contains(first, ".") && !strings.HasPrefix(imp, "example.com/") {
				found[name] = append(found[name], imp)
			}
		}
	}
	return found
}

// moduleOf returns the module that provides a package: the one with the longest
// path that the package's begins with.
func moduleOf(imp string, requires []templates.Require) string {
	best := ""
	for _, r := range requires {
		if (imp == r.Path || strings.HasPrefix(imp, r.Path+"/")) && len(r.Path) > len(best) {
			best = r.Path
		}
	}
	return best
}

func readData(t *testing.T) templates.ModuleData {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "templates", "modules_gen.json"))
	if err != nil {
		t.Fatal(err)
	}
	var data templates.ModuleData
	if err := json.Unmarshal(content, &data); err != nil {
		t.Fatal(err)
	}
	return data
}
