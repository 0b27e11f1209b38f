package generate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fractl/fractl/internal/generate/mockgen"
	"github.com/fractl/fractl/internal/generate/mockmake"
	"github.com/fractl/fractl/internal/workspace"
)

// TestSamples holds what is made in this process to what mockgen writes, over the
// samples and tests that mockgen itself is published with.
func TestSamples(t *testing.T) {
	if testing.Short() {
		t.Skip("builds mockgen and runs it for each sample")
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(moduleDir(t, mockgen.ModulePath))); err != nil {
		t.Fatal(err)
	}
	writable(t, dir)
	same, unsure := compareAll(t, dir)
	if same < 20 {
		t.Errorf("only %d mocks were made in this process, %d were left to mockgen", same, unsure)
	}
	t.Logf("%d mocks are the same, %d were left to mockgen", same, unsure)
}

// compareAll makes each mock of a module both ways.
func compareAll(t *testing.T, dir string) (same, unsure int) {
	t.Helper()
	ctx := context.Background()
	ws, err := workspace.Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	e, err := Find(ctx, ws, Options{Dir: dir, Cache: t.TempDir(), Pinned: mockgen.Pinned, Env: append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")})
	if err != nil {
		t.Fatal(err)
	}
	all := func(item *Item) bool { return item.Kind == Mock && item.State != Excluded }
	e.loadTypes(ctx, all)
	program, err := e.tools.Get(ctx, mockgen.Pinned, moduleRoot(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range e.Items {
		if !all(item) || item.Mock.Destination == "" {
			continue
		}
		got, err := e.inProcess(item)
		if errors.Is(err, mockmake.ErrUnsure) {
			unsure++
			t.Logf("%s: %v", item.Place(), err)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", item.Place(), err)
			continue
		}
		want, err := item.Mock.Make(ctx, program, mockgen.Where{Dir: item.Dir, ModuleDir: e.destinationModule(item), Env: e.environment(item)})
		if err != nil {
			t.Errorf("%s: mockgen: %v", item.Place(), err)
			continue
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: %s\n%s", item.Place(), item.Text, cmp.Diff(string(want), string(got)))
			continue
		}
		same++
	}
	return same, unsure
}

func moduleDir(t *testing.T, path string) string {
	t.Helper()
	cmd := exec.Command("go", "mod", "download", "-json", path)
	cmd.Dir = moduleRoot(t)
	out, err := cmd.Output()
	var info struct{ Dir string }
	if err == nil {
		err = json.Unmarshal(out, &info)
	}
	if err != nil || info.Dir == "" {
		t.Fatalf("go mod download %s: %v %s", path, err, out)
	}
	return info.Dir
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func writable(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(name, 0o755)
		}
		return os.Chmod(name, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}
