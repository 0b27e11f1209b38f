package vet

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/cache"
	"github.com/fractl/fractl/internal/fault"
)

// TestRandomSteps edits a workspace, asks for parts of it with changing flags,
// damages the cache, and holds each result against one without a cache.
// FRACTL_TEST_STEPS is how many steps; a nightly run takes 1000.
func TestRandomSteps(t *testing.T) {
	steps := 40
	if testing.Short() {
		steps = 12
	}
	if s := os.Getenv("FRACTL_TEST_STEPS"); s != "" {
		var err error
		if steps, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	seed := uint64(1)
	if s := os.Getenv("FRACTL_TEST_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = n
	}
	w := &wanderer{t: t, rand: rand.New(rand.NewPCG(seed, 8)), root: t.TempDir(), cache: t.TempDir(), on: make(map[string]bool)}
	w.write()
	var replayed, analysed, packages int
	for i := range steps {
		w.step = i
		w.edit()
		o := w.request()
		if w.rand.IntN(6) == 0 {
			w.damage()
		}
		want := w.run(o, nil)
		for _, got := range w.cached(o) {
			if diff := cmp.Diff(want.text, got.text); diff != "" {
				t.Fatalf("seed %d, step %d, %q tags %q enable %q disable %q, with %v:\n%s", seed, i, o.Patterns, o.Tags, o.Enable, o.Disable, w.switches(), diff)
			}
			if got.stats.Replayed {
				replayed++
			}
			analysed += got.stats.Analysed
			packages += got.stats.Packages
		}
	}
	t.Logf("%d steps, %d packages, %d analysed, %d runs replayed", steps, packages, analysed, replayed)
	if steps > 30 && (replayed == 0 || analysed*4 > packages*3) {
		t.Errorf("the cache was hardly used: %d of %d packages analysed, %d runs replayed", analysed, packages, replayed)
	}
}

// wanderer is the state of such a walk.
type wanderer struct {
	t           *testing.T
	rand        *rand.Rand
	root, cache string
	step        int
	// on are the switches that are on; see files.
	on map[string]bool
}

func (w *wanderer) switches() []string {
	var list []string
	for s, on := range w.on {
		if on {
			list = append(list, s)
		}
	}
	slices.Sort(list)
	return list
}

// edits are the switches that a step may turn.
var edits = []string{
	"lib:comment", "lib:func", "lib:method", "lib:field", "lib:const", "lib:context", "lib:stop", "lib:fresh", "lib:sibling", "lib:renamed", "lib:broken",
	"app:comment", "app:ignore", "app:idle", "app:calls", "app:syntax", "app:embed", "mid:comment", "mid:other", "mid:chan",
	"test", "exttest", "tagged", "manifest", "severity", "disabled", "nowork", "old", "godebug", "cycle", "table", "uses", "plainfile", "nested", "ext", "ext:field",
}

func (w *wanderer) edit() {
	for range w.rand.IntN(3) {
		name := edits[w.rand.IntN(len(edits))]
		// What does not build hides everything else, so it is seldom left on.
		w.on[name] = !w.on[name]
	}
	for _, name := range []string{"lib:broken", "app:syntax", "cycle", "lib:renamed"} {
		if w.on[name] && w.rand.IntN(2) == 0 {
			w.on[name] = false
		}
	}
	w.write()
}

// write brings the files of the workspace to what the switches say, and leaves
// alone what is so already.
func (w *wanderer) write() {
	want := w.files()
	_ = filepath.WalkDir(w.root, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(w.root, name)
			if _, ok := want[filepath.ToSlash(rel)]; !ok {
				w.must(os.Remove(name))
			}
		}
		return nil
	})
	for rel, text := range want {
		name := filepath.Join(w.root, filepath.FromSlash(rel))
		if old, err := os.ReadFile(name); err == nil && string(old) == text {
			continue
		}
		w.must(os.MkdirAll(filepath.Dir(name), 0o777))
		w.must(os.WriteFile(name, []byte(text), 0o666))
	}
}

func (w *wanderer) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// pick is a where the switch is on, else b.
func (w *wanderer) pick(name, a, b string) string {
	if w.on[name] {
		return a
	}
	return b
}

