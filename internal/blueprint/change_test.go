package blueprint

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fractl/fractl/templates"
)

// optionalSpecs are the optional pieces of the tests with each of their engines.
func optionalSpecs(set *templates.Set) []string {
	var all []string
	for _, p := range set.Pieces {
		if slices.Contains(set.Trees[0].Pieces, p.Name) {
			continue
		}
		for _, e := range p.Engines {
			all = append(all, p.Name+"="+e.Name)
		}
		if len(p.Engines) == 0 {
			all = append(all, p.Name)
		}
	}
	return all
}

// TestAddThenRemove gives back every byte, and what a person wrote elsewhere.
func TestAddThenRemove(t *testing.T) {
	edits := map[string]func(*bench){
		"untouched": func(*bench) {},
		"edited": func(b *bench) {
			b.edit("internal/app/app.go", "// Run builds", "// Mine.\n\n// Run builds")
			b.edit("config.yaml", "addr: 127.0.0.1:8080", "addr: 127.0.0.1:9999 # mine")
			b.write("config.yaml", b.read("config.yaml")+"\n# the end\n")
			b.edit("README.md", "## Run", "## Run it")
			b.edit("go.mod", "\ntool ", "\nrequire example.com/mine v1.2.3 // why\n\ntool ")
			b.write("go.sum", b.read("go.sum")+"zzz.example/mine v1.2.3/go.mod h1:=\n")
			b.write("internal/mine/mine.go", "package mine\n")
			if err := os.Remove(filepath.Join(b.auth, "Dockerfile")); err != nil {
				b.t.Fatal(err)
			}
		},
	}
	for name, edit := range edits {
		for _, lone := range []bool{true, false} {
			specs := optionalSpecs(testSet())
			if lone == (name == "edited") || testing.Short() {
				specs = []string{"health", "beacon=redis"}
			}
			for _, spec := range specs {
				t.Run(fmt.Sprintf("%s/lone=%t/%s", name, lone, spec), func(t *testing.T) {
					b := newBench(t, lone)
					edit(b)
					before := b.tree()
					added := b.add(spec)
					if !slices.Contains(added.Added, spec) || len(added.Removed)+len(added.Idle)+len(added.Doubts) > 0 {
						t.Errorf("added %v, removed %v, idle %v, doubts %v", added.Added, added.Removed, added.Idle, added.Doubts)
					}
					b.remove(nameOf(spec))
					b.same(before, "added and removed")
				})
			}
		}
	}
}

// TestAddIsNew holds that a piece that is added gives the tree that new makes
// with it, whatever the order.
func TestAddIsNew(t *testing.T) {
	for _, lone := range []bool{true, false} {
		want := newBench(t, lone, "health", "beacon=redis", "tower").tree()
		for _, order := range [][]string{{"health", "beacon=redis", "tower"}, {"tower", "health", "beacon=redis"}, {"beacon=redis", "tower", "health"}} {
			b := newBench(t, lone)
			for _, spec := range order {
				b.add(spec)
			}
			b.same(want, fmt.Sprintf("lone=%t, %v", lone, order))
		}
		b := newBench(t, lone)
		b.add("tower", "health", "beacon=redis")
		b.same(want, "all at once")
	}
}

// TestAddTwice says so and changes nothing.
func TestAddTwice(t *testing.T) {
	b := newBench(t, false, "beacon=redis")
	before := b.tree()
	out := b.add("beacon")
	if !out.Plan.Empty() || len(out.Added) > 0 || !slices.Equal(out.Idle, []string{"beacon=redis"}) {
		t.Errorf("added %v, idle %v, plan:\n%s", out.Added, out.Idle, out.Plan.List())
	}
	out = b.add("web", "beacon=redis")
	if !out.Plan.Empty() || !slices.Equal(out.Idle, []string{"web", "beacon=redis"}) {
		t.Errorf("idle %v, plan:\n%s", out.Idle, out.Plan.List())
	}
	out = b.remove("tower")
	if !out.Plan.Empty() || !slices.Equal(out.Idle, []string{"tower"}) {
		t.Errorf("idle %v, plan:\n%s", out.Idle, out.Plan.List())
	}
	b.same(before, "nothing to do")
}

// TestEngineIsChanged takes the files of one engine out and those of the other in.
func TestEngineIsChanged(t *testing.T) {
	want := newBench(t, false, "beacon=redis").tree()
	b := newBench(t, false, "beacon")
	before := b.tree()
	out := b.add("beacon=redis")
	if !slices.Equal(out.Added, []string{"beacon=redis"}) || !slices.Equal(out.Removed, []string{"beacon=memory"}) {
		t.Errorf("added %v, removed %v", out.Added, out.Removed)
	}
	b.same(want, "the other engine")
	b.add("beacon=memory")
	b.same(before, "back")

	b.add("beacon=redis")
	b.write("internal/mine/mine.go", "package mine\n\nimport _ \"example.com/shop/auth/internal/beacon/redis\"\n")
	if got := b.refused(Add, b.request("beacon=memory")); !strings.Contains(got, "auth/internal/mine/mine.go:3: uses what goes with the piece: imports example.com/shop/auth/internal/beacon/redis") {
		t.Error(got)
	}
}

