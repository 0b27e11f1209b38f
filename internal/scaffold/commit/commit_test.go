package commit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/scaffold"
)

// TestMain turns the test binary into the process that is killed: see
// TestKilledAtEveryStep.
func TestMain(m *testing.M) {
	if base := os.Getenv("COMMIT_TEST_BASE"); base != "" {
		os.Exit(victim(base, os.Getenv("COMMIT_TEST_VERB"), os.Getenv("COMMIT_TEST_KILL_AT")))
	}
	os.Exit(m.Run())
}

func TestApply(t *testing.T) {
	base := fixture(t)
	if err := Apply(t.Context(), plan(t, base)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wanted(), snapshot(t, base)); diff != "" {
		t.Errorf("tree after the commit (-want +got):\n%s", diff)
	}
}

func TestFailureAtEveryStepRestoresEveryByte(t *testing.T) {
	n := countSteps(t)
	t.Logf("%d steps", n)
	for i := range n {
		base := fixture(t)
		before := snapshot(t, base)
		err := apply(t.Context(), plan(t, base), failAt(i))
		after := snapshot(t, base)
		switch {
		case err == nil && cmp.Equal(after, wanted()):
			// Only the tidying up failed.
			recovered, err := Recover(base)
			if err != nil {
				t.Fatalf("step %d: %v", i, err)
			}
			if len(recovered) == 1 && recovered[0].Begun && !recovered[0].Forward {
				t.Errorf("step %d: finished work was not recognised: %+v", i, recovered)
			}
			noFolder(t, i, base)
			if diff := cmp.Diff(wanted(), snapshot(t, base)); diff != "" {
				t.Errorf("step %d (-want +got):\n%s", i, diff)
			}
		case err == nil:
			t.Errorf("step %d: no error, and the tree is not the new one:\n%s", i, cmp.Diff(wanted(), after))
		case !errors.Is(err, errInjected):
			t.Errorf("step %d: %v is not the injected failure", i, err)
		default:
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("step %d: tree after a failure (-want +got):\n%s", i, diff)
			}
			noFolder(t, i, base)
		}
	}
}

// TestFailureWhileUndoing lets a second operation fail, in the rollback or in
// the tidying up; the journal then lets the next command finish it.
func TestFailureWhileUndoing(t *testing.T) {
	if testing.Short() {
		t.Skip("many hundred commits")
	}
	n := countSteps(t)
	for i := range n {
		for j := i + 1; j < i+12; j++ {
			base := fixture(t)
			before := snapshot(t, base)
			err := apply(t.Context(), plan(t, base), failAt(i, j))
			if _, rerr := Recover(base); rerr != nil {
				t.Fatalf("steps %d, %d: recover: %v", i, j, rerr)
			}
			want := before
			if err == nil {
				want = wanted()
			}
			if diff := cmp.Diff(want, snapshot(t, base)); diff != "" {
				t.Fatalf("steps %d, %d, error %v (-want +got):\n%s", i, j, err, diff)
			}
			noFolder(t, i, base)
		}
	}
}

// TestKilledAtEveryStep kills a real process with SIGKILL before each operation
// and lets the next one recover.
func TestKilledAtEveryStep(t *testing.T) {
	n := countSteps(t)
	back, forward := 0, 0
	for i := range n {
		base := fixture(t)
		before := snapshot(t, base)
		kill(t, base, "apply", i)
		recovered, err := Recover(filepath.Join(base, "auth", "not", "there"))
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		want := before
		switch {
		case len(recovered) == 1 && recovered[0].Forward:
			want = wanted()
			forward++
		case len(recovered) == 0 && cmp.Equal(snapshot(t, base), wanted()):
			want = wanted() // nothing but an empty folder was left
		default:
			back++
		}
		if diff := cmp.Diff(want, snapshot(t, base)); diff != "" {
			t.Fatalf("step %d, recovered %+v (-want +got):\n%s", i, recovered, diff)
		}
		if len(recovered) == 1 && len(recovered[0].Kept) > 0 {
			t.Errorf("step %d: kept %v", i, recovered[0].Kept)
		}
		noFolder(t, i, base)
		if recovered, err := Recover(base); err != nil || len(recovered) > 0 {
			t.Errorf("step %d: a second recovery: %v, %v", i, recovered, err)
		}
	}
	if back == 0 || forward == 0 {
		t.Errorf("%d undone, %d finished: both ways should have been taken", back, forward)
	}
}

