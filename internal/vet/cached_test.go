package vet

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/cache"
	"github.com/fractl/fractl/internal/vet/inputs"
)

func TestMain(m *testing.M) {
	if root := os.Getenv("TEST_VET_ROOT"); root != "" {
		// A run that TestKilled ends before its time.
		c := cache.New(cache.NewFolder(os.Getenv("TEST_VET_CACHE"), cache.DefaultSize), nil)
		_, _ = Run(context.Background(), Options{Dir: root, Rules: analyzers.Suite(), Cache: c})
		c.Close()
		return
	}
	os.Exit(m.Run())
}

// walk is a workspace with some findings, and where to keep results of it.
func walk(t *testing.T) *wanderer {
	w := &wanderer{t: t, rand: rand.New(rand.NewPCG(1, 1)), root: t.TempDir(), cache: t.TempDir(), on: make(map[string]bool)}
	for _, name := range []string{"test", "exttest", "table", "uses", "mid:other", "lib:fresh"} {
		w.on[name] = true
	}
	w.write()
	return w
}

func (w *wanderer) options() Options { return Options{Dir: w.root, Rules: analyzers.Suite()} }

func (w *wanderer) folder() *cache.Cache {
	return cache.New(cache.NewFolder(w.cache, cache.DefaultSize), nil)
}

func TestKilled(t *testing.T) {
	w := walk(t)
	want := w.run(w.options(), nil).text
	for i := range 10 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "TEST_VET_ROOT="+w.root, "TEST_VET_CACHE="+w.cache)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(50+i*60) * time.Millisecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	if diff := cmp.Diff(want, w.run(w.options(), w.folder()).text); diff != "" {
		t.Error(diff)
	}
	if got := w.run(w.options(), w.folder()); got.text != want || !got.stats.Replayed {
		t.Errorf("the next run: %+v", got.stats)
	}
}

// TestEdits says how much is analysed again after an edit.
func TestEdits(t *testing.T) {
	w := walk(t)
	first := w.run(w.options(), w.folder()).stats
	if first.Analysed != first.Packages || first.Packages < 5 {
		t.Fatalf("first run: %+v", first)
	}
	for _, tt := range []struct {
		edit string
		most int // packages; there are six, three of which are lib with its tests
		// header: the go command is asked again what packages there are.
		header bool
	}{
		{"app:comment", 1, true},
		{"lib:comment", 6, true}, // the lines that findings elsewhere point to
		{"lib:func", 4, false},   // app, because a finding of it points into that file
		{"lib:method", 6, false}, // all hold a Store
		{"mid:chan", 2, false},
		{"lib:fresh", 6, false},
	} {
		w.on[tt.edit] = !w.on[tt.edit]
		w.write()
		want := w.run(w.options(), nil).text
		got := w.run(w.options(), w.folder())
		if got.text != want {
			t.Errorf("%s: %s", tt.edit, cmp.Diff(want, got.text))
		}
		if got.stats.Analysed == 0 || got.stats.Analysed > tt.most {
			t.Errorf("%s: %d packages analysed, want 1 to %d", tt.edit, got.stats.Analysed, tt.most)
		}
		w.on[tt.edit] = !w.on[tt.edit]
		w.write()
		before := w.run(w.options(), nil).text
		if got := w.run(w.options(), w.folder()); got.stats.Analysed != 0 || got.stats.Replayed == tt.header || got.text != before {
			t.Errorf("%s taken back: %+v %s", tt.edit, got.stats, cmp.Diff(before, got.text))
		}
	}
}

// TestSettings: what only decides how results are seen analyses nothing.
func TestSettings(t *testing.T) {
	w := walk(t)
	w.on["manifest"] = true
	w.write()
	w.run(w.options(), w.folder())
	for _, name := range []string{"severity", "disabled"} {
		w.on[name] = true
		w.write()
		if got := w.run(w.options(), w.folder()); got.stats.Analysed != 0 {
			t.Errorf("%s: %d packages analysed", name, got.stats.Analysed)
		}
		w.on[name] = false
	}
	w.write()
	o := w.options()
	o.Enable = []string{"timerleak"}
	if got := w.run(o, w.folder()); !got.stats.Replayed {
		t.Errorf("one rule: %+v", got.stats)
	}
}

// TestShared: another machine, with the code elsewhere, analyses nothing.
func TestShared(t *testing.T) {
	w := walk(t)
	shared := cache.NewFolder(t.TempDir(), cache.DefaultSize)
	want := w.run(w.options(), cache.New(cache.NewFolder(t.TempDir(), cache.DefaultSize), shared))
	w.root = t.TempDir()
	w.write()
	got := w.run(w.options(), cache.New(cache.NewFolder(t.TempDir(), cache.DefaultSize), shared))
	if got.text != want.text || got.stats.Analysed != 0 {
		t.Errorf("%d packages analysed\n%s", got.stats.Analysed, cmp.Diff(want.text, got.text))
	}
}

// TestStampsTrusted: a file that looks untouched is not read again, and one whose
// time cannot be trusted is.
func TestStampsTrusted(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "a.go")
	reads := 0
	describe := func(string, []byte) inputs.Traits { reads++; return inputs.Traits{} }
	write := func(text string) {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("one")
	table := inputs.New(dir, describe, nil, nil)
	table.File(name)
	saved := table.Save()

	saved.Began = time.Now().Add(time.Second) // a clock that goes back
	write("two")
	table = inputs.New(dir, describe, nil, saved)
	table.File(name)
	if table.Compare() != inputs.Texts {
		t.Error("with a clock that went back, an edit was missed")
	}
	saved = table.Save()
	write("six") // as long, and within the same two seconds
	table = inputs.New(dir, describe, nil, saved)
	table.File(name)
	if table.Compare() != inputs.Texts {
		t.Error("an edit right after the run was missed")
	}
	if reads != 3 {
		t.Errorf("described %d times", reads)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	table = inputs.New(dir, describe, nil, saved)
	table.Again()
	if table.Compare() != inputs.Packages {
		t.Error("a file that is gone was missed")
	}
}

func TestKeysHoldNoPath(t *testing.T) {
	w := walk(t)
	w.run(w.options(), w.folder())
	_ = filepath.WalkDir(w.cache, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		// The state and the listing are of this machine, and say so by their keys.
		if strings.Contains(string(data), w.root) && !strings.Contains(string(data), "IgnoredFiles") && !strings.Contains(string(data), "Stamp") {
			t.Errorf("%s holds the path of the workspace", name)
		}
		return nil
	})
}