// TestRequiredPieces come with what needs them and go with it, unless they were
// asked for.
func TestRequiredPieces(t *testing.T) {
	b := newBench(t, false)
	before := b.tree()
	out := b.add("tower")
	if !slices.Equal(out.Added, []string{"beacon=memory", "tower=plain"}) {
		t.Errorf("added %v", out.Added)
	}
	if got := b.refused(Remove, b.request("beacon")); got != "beacon: the piece tower needs it" {
		t.Error(got)
	}
	b.remove("tower")
	b.same(before, "tower and what it needed")

	b.add("tower")
	b.add("beacon") // now it is asked for
	out = b.remove("tower")
	if !slices.Equal(out.Removed, []string{"tower=plain"}) {
		t.Errorf("removed %v", out.Removed)
	}
	b.add("tower")
	out = b.remove("tower", "beacon")
	if !slices.Equal(out.Removed, []string{"beacon=memory", "tower=plain"}) {
		t.Errorf("removed %v", out.Removed)
	}
	b.same(before, "both")
}

// TestMigrations numbers the migration of a piece after those that are there, and
// keeps the number while the piece is.
func TestMigrations(t *testing.T) {
	b := newBench(t, false)
	b.write("internal/migrations/sqlite/00007_mine.sql", "-- mine\n")
	before := b.tree()
	b.add("tower=tall") // and beacon
	b.read("internal/migrations/sqlite/00008_beacon.sql")
	b.read("internal/migrations/sqlite/00009_tower.sql")
	b.write("internal/migrations/sqlite/00010_mine.sql", "-- mine too\n")
	b.add("health")
	if got := b.read("internal/migrations/sqlite/00009_tower.sql"); got != "-- tower 00009\n" {
		t.Error(got)
	}
	b.remove("health")
	if err := os.Remove(filepath.Join(b.auth, "internal/migrations/sqlite/00010_mine.sql")); err != nil {
		t.Fatal(err)
	}
	out := b.remove("tower")
	if want := []string{"auth/internal/migrations/sqlite/00008_beacon.sql", "auth/internal/migrations/sqlite/00009_tower.sql"}; !slices.Equal(want, out.Migrations) {
		t.Errorf("migrations that go: %v", out.Migrations)
	}
	b.same(before, "there and back")

	b = newBench(t, true, "tower=tall")
	b.read("internal/migrations/sqlite/00002_beacon.sql")
	b.read("internal/migrations/sqlite/00003_tower.sql")
	b.add("tower=plain")
	b.edit("fractl.lock", `"migrations":{"beacon":"00002"}`, `"migrations":{"beacon":"00002"}`)
}

