package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkNew is `fractl new auth` in an empty folder, but for the start of the
// process: planned, written and on the disk.
func BenchmarkNew(b *testing.B) {
	b.Chdir(b.TempDir())
	for i := 0; b.Loop(); i++ {
		dir := filepath.Join(fmt.Sprint(i), "auth")
		runVerb(b, "new", "auth", "--dir", dir)
		b.StopTimer()
		if err := os.RemoveAll(fmt.Sprint(i)); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkNewPlan is the same without the writing.
func BenchmarkNewPlan(b *testing.B) {
	b.Chdir(b.TempDir())
	for b.Loop() {
		runVerb(b, "new", "auth", "--dry-run")
	}
}

func runVerb(b *testing.B, args ...string) {
	b.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(context.Background(), args, nil, &stdout, &stderr); code != exitDone {
		b.Fatalf("exit code %d\n%s", code, stderr.String())
	}
}
