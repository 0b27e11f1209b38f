package blueprint

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/fractl/fractl/templates"
)

// testSet is the set of this program and two pieces more: beacon has engines, and
// tower needs beacon.
func testSet() *templates.Set {
	set := templates.All()
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	const wired = `package app

import (
	"{{.Module}}/internal/%[1]s"
	"{{.Module}}/internal/lifecycle"
)

// add%[2]s adds the %[1]s.
func add%[2]s(a *app) error {
	a.supervisor.Add(lifecycle.Component{Name: "%[1]s", Run: %[1]s.New(a.settings.%[2]s)})
	return nil
}
`
	const code = `// Package %[1]s is a piece of the tests.
package %[1]s

import %[2]s

// Settings are its settings.
type Settings struct{ Pace settings.Size }

// Defaults are its defaults.
func Defaults() Settings { return Settings{} }
`
	beacon := fstest.MapFS{
		"beacon.go":                            file(fmt.Sprintf(code, "beacon", `"`+templates.PiecesImport+`/settings"`)),
		"beacon_test.go":                       file("package beacon\n"),
		"testdata/one":                         file("one\n"),
		"kit/kit.go":                           file("package kit\n"),
		"redis/redis.go":                       file("package redis\n\nimport _ \"" + templates.PiecesImport + "/beacon\"\n"),
		"redis/testdata/x":                     file("x\n"),
		"fraction/internal/app/beacon.go.tmpl": file(fmt.Sprintf(wired, "beacon", "Beacon")),
		"fraction/internal/app/beacon_engine.go.tmpl":                               file("package app\n\nconst beaconEngine = \"{{.Engine.beacon}}\"\n"),
		"fraction/config.yaml.tmpl":                                                 file("# How often.\nbeacon:\n  pace: 1s\n"),
		"fraction/deploy/kubernetes/config.yaml.tmpl":                               file("beacon:\n  pace: 2s\n"),
		"fraction/internal/migrations/sqlite/{{.Migration.beacon}}_beacon.sql.tmpl": file("-- beacon {{.Migration.beacon}}\n"),
		"redis/fraction/config.yaml.tmpl":                                           file("beacon_redis:\n  addr: localhost:6379 # here\n"),
		"redis/fraction/internal/app/beacon_dial.go.tmpl":                           file("package app\n\nimport _ \"{{.Module}}/internal/beacon/redis\"\n"),
	}
	tower := fstest.MapFS{
		"tower.go": file(fmt.Sprintf(code, "tower", `(
	_ "`+templates.PiecesImport+`/beacon"
	"`+templates.PiecesImport+`/settings"
)`)),
		"fraction/internal/app/tower.go.tmpl": file(fmt.Sprintf(wired, "tower", "Tower")),
		"fraction/config.yaml.tmpl":           file("tower: {}\n"),
		"tall/tall.go":                        file("package tall\n"),
		"tall/fraction/internal/migrations/sqlite/{{.Migration.tower}}_tower.sql.tmpl": file("-- tower {{.Migration.tower}}\n"),
	}
	set.Pieces = append(set.Pieces,
		templates.Piece{Name: "beacon", FS: beacon, Requires: []string{"settings"}, Wired: true, Migrates: true, Engines: []templates.Engine{
			{Name: "memory", Default: true}, {Name: "redis", Wired: true},
		}},
		templates.Piece{Name: "tower", FS: tower, Requires: []string{"beacon", "settings"}, Wired: true, Engines: []templates.Engine{
			{Name: "plain", Default: true}, {Name: "tall", Migrates: true},
		}})
	return &set
}

// bench is a fraction auth on the disk, alone or in a workspace.
type bench struct {
	t    *testing.T
	dir  string // what everything is below
	auth string
	set  *templates.Set
}

func newBench(t *testing.T, lone bool, with ...string) *bench {
	t.Helper()
	b := &bench{t: t, dir: emptyDir(t), set: testSet()}
	b.auth = filepath.Join(b.dir, "auth")
	if !lone {
		apply(t, initWorkspace(t, b.dir))
	}
	req := Request{Cwd: b.dir, Name: "auth", Kind: "service", Without: []string{"health"}, Templates: b.set}
	for _, spec := range with {
		if nameOf(spec) == "health" {
			req.Without = nil
		}
	}
	req.With = with
	apply(t, fraction(t, req))
	return b
}

func (b *bench) request(pieces ...string) ChangeRequest {
	return ChangeRequest{Cwd: b.dir, Fraction: "auth", Pieces: pieces, Templates: b.set}
}

// do plans, holds the preview to the result and carries it out.
func (b *bench) do(plan func(ChangeRequest) (*Changed, error), req ChangeRequest) *Changed {
	b.t.Helper()
	out, err := plan(req)
	if err != nil {
		b.t.Fatal(err)
	}
	checkPreview(b.t, b.dir, out.Plan)
	return out
}

func (b *bench) add(pieces ...string) *Changed { b.t.Helper(); return b.do(Add, b.request(pieces...)) }
func (b *bench) remove(pieces ...string) *Changed {
	b.t.Helper()
	return b.do(Remove, b.request(pieces...))
}

// refused holds that nothing is planned, and returns the error's lines.
func (b *bench) refused(plan func(ChangeRequest) (*Changed, error), req ChangeRequest) string {
	b.t.Helper()
	before := b.tree()
	_, err := plan(req)
	if err == nil {
		b.t.Fatal("no error")
	}
	b.same(before, "after a refusal")
	return err.Error()
}

func (b *bench) write(name, text string) {
	b.t.Helper()
	full := filepath.Join(b.auth, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) read(name string) string {
	b.t.Helper()
	data, err := os.ReadFile(filepath.Join(b.auth, filepath.FromSlash(name)))
	if err != nil {
		b.t.Fatal(err)
	}
	return string(data)
}

// edit replaces a text that has to be there.
func (b *bench) edit(name, old, new string) {
	b.t.Helper()
	text := b.read(name)
	if !strings.Contains(text, old) {
		b.t.Fatalf("%s does not hold %q", name, old)
	}
	b.write(name, strings.Replace(text, old, new, 1))
}

// tree maps everything below the folder to its mode and content.
func (b *bench) tree() map[string]string {
	b.t.Helper()
	got := map[string]string{}
	err := filepath.WalkDir(b.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text := info.Mode().String()
		if !d.IsDir() {
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			text += " " + string(data)
		}
		got[slashRel(b.dir, name)] = text
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return got
}

func (b *bench) same(want map[string]string, when string) {
	b.t.Helper()
	if diff := cmp.Diff(want, b.tree()); diff != "" {
		b.t.Fatalf("%s (-want +got):\n%s", when, diff)
	}
}
