package watch

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestWait(t *testing.T) {
	dir := t.TempDir()
	below := filepath.Join(dir, "below")
	if err := os.Mkdir(below, 0o777); err != nil {
		t.Fatal(err)
	}
	w, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Set([]string{dir, below, filepath.Join(dir, "none")}); err != nil {
		t.Fatal(err)
	}
	write := func(name string) {
		t.Helper()
		if err := os.WriteFile(name, []byte("x"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, change := range []func(){
		func() { write(filepath.Join(dir, "a")) },
		func() { write(filepath.Join(below, "b")) },
		func() { _ = os.RemoveAll(below) },
		func() { _ = os.Mkdir(below, 0o777) },
	} {
		change()
		if err := w.Wait(ctx, 10*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	// The folder that went and came is watched again.
	if err := w.Set([]string{dir, below}); err != nil {
		t.Fatal(err)
	}
	write(filepath.Join(below, "c"))
	if err := w.Wait(ctx, 10*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if err := w.Set([]string{below}); err != nil {
		t.Fatal(err)
	}
	write(filepath.Join(dir, "d"))
	short, stop := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer stop()
	if err := w.Wait(short, 10*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a folder that is not watched any more: %v", err)
	}
}

func TestNothingToWatch(t *testing.T) {
	w, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Set([]string{filepath.Join(t.TempDir(), "none")}); err == nil {
		t.Error("a folder that is not there can be watched")
	}
}
