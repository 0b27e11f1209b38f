package commit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/scaffold"
)

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

// TestRecoverTakesEmptyFilesForOurs is what a loss of power leaves of new files.
func TestRecoverTakesEmptyFilesForOurs(t *testing.T) {
	base := fixture(t)
	before := snapshot(t, base)
	kill(t, base, "apply", lastJournalled(t))
	put(t, base, "auth/go.mod", "", 0o644)
	put(t, base, "README.md", "", 0o644)
	recovered, err := Recover(base)
	if err != nil || len(recovered) != 1 || len(recovered[0].Kept) > 0 {
		t.Errorf("recovered %+v, %v", recovered, err)
	}
	if diff := cmp.Diff(before, snapshot(t, base)); diff != "" {
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
	put(t, base, Folder+"/journal", `{"schema": 1, "steps": [{"kind": "mov`+journalEnd, 0o644)
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