// TestKilledWhileRecovering kills the recovery of a commit that was killed late,
// before each of its operations.
func TestKilledWhileRecovering(t *testing.T) {
	late := lastJournalled(t)
	for i := range 200 {
		base := fixture(t)
		before := snapshot(t, base)
		kill(t, base, "apply", late)
		killed := kill(t, base, "recover", i)
		if _, err := Recover(base); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		if diff := cmp.Diff(before, snapshot(t, base)); diff != "" {
			t.Fatalf("step %d (-want +got):\n%s", i, diff)
		}
		noFolder(t, i, base)
		if !killed {
			if i < 5 {
				t.Errorf("the recovery had only %d operations", i)
			}
			return
		}
	}
	t.Error("the recovery did not end")
}

// TestRecoverKeepsLaterEdits holds that undoing never takes a person's work.
func TestRecoverKeepsLaterEdits(t *testing.T) {
	base := fixture(t)
	want := snapshot(t, base)
	kill(t, base, "apply", lastJournalled(t))
	put(t, base, "auth/go.mod", "module edited\n", 0o644)
	put(t, base, "auth/notes/mine.txt", "mine\n", 0o644)
	put(t, base, "go.work", "go 1.26 // edited\n", 0o644)
	recovered, err := Recover(base)
	if err != nil {
		t.Fatal(err)
	}
	kept := []string{"auth/go.mod", "auth/notes", "go.work"}
	if len(recovered) != 1 || recovered[0].Forward || !cmp.Equal(recovered[0].Kept, kept) {
		t.Errorf("recovered %+v, want kept %v", recovered, kept)
	}
	want["auth/go.mod"] = "-rw-r--r-- module edited\n"
	want["auth/notes/mine.txt"] = "-rw-r--r-- mine\n"
	want["go.work"] = "-rw-r--r-- go 1.26 // edited\n"
	got := snapshot(t, base)
	for name := range got {
		if strings.HasSuffix(name, "/") {
			delete(got, name)
		}
	}
	for name := range want {
		if strings.HasSuffix(name, "/") {
			delete(want, name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestInterruptRestoresEveryByte(t *testing.T) {
	n := countSteps(t)
	for i := range n {
		base := fixture(t)
		before := snapshot(t, base)
		ctx, cancel := context.WithCancel(t.Context())
		var count atomic.Int64
		err := apply(ctx, plan(t, base), func(string, string) error {
			if count.Add(1) == int64(i) {
				cancel()
			}
			return nil
		})
		cancel()
		want := before
		if err == nil {
			want = wanted() // it came too late to stop anything
		} else if !errors.Is(err, context.Canceled) {
			t.Errorf("step %d: %v is not the interruption", i, err)
		}
		if diff := cmp.Diff(want, snapshot(t, base)); diff != "" {
			t.Errorf("step %d, error %v (-want +got):\n%s", i, err, diff)
		}
		noFolder(t, i, base)
	}
}

func TestChangedSincePlanned(t *testing.T) {
	for name, change := range map[string]func(base string){
		"go.work":       func(base string) { put(t, base, "go.work", "go 1.27\n", 0o644) },
		"README.md":     func(base string) { put(t, base, "README.md", "# mine\n", 0o644) },
		"auth/go.mod":   func(base string) { put(t, base, "auth/go.mod", "module mine\n", 0o644) },
		"old/remove.me": func(base string) { os.Remove(filepath.Join(base, "old", "remove.me")) },
	} {
		base := fixture(t)
		p := plan(t, base)
		change(base)
		before := snapshot(t, base)
		err := Apply(t.Context(), p)
		var f *fault.Error
		if !errors.As(err, &f) || f.Subject != name || f.Fact != "changed while fractl was at work" {
			t.Errorf("%s: error %v", name, err)
		}
		if diff := cmp.Diff(before, snapshot(t, base)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestOneAtATime lets several commits of different files meet below one base.
func TestOneAtATime(t *testing.T) {
	base := t.TempDir()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			b, err := scaffold.NewBuilder(base, base)
			if err != nil {
				t.Error(err)
				return
			}
			defer b.Close()
			b.Create(fmt.Sprintf("d%d/f", i), []byte("x\n"), scaffold.Seeded, 0o644)
			p, err := b.Plan()
			if err == nil {
				err = Apply(t.Context(), p)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := snapshot(t, base); len(got) != 16 {
		t.Errorf("tree %v", got)
	}
	noFolder(t, 0, base)
}

func TestDamagedJournal(t *testing.T) {
	base := fixture(t)
	put(t, base, Folder+"/journal", `{"schema": 1, "steps": [{"kind": "mov`, 0o644)
	_, err := Recover(base)
	if err == nil || !strings.Contains(err.Error(), "journal of an interrupted fractl is damaged") {
		t.Errorf("error %v", err)
	}
	if err := Apply(t.Context(), plan(t, base)); err == nil {
		t.Error("a commit went over a journal that nobody could read")
	}
}

// TestFullDisk fills a small filesystem of its own; it needs the right to mount.
func TestFullDisk(t *testing.T) {
	base := t.TempDir()
	if err := mountTmpfs(base, 64<<10); err != nil {
		t.Skip("cannot mount a small filesystem:", err)
	}
	t.Cleanup(func() { _ = unmount(base) })
	put(t, base, "go.work", "go 1.26\n", 0o644)
	before := snapshot(t, base)
	b, err := scaffold.NewBuilder(base, base)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for i := range 40 {
		b.Create(fmt.Sprintf("auth/f%d", i), []byte(strings.Repeat("x", 4000)), scaffold.Seeded, 0o644)
	}
	p, err := b.Plan()
	if err != nil {
		t.Fatal(err)
	}
	err = Apply(t.Context(), p)
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("error %v, want no space left", err)
	}
	if diff := cmp.Diff(before, snapshot(t, base)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	noFolder(t, 0, base)
}

// fixture is a small repository that a plan creates, updates and deletes in.
func fixture(t *testing.T) string {
	base := t.TempDir()
	put(t, base, "go.work", "go 1.26\n", 0o644)
	put(t, base, "fractl.yaml", "version: 1\n", 0o640)
	put(t, base, "contracts/go.mod", "module example.com/contracts\n", 0o644)
	put(t, base, "old/remove.me", "gone soon\n", 0o644)
	return base
}

func plan(t testing.TB, base string) *scaffold.Plan {
	t.Helper()
	p, err := makePlan(base)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func makePlan(base string) (*scaffold.Plan, error) {
	b, err := scaffold.NewBuilder(base, base)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	b.Create("auth/go.mod", []byte("module example.com/auth\n"), scaffold.Seeded, 0o644)
	b.Create("auth/cmd/auth/main.go", []byte("package main\n"), scaffold.Seeded, 0o644)
	b.Create("auth/run.sh", []byte("#!/bin/sh\n"), scaffold.Seeded, 0o755)
	b.Create("contracts/auth/v1/openapi.yaml", []byte("openapi: 3.0.3\n"), scaffold.Seeded, 0o644)
	b.Create("README.md", []byte("# shop\n"), scaffold.Seeded, 0o644)
	b.Update("go.work", []byte("go 1.26\n\nuse ./auth\n"), scaffold.Seeded, "use ./auth")
	b.Update("fractl.yaml", []byte("version: 1\nfractions: {auth: {dir: auth}}\n"), scaffold.Seeded, "")
	b.Delete("old/remove.me", scaffold.Generated, "no longer made")
	return b.Plan()
}

// wanted is the snapshot of the fixture after the plan.
func wanted() map[string]string {
	return map[string]string{
		"auth/": "drwxr-xr-x", "auth/cmd/": "drwxr-xr-x", "auth/cmd/auth/": "drwxr-xr-x",
		"auth/go.mod":                    "-rw-r--r-- module example.com/auth\n",
		"auth/cmd/auth/main.go":          "-rw-r--r-- package main\n",
		"auth/run.sh":                    "-rwxr-xr-x #!/bin/sh\n",
		"contracts/":                     "drwxr-xr-x",
		"contracts/go.mod":               "-rw-r--r-- module example.com/contracts\n",
		"contracts/auth/":                "drwxr-xr-x",
		"contracts/auth/v1/":             "drwxr-xr-x",
		"contracts/auth/v1/openapi.yaml": "-rw-r--r-- openapi: 3.0.3\n",
		"README.md":                      "-rw-r--r-- # shop\n",
		"go.work":                        "-rw-r--r-- go 1.26\n\nuse ./auth\n",
		"fractl.yaml":                    "-rw-r----- version: 1\nfractions: {auth: {dir: auth}}\n",
		"old/":                           "drwxr-xr-x",
	}
}

// snapshot maps every path below base, but for the folder of the commit, to its
// mode and content.
func snapshot(t testing.TB, base string) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := filepath.WalkDir(base, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == base {
			return err
		}
		rel, _ := filepath.Rel(base, name)
		if rel == Folder {
			return fs.SkipDir
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if d.IsDir() {
			got[filepath.ToSlash(rel)+"/"] = info.Mode().String()
			return nil
		}
		data, err := os.ReadFile(name)
		got[filepath.ToSlash(rel)] = info.Mode().String() + " " + string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func put(t testing.TB, base, name, content string, mode fs.FileMode) {
	t.Helper()
	full := filepath.Join(base, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

func noFolder(t *testing.T, step int, base string) {
	t.Helper()
	if _, err := os.Lstat(filepath.Join(base, Folder)); err == nil {
		t.Errorf("step %d: %s is left behind", step, Folder)
	}
}

var errInjected = errors.New("injected failure")

// failAt fails the operations with these numbers, counted from 0.
func failAt(numbers ...int) hook {
	var count atomic.Int64
	return func(op, name string) error {
		n := int(count.Add(1)) - 1
		for _, i := range numbers {
			if n == i {
				return fmt.Errorf("%s %s: %w", op, name, errInjected)
			}
		}
		return nil
	}
}

func countSteps(t *testing.T) int {
	t.Helper()
	base := fixture(t)
	var count atomic.Int64
	err := apply(t.Context(), plan(t, base), func(string, string) error { count.Add(1); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return int(count.Load())
}

// lastJournalled is the number of the operation that declares a commit done.
func lastJournalled(t *testing.T) int {
	t.Helper()
	base := fixture(t)
	var count, at atomic.Int64
	err := apply(t.Context(), plan(t, base), func(op, name string) error {
		if n := count.Add(1) - 1; name == inFolder("done") && op == "rename" {
			at.Store(n)
		}
		return nil
	})
	if err != nil || at.Load() == 0 {
		t.Fatal(at.Load(), err)
	}
	return int(at.Load())
}

// kill runs a process that kills itself before its operation i; it reports
// whether there was one.
func kill(t *testing.T, base, verb string, i int) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "COMMIT_TEST_BASE="+base, "COMMIT_TEST_VERB="+verb, "COMMIT_TEST_KILL_AT="+strconv.Itoa(i))
	out, err := cmd.CombinedOutput()
	if err == nil {
		return false
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Exited() {
		t.Fatalf("%s, step %d: %v\n%s", verb, i, err, out)
	}
	return true
}

func victim(base, verb, killAt string) int {
	at, err := strconv.Atoi(killAt)
	if err != nil {
		return 3
	}
	var count atomic.Int64
	h := func(string, string) error {
		if int(count.Add(1))-1 == at {
			p, err := os.FindProcess(os.Getpid())
			if err == nil {
				err = p.Kill()
			}
			if err != nil {
				return err
			}
			select {} // the kill is on its way
		}
		return nil
	}
	if verb == "recover" {
		_, err = recoverFrom(base, h)
	} else {
		var p *scaffold.Plan
		if p, err = makePlan(base); err == nil {
			err = apply(context.Background(), p, h)
		}
	}
	if err != nil {
		fmt.Println(err)
		return 4
	}
	return 0
}
