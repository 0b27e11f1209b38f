package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

func TestVetWatch(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	const leak = "import \"time\"\n\nfunc Tick() {\n\tt := time.NewTicker(time.Second)\n\tgo func() {\n\t\tfor range t.C {\n\t\t}\n\t}()\n}\n"
	write("go.mod", "module example.com/app\n\ngo 1.26\n")
	write("app.go", "package app\n")
	ctx, stop := context.WithCancel(t.Context())
	out, notes := &lockedBuffer{}, &lockedBuffer{}
	exited := make(chan int, 1)
	go func() { exited <- run(ctx, []string{"vet", "--watch"}, nil, out, notes) }()
	notes.await(t, "fractl: watching 1 folder; Ctrl-C ends it\n")

	write("app.go", "package app\n\n"+leak)
	out.await(t, "app.go:8:3: the goroutine that serves t.C cannot end")
	// A manifest that is being edited ends nothing, and a new folder is seen.
	write("fractl.yaml", "version: 7\n")
	notes.await(t, "fractl: fractl.yaml:1: version 7")
	write("fractl.yaml", "version: 1\n")
	write("below/below.go", "package below\n\n"+leak)
	out.await(t, "below/below.go:8:3: the goroutine")
	notes.await(t, "fractl: watching 2 folders")
	write("below/more.go", "package below\n\nfunc broken() int { return true }\n")
	notes.await(t, "below/more.go:3:28: cannot use true")
	stop()
	if got := <-exited; got != exitFailed {
		t.Errorf("exit code %d, want that of the last run", got)
	}
}