// TestRemoveRefusesEdits lists what a person has written, with its diff; force
// throws it away and names it.
func TestRemoveRefusesEdits(t *testing.T) {
	b := newBench(t, false, "beacon", "health")
	b.edit("internal/beacon/beacon.go", "// Defaults", "// Mine.\n\n// Defaults")
	b.edit("internal/app/beacon.go", "// addBeacon", "// AddBeacon")
	b.edit("config.yaml", "pace: 1s", "pace: 7s")
	b.edit("config.yaml", "# How often.", "# How often it blinks.")
	before := b.tree()

	_, err := Remove(b.request("beacon"))
	var edited *EditedError
	if !errors.As(err, &edited) {
		t.Fatalf("error %v", err)
	}
	var got []string
	for _, f := range edited.Files {
		got = append(got, f.Path)
	}
	want := []string{"auth/config.yaml, section beacon", "auth/internal/app/beacon.go", "auth/internal/beacon/beacon.go"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if d := string(edited.Files[0].Diff); !strings.Contains(d, "-  pace: 1s\n+  pace: 7s\n") {
		t.Error(d)
	}
	if d := string(edited.Files[2].Diff); !strings.Contains(d, "--- a/auth/internal/beacon/beacon.go\n+++ b/auth/internal/beacon/beacon.go\n") || !strings.Contains(d, "\n+// Mine.\n") {
		t.Error(d)
	}
	b.same(before, "refused")

	req := b.request("beacon")
	req.Force = true
	out := b.do(Remove, req)
	slices.Sort(out.Discarded)
	if diff := cmp.Diff(want, out.Discarded); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b.same(newBench(t, false, "health").tree(), "thrown away")
}

// TestRemoveRefusesUses names each place that would not compile any more, and
// force does not change that.
func TestRemoveRefusesUses(t *testing.T) {
	b := newBench(t, false, "beacon=redis")
	b.write("internal/mine/mine.go", "package mine\n\nimport (\n\t\"fmt\"\n\n\tlight \"example.com/shop/auth/internal/beacon\"\n)\n\nvar _ = fmt.Sprint(light.Defaults())\n")
	b.write("internal/app/mine.go", "package app\n\nfunc mine(a *app) error {\n\t_ = a.settings.Beacon\n\treturn addBeacon(a)\n}\n")
	req := b.request("beacon")
	for range 2 {
		got := b.refused(Remove, req)
		want := []string{
			"auth/internal/app/mine.go:4: uses what goes with the piece: a.settings.Beacon undefined (type Settings has no field or method Beacon)",
			"auth/internal/app/mine.go:5: uses what goes with the piece: undefined: addBeacon",
			"auth/internal/mine/mine.go:6: uses what goes with the piece: imports example.com/shop/auth/internal/beacon",
		}
		if diff := cmp.Diff(want, strings.Split(got, "\n")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		req.Force = true
	}
}

// TestAddRefusesConflicts lists all that is in the way.
func TestAddRefusesConflicts(t *testing.T) {
	b := newBench(t, false)
	b.write("internal/beacon/beacon.go", "package beacon // mine\n")
	b.write("internal/app/beacon.go", "package app\n")
	b.write("config.yaml", b.read("config.yaml")+"\nbeacon:\n  mine: true\n")
	b.edit("internal/app/wiring_gen.go", "return Wired{}", "return Wired{ /* mine */ }")
	got := b.refused(Add, b.request("beacon"))
	line := strings.Count(b.read("config.yaml"), "\n") - 1
	want := []string{
		fmt.Sprintf("auth/config.yaml:%d: has a section beacon already", line),
		"auth/internal/app/wiring_gen.go: was edited, and fractl writes it",
		"auth/internal/app/beacon.go: is there already",
		"auth/internal/beacon/beacon.go: is there already",
	}
	if diff := cmp.Diff(want, strings.Split(got, "\n")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAddDoubts warns of code that will not compile with what was added.
func TestAddDoubts(t *testing.T) {
	b := newBench(t, false)
	b.write("internal/app/mine.go", "package app\n\nfunc addBeacon() {}\n")
	out := b.add("beacon")
	if len(out.Doubts) == 0 || !strings.Contains(out.Doubts[0], "addBeacon redeclared in this block") {
		t.Errorf("doubts %v", out.Doubts)
	}
}

// TestEditedSeedIsLeft leaves a file that varies with the pieces and was edited,
// and tells what to change in it; without the piece it is as it was.
func TestEditedSeedIsLeft(t *testing.T) {
	b := newBench(t, false)
	b.edit("README.md", "## Run", "## Run it")
	before := b.tree()
	out := b.add("health")
	i := slices.IndexFunc(out.Left, func(l Left) bool { return l.Path == "auth/README.md" })
	if i < 0 || !strings.Contains(string(out.Left[i].Diff), "\n+curl -s 'localhost:8081/readyz?verbose'\n") {
		t.Fatalf("left %v", out.Left)
	}
	if len(out.Left) != 1 {
		t.Errorf("left %d", len(out.Left))
	}
	if strings.Contains(b.read("README.md"), "8081") || !strings.Contains(b.read("Dockerfile"), "8081") {
		t.Error("README.md was changed, or Dockerfile was not")
	}
	if out := b.remove("health"); len(out.Left) != 0 {
		t.Errorf("left %v", out.Left)
	}
	b.same(before, "there and back")
}

// TestSurroundingsChange holds that a repository or workspace that came to be
// around a fraction does not matter.
func TestSurroundingsChange(t *testing.T) {
	b := newBench(t, true)
	for _, dir := range []string{b.auth, b.dir} {
		b.t.Chdir(dir)
		if err := os.MkdirAll(filepath.Join(dir, ".git"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, ".git", "HEAD"), []byte("ref: refs/heads/main\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		before := b.tree()
		if out := b.add("health", "tower"); len(out.Left) > 0 {
			t.Errorf("left %v", out.Left)
		}
		b.remove("health", "tower")
		b.same(before, "a repository in "+dir)
	}
	apply(t, initWorkspace(t, b.dir))
	before := b.tree()
	if out := b.add("health"); len(out.Left) > 0 {
		t.Errorf("left %v", out.Left)
	}
	b.remove("health")
	b.same(before, "a workspace")
}

// TestLineEnds holds that a checkout with CR LF is no edit.
func TestLineEnds(t *testing.T) {
	b := newBench(t, false, "beacon")
	for _, name := range []string{"config.yaml", "README.md", "internal/app/beacon.go", "internal/app/wiring_gen.go", "internal/beacon/beacon.go"} {
		b.write(name, strings.ReplaceAll(b.read(name), "\n", "\r\n"))
	}
	if out := b.remove("beacon"); len(out.Left) > 0 || strings.Contains(b.read("config.yaml"), "beacon") || !strings.Contains(b.read("config.yaml"), "store:\r\n") {
		t.Errorf("left %v, config.yaml:\n%s", out.Left, b.read("config.yaml"))
	}
}

// TestFound finds the fraction from wherever a person stands.
func TestFound(t *testing.T) {
	for _, lone := range []bool{true, false} {
		b := newBench(t, lone)
		dirs := []string{b.dir, b.auth, filepath.Join(b.auth, "internal", "app")}
		if !lone {
			dirs = append(dirs, filepath.Join(b.dir, "contracts"), filepath.Join(b.dir, "contracts", "auth", "v1"))
		}
		want := b.request("beacon")
		for _, dir := range dirs {
			req := want
			req.Cwd = dir
			out, err := Add(req)
			if err != nil {
				t.Errorf("lone=%t, in %s: %v", lone, slashRel(b.dir, dir), err)
			} else if out.Dir != b.auth {
				t.Errorf("lone=%t, in %s: found %s", lone, slashRel(b.dir, dir), out.Dir)
			}
		}
		want.Fraction = "auht"
		if got := b.refused(Add, want); got != "auht: no such fraction" {
			t.Error(got)
		}
	}
	if _, err := Add(ChangeRequest{Cwd: emptyDir(t), Fraction: "auth", Pieces: []string{"health"}}); err == nil || err.Error() != "auth: no such fraction; there is none here" {
		t.Error(err)
	}
}

// TestForeignLock refuses what this program did not make, or not like this.
func TestForeignLock(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*bench)
		want  string
	}{
		"none":      {func(b *bench) { os.Remove(filepath.Join(b.auth, "fractl.lock")) }, "auth/fractl.lock: is not there"},
		"broken":    {func(b *bench) { b.write("fractl.lock", "{\n") }, "auth/fractl.lock:1: is not a lock of fractl"},
		"name":      {func(b *bench) { b.edit("fractl.lock", `"name":"auth"`, `"name":"order"`) }, "auth/fractl.lock: is that of the fraction order"},
		"module":    {func(b *bench) { b.edit("go.mod", "module example.com/shop/auth", "module example.com/shop/other") }, "auth/go.mod:1: is the module example.com/shop/other"},
		"no go.mod": {func(b *bench) { os.Remove(filepath.Join(b.auth, "go.mod")) }, "go.work:"},
		"kind":      {func(b *bench) { b.edit("fractl.lock", `"kind":"service"`, `"kind":"satellite"`) }, "auth/fractl.lock: speaks of the kind satellite"},
		"piece":     {func(b *bench) { b.edit("fractl.lock", `"web"`, `"warp"`) }, "auth/fractl.lock: speaks of the piece warp"},
		"engine":    {func(b *bench) { b.edit("fractl.lock", `"web"`, `"web=warp"`) }, "auth/fractl.lock: speaks of the piece web=warp"},
		"templates": {func(b *bench) { b.edit("fractl.lock", `"templates": "sha256:`, `"templates": "sha256:0`) }, "auth/fractl.lock: was made from other templates"},
	} {
		b := newBench(t, false)
		c.spoil(b)
		if got := b.refused(Add, b.request("beacon")); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestUnknownPieces names what was meant.
func TestUnknownPieces(t *testing.T) {
	b := newBench(t, false)
	for _, c := range []struct {
		plan   func(ChangeRequest) (*Changed, error)
		pieces []string
		want   string
	}{
		{Add, []string{"becon"}, "becon: no such piece"},
		{Add, []string{"beacon=reddis"}, "beacon=reddis: the piece beacon has no engine reddis"},
		{Add, []string{"beacon="}, "beacon=: the piece beacon has no engine "},
		{Add, []string{"health=fast"}, "health=fast: the piece health has no engines to choose from"},
		{Add, []string{"beacon", "beacon=redis"}, "beacon=redis: the engine memory is asked for as well"},
		{Remove, []string{"helth"}, "helth: no such piece"},
		{Remove, []string{"web"}, "web: a service always has this piece"},
	} {
		if got := b.refused(c.plan, b.request(c.pieces...)); got != c.want {
			t.Errorf("%v: %s", c.pieces, got)
		}
	}
	b.add("beacon")
	if got := b.refused(Remove, b.request("beacon=redis")); got != "beacon=redis: the piece beacon has the engine memory" {
		t.Error(got)
	}
}
