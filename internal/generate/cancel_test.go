//go:build unix

package generate

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fractl/fractl/internal/generate/mockgen"
	"github.com/fractl/fractl/internal/workspace"
)

// TestCancel holds that the end of the context ends what a directive has started,
// in the background too, and puts the files of its folder back.
func TestCancel(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":   "module example.com/m\n\ngo 1.26\n",
		"m.go":     "package m\n\n//go:generate sh -c \"echo lost > kept.txt; sleep 100 & echo $DOLLAR! > pid.txt; touch started; sleep 100\"\n",
		"kept.txt": "kept\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	ws, err := workspace.Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	e, err := Find(ctx, ws, Options{Dir: dir, Cache: t.TempDir(), Pinned: mockgen.Pinned})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	var pid int
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(dir, "started")); err == nil {
			data, _ := os.ReadFile(filepath.Join(dir, "pid.txt"))
			if pid, err = strconv.Atoi(strings.TrimSpace(string(data))); err == nil {
				break
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("the directive does not start")
		}
	}
	cancel()
	select {
	case err := <-done:
		if err == nil {
			t.Error("no error")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the run does not end")
	}
	if data, _ := os.ReadFile(filepath.Join(dir, "kept.txt")); string(data) != "kept\n" {
		t.Errorf("kept.txt is %q", data)
	}
	if _, err := os.Stat(filepath.Join(dir, "pid.txt")); err == nil {
		t.Error("pid.txt stays")
	}
	for deadline := time.Now().Add(10 * time.Second); syscall.Kill(pid, 0) == nil; time.Sleep(10 * time.Millisecond) {
		if state, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat")); strings.Contains(string(state), ") Z ") {
			break // dead, and nobody has asked for it yet
		}
		if time.Now().After(deadline) {
			t.Fatalf("process %d goes on", pid)
		}
	}
}