func (w *wanderer) files() map[string]string {
	f := map[string]string{
		"go.work":  "go 1.26\nuse ./a\n" + w.pick("nowork", "", "use ./b\n"),
		"a/go.mod": "module example.com/a\ngo " + w.pick("old", "1.22", "1.26") + "\nrequire example.com/ext v0.0.0\nreplace example.com/ext => ../ext\n" + w.pick("godebug", "godebug asynctimerchan=1\n", ""),
		"b/go.mod": "module example.com/b\ngo 1.26\n",
		"a/lib/lib.go": w.pick("lib:comment", "// A comment\n// of lines.\n\n", "") + `package lib

import (
	"context"
	"database/sql"
	"time"
)

type Store struct {
	DB *sql.DB
	` + w.pick("lib:field", "Extra []Store", "") + `
}

` + w.pick("lib:method", "func (s *Store) Close() error { return s.DB.Close() }\n", "") + `
const Limit = ` + w.pick("lib:const", "2", "3") + `

func (s *Store) Count() (n int, err error) {
	err = s.DB.QueryRow` + w.pick("lib:context", "Context(context.TODO(), ", "(") + `"SELECT count(*) FROM orders").Scan(&n)
	return n, err
}

func Ticks() *time.Ticker {
	t := time.NewTicker(time.Second)
	` + w.pick("lib:stop", "t.Stop()", "") + `
	return t
}

func Wait(d time.Duration) {
	` + w.pick("lib:fresh", "Ping(context.Background())", "") + `
	time.Sleep(d)
}

func Ping(ctx context.Context) { <-ctx.Done() }

` + w.pick("lib:sibling", "func WaitContext(ctx context.Context, d time.Duration) { <-ctx.Done() }\n", "") +
			w.pick("lib:renamed", "func Renamed() {}\n", "func Named() {}\n") + w.pick("lib:func", "func Added() int { return 1 }\n", "") + w.pick("lib:broken", "func broken() int { return \"\" }\n", ""),
		"a/mid/mid.go": w.pick("mid:comment", "// One line.\n", "") + `package mid

import (
	"time"

	"example.com/a/lib"
)

type Service struct{ lib.Store }

var Stream = make(chan int)

func Run(s *Service) {
	t := lib.Ticks()
	<-t.C
	` + w.pick("mid:other", "lib.Wait(lib.Limit * time.Second)", "_ = time.Second") + `
}

func Total(s *Service) int {
	n, _ := s.Count()
	return n
}

` + w.pick("mid:chan", "func init() { go func() { for range Stream { println() } }(); Stream <- 1 }\n", ""),
		"a/app/main.go": w.pick("app:comment", "// A program.\n", "") + `package main

import (
	"context"
	` + w.pick("app:embed", "_ \"embed\"", "") + `

	"example.com/a/lib"
	"example.com/a/mid"
)

` + w.pick("app:embed", "//go:embed notes.txt\nvar notes string\n", "") + `
func main() {
	serve(context.Background(), nil)
}

func serve(ctx context.Context, s *mid.Service) {
	` + w.pick("app:ignore", "//fractl:ignore ctxlessdb counts are cheap here\n\t", "") + `total := mid.Total(s)
	` + w.pick("app:idle", "//fractl:ignore timerleak there is nothing here\n\t", "") + `_ = total
	` + w.pick("app:calls", "lib.Named()\n\tlib.Wait(0)", "mid.Run(s)\n\t_ = lib.Limit") + `
` + w.pick("app:syntax", "\treturn (\n", "") + `}
`,
		"a/app/notes.txt": "notes\n",
		// A module of somebody else that imports the workspace's.
		"ext/go.mod": "module example.com/ext\ngo 1.21\nrequire example.com/a v0.0.0\n",
		"ext/ext.go": "package ext\n\nimport \"example.com/a/lib\"\n\ntype Box struct{ lib.Store" + w.pick("ext:field", "; N int", "") + " }\n",
		"b/svc/svc.go": `package svc

import "example.com/a/lib"

type Alias = lib.Store

func Size(s *Alias) int {
	n, _ := s.Count()
	return n + lib.Limit
}
`,
		"b/svc/empty.go": "package svc\n",
	}
	extra := map[string][2]string{
		"test":      {"a/lib/lib_test.go", "package lib\n\nimport (\n\t\"testing\"\n\t\"time\"\n)\n\nfunc TestTicks(t *testing.T) { time.NewTicker(time.Hour); Ticks() }\n"},
		"exttest":   {"a/lib/ext_test.go", "package lib_test\n\nimport (\n\t\"testing\"\n\n\t\"example.com/a/lib\"\n)\n\nfunc TestCount(t *testing.T) { new(lib.Store).Count() }\n"},
		"tagged":    {"a/mid/extra.go", "//go:build extra\n\npackage mid\n\nimport \"context\"\n\nfunc Extra(ctx context.Context) { deep(context.Background()) }\n\nfunc deep(ctx context.Context) {}\n"},
		"manifest":  {"fractl.yaml", "version: 1\nmodule: example.com\nfractions: {a: {dir: a}, b: {dir: b}}\n"},
		"severity":  {"fractl.yaml", "version: 1\nmodule: example.com\nfractions: {a: {dir: a}, b: {dir: b}}\nvet: {severity: {ctxlessdb: note}}\n"},
		"disabled":  {"fractl.yaml", "version: 1\nmodule: example.com\nfractions: {a: {dir: a}, b: {dir: b}}\nshared: [{path: a/lib, reason: it is}]\nvet: {disable: [timerleak]}\n"},
		"cycle":     {"a/lib/cycle.go", "package lib\n\nimport _ \"example.com/a/mid\"\n"},
		"table":     {"b/migrations/1.sql", "CREATE TABLE orders (id int);\n"},
		"uses":      {"a/lib/sql.go", "package lib\n\nconst all = \"SELECT * FROM \" + name\n\nconst name = \"orders\"\n"},
		"plainfile": {"a/lib/more.go", "package lib\n\nfunc More() { Wait(1) }\n"},
		"ext":       {"a/app/ext.go", "package main\n\nimport \"example.com/ext\"\n\nfunc boxed(b *ext.Box) int {\n\tn, _ := b.Count()\n\treturn n\n}\n"},
		"nested":    {"a/lib/deep/deep.go", "package deep\n\nimport \"time\"\n\nfunc Leak() { t := time.NewTicker(1); <-t.C }\n"},
	}
	for _, name := range w.switches() {
		if e, ok := extra[name]; ok {
			f[e[0]] = e[1]
		}
	}
	return f
}

