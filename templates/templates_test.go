package templates

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/module"
)

// TestListsAreTheFolders finds a piece or a kind that stands in one place only.
func TestListsAreTheFolders(t *testing.T) {
	var pieces, kinds []string
	for _, p := range Pieces() {
		pieces = append(pieces, p.Name)
	}
	for _, tree := range Trees() {
		kinds = append(kinds, tree.Kind)
	}
	slices.Sort(pieces)
	slices.Sort(kinds)
	if onDisk := folders(t, "pieces"); !slices.Equal(pieces, onDisk) {
		t.Errorf("Pieces() has %v, the folder pieces has %v", pieces, onDisk)
	}
	if onDisk := folders(t, "fraction"); !slices.Equal(kinds, onDisk) {
		t.Errorf("Trees() has %v, the folder fraction has %v", kinds, onDisk)
	}
}

// TestPiecesComeAfterTheirRequirements holds the order of the wiring.
func TestPiecesComeAfterTheirRequirements(t *testing.T) {
	var before []string
	for _, p := range Pieces() {
		for _, required := range p.Requires {
			if !slices.Contains(before, required) {
				t.Errorf("the piece %s requires %s, which does not stand before it", p.Name, required)
			}
		}
		before = append(before, p.Name)
	}
	for _, tree := range Trees() {
		for _, name := range slices.Concat(tree.Pieces, tree.Default) {
			if !slices.Contains(before, name) {
				t.Errorf("the kind %s has the piece %s, which is none", tree.Kind, name)
			}
		}
	}
}

// TestEngines holds the list of engines to the folders: each has a package of its
// own, or is the default that the piece itself brings along.
func TestEngines(t *testing.T) {
	for _, p := range Pieces() {
		defaults := 0
		for _, e := range p.Engines {
			if e.Default {
				defaults++
			}
			goFiles, err := fs.Glob(p.FS, e.Name+"/*.go")
			if err != nil {
				t.Fatal(err)
			}
			if len(goFiles) == 0 && (!e.Default || e.Wired) {
				t.Errorf("the engine %s of the piece %s has no package", e.Name, p.Name)
			}
			if e.Doc == "" || e.Cluster != exists(p.FS, path.Join(e.Name, "fraction/deploy/kubernetes", p.Name+"-role.yaml.tmpl")) {
				t.Errorf("the engine %s of the piece %s: no doc, or Cluster and its role do not fit", e.Name, p.Name)
			}
		}
		if want := min(1, len(p.Engines)); defaults != want {
			t.Errorf("the piece %s has %d default engines, want %d", p.Name, defaults, want)
		}
		// A folder with a fraction/ in it is an engine.
		nested, err := fs.Glob(p.FS, "*/fraction")
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range nested {
			if !slices.ContainsFunc(p.Engines, func(e Engine) bool { return e.Name == path.Dir(dir) }) {
				t.Errorf("the piece %s has %s and no engine of that name", p.Name, dir)
			}
		}
	}
}

func exists(fsys fs.FS, name string) bool {
	_, err := fs.Stat(fsys, name)
	return err == nil
}

// TestRequiresAreTheImports finds a piece that imports another one in secret.
func TestRequiresAreTheImports(t *testing.T) {
	imported := regexp.MustCompile(`"` + regexp.QuoteMeta(PiecesImport) + `/([a-z]+)[/"]`)
	for _, p := range Pieces() {
		found := map[string]bool{}
		walk(t, p.FS, func(name string, content []byte) {
			if path.Ext(name) == ".go" {
				for _, match := range imported.FindAllSubmatch(content, -1) {
					found[string(match[1])] = true
				}
			}
		})
		delete(found, p.Name) // by a test from outside
		for name := range found {
			if !slices.Contains(p.Requires, name) {
				t.Errorf("the piece %s imports %s and does not require it", p.Name, name)
			}
		}
		for _, name := range p.Requires {
			if !found[name] {
				t.Errorf("the piece %s requires %s and does not import it", p.Name, name)
			}
		}
	}
}