// request draws what is asked for.
func (w *wanderer) request() Options {
	some := func(lists ...[]string) []string { return lists[w.rand.IntN(len(lists))] }
	o := Options{
		Dir: w.root, Rules: analyzers.Suite(),
		Patterns: some(nil, nil, nil, []string{"./a/..."}, []string{"./a/app"}, []string{"./a/lib", "./a/mid"}, []string{"example.com/a/..."}),
		Enable:   some(nil, nil, nil, []string{"timerleak"}, []string{"ctxlessdb", "crossimport", "ignore"}),
		Disable:  some(nil, nil, nil, []string{"ctxbreak"}, []string{"ignore", "crossschema"}),
	}
	if w.rand.IntN(4) == 0 {
		o.Tags = "extra"
	}
	if w.rand.IntN(8) == 0 {
		o.Dir = filepath.Join(w.root, "a")
		o.Patterns = nil
	}
	return o
}

type outcome struct {
	text  string
	stats Stats
}

// cached runs with the cache: once, twice in a row, or several at a time.
func (w *wanderer) cached(o Options) []outcome {
	open := func() *cache.Cache { return cache.New(cache.NewFolder(w.cache, cache.DefaultSize), nil) }
	if w.rand.IntN(10) > 0 {
		list := []outcome{w.run(o, open())}
		if w.rand.IntN(3) == 0 {
			list = append(list, w.run(o, open()))
		}
		return list
	}
	list := make([]outcome, 8)
	var wg sync.WaitGroup
	for i := range list {
		wg.Go(func() { list[i] = w.run(o, open()) })
	}
	wg.Wait()
	return list
}

// run tells all of a result as text.
func (w *wanderer) run(o Options, c *cache.Cache) outcome {
	o.Cache = c
	res, err := Run(context.Background(), o)
	for _, p := range c.Close() {
		w.t.Errorf("step %d: %v", w.step, p)
	}
	if err != nil {
		return outcome{text: "error: " + err.Error()}
	}
	var b strings.Builder
	for _, f := range res.Findings {
		fmt.Fprintf(&b, "%+v\n", f)
	}
	for _, s := range res.Suppressed {
		fmt.Fprintf(&b, "suppressed: %+v\n", s)
	}
	for _, p := range res.Problems {
		fmt.Fprintf(&b, "problem: %v (%s)\n", p, fault.HintOf(p))
	}
	for _, l := range res.LeftOut {
		fmt.Fprintf(&b, "left out: %s\n", l)
	}
	return outcome{b.String(), res.Stats}
}

// damage does to entries what a full disk, a crash or a person may.
func (w *wanderer) damage() {
	var files []string
	_ = filepath.WalkDir(w.cache, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, name)
		}
		return nil
	})
	slices.Sort(files)
	for range min(len(files), 1+w.rand.IntN(40)) {
		name := files[w.rand.IntN(len(files))]
		data, err := os.ReadFile(name)
		if err != nil || len(data) == 0 {
			continue
		}
		switch w.rand.IntN(4) {
		case 0:
			_ = os.Remove(name)
		case 1:
			w.must(os.WriteFile(name, data[:w.rand.IntN(len(data))], 0o666))
		case 2:
			data[w.rand.IntN(len(data))] ^= 1 << w.rand.IntN(8)
			w.must(os.WriteFile(name, data, 0o666))
		case 3: // an entry of another key
			if other, err := os.ReadFile(files[w.rand.IntN(len(files))]); err == nil {
				w.must(os.WriteFile(name, other, 0o666))
			}
		}
	}
}