// TestBusMigrations holds that the tables which the tests of the bus make are
// those that a fraction gets.
func TestBusMigrations(t *testing.T) {
	const dir = "pieces/bus/"
	for _, database := range []string{"sqlite", "postgres"} {
		tested, err := fs.ReadFile(files, dir+"testdata/migrations/"+database+"/00001_bus.sql")
		if err != nil {
			t.Fatal(err)
		}
		rendered, err := fs.ReadFile(files, dir+"fraction/internal/migrations/"+database+"/{{.Migration.bus}}_bus.sql.tmpl")
		if err != nil {
			t.Fatal(err)
		}
		up, down, _ := strings.Cut(string(tested), "-- +goose Down\n")
		if !strings.HasPrefix(string(rendered), up) || !strings.HasSuffix(string(rendered), down) || down == "" {
			t.Errorf("%s: the migration of a fraction does not hold that of the tests", database)
		}
	}
}

// TestSkeletonsAreNoPackages finds a Go file that lost its suffix: the go
// command would take it for a package of this module.
func TestSkeletonsAreNoPackages(t *testing.T) {
	skeletons := []fs.FS{Workspace()}
	for _, tree := range Trees() {
		skeletons = append(skeletons, tree.FS)
	}
	for _, skeleton := range skeletons {
		walk(t, skeleton, func(name string, _ []byte) {
			if path.Ext(name) == ".go" || path.Base(name) == "go.mod" {
				t.Errorf("%s must end in .tmpl", name)
			}
		})
	}
}

// TestActionsArePinned finds an action that a workflow uses and that has no
// version, and one whose version is not that of a commit.
func TestActionsArePinned(t *testing.T) {
	actions := PinnedVersions().Actions
	pin := regexp.MustCompile(`^[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	for name, version := range actions {
		if !pin.MatchString(version) {
			t.Errorf("%s is pinned to %q, want COMMIT # TAG", name, version)
		}
	}
	uses := regexp.MustCompile(`uses: ([^@\s]+)@(.*)`)
	seen := map[string]bool{}
	for _, tree := range Trees() {
		walk(t, tree.FS, func(name string, content []byte) {
			for _, match := range uses.FindAllSubmatch(content, -1) {
				action, version := string(match[1]), string(match[2])
				seen[action] = true
				if want := `{{index .Versions.Actions "` + action + `"}}`; version != want {
					t.Errorf("%s uses %s at %s, want %s", name, action, version, want)
				}
				if actions[action] == "" {
					t.Errorf("%s uses %s, which has no version", name, action)
				}
			}
		})
	}
	for name := range actions {
		if !seen[name] {
			t.Errorf("nothing uses the action %s", name)
		}
	}
}

func TestModules(t *testing.T) {
	for _, tree := range Trees() {
		requires, sum, err := Modules(tree.Kind, slices.Concat(tree.Pieces, tree.Default))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.IsSortedFunc(requires, func(a, b Require) int { return strings.Compare(a.Path, b.Path) }) {
			t.Errorf("the requirements of a %s are not sorted: %v", tree.Kind, requires)
		}
		var lines []module.Version
		for line := range strings.Lines(string(sum)) {
			fields := strings.Fields(line)
			if len(fields) != 3 || !strings.HasPrefix(fields[2], "h1:") {
				t.Fatalf("go.sum of a %s has the line %q", tree.Kind, line)
			}
			lines = append(lines, module.Version{Path: fields[0], Version: fields[1]})
		}
		sorted := slices.Clone(lines)
		module.Sort(sorted)
		if !slices.Equal(lines, sorted) {
			t.Errorf("go.sum of a %s is not in the order of the go command", tree.Kind)
		}
		for _, r := range requires {
			if !slices.Contains(lines, module.Version{Path: r.Path, Version: r.Version + "/go.mod"}) {
				t.Errorf("go.sum of a %s lacks the go.mod of %s %s", tree.Kind, r.Path, r.Version)
			}
		}
	}
	if _, _, err := Modules("nothing", nil); err == nil || !strings.Contains(err.Error(), "nothing") {
		t.Errorf("an unknown kind: %v", err)
	}
}

func folders(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := fs.ReadDir(files, dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

func walk(t *testing.T, fsys fs.FS, visit func(name string, content []byte)) {
	t.Helper()
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(fsys, name)
		if err == nil {
			visit(name, content)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
