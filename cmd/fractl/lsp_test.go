package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestLSP talks to the command as an editor does.
func TestLSP(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	const code = "package app\n\nimport \"time\"\n\nfunc Tick() {\n\tt := time.NewTicker(time.Second)\n\tgo func() {\n\t\tfor range t.C {\n\t\t}\n\t}()\n}\n"
	for name, text := range map[string]string{"go.mod": "module example.com/app\n\ngo 1.26\n", "app.go": code} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	in, out, stderr := newPipe(), &lockedBuffer{}, &bytes.Buffer{}
	exited := make(chan int, 1)
	go func() { exited <- run(context.Background(), []string{"lsp"}, in, out, stderr) }()
	in.message(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"rootUri":"file://` + filepath.ToSlash(dir) + `","capabilities":{}}}`)
	in.message(`{"jsonrpc":"2.0","method":"initialized","params":{}}`)
	out.await(t, `"code":"timerleak"`)
	in.message(`{"jsonrpc":"2.0","id":2,"method":"shutdown"}`)
	out.await(t, `"id":2`)
	in.message(`{"jsonrpc":"2.0","method":"exit"}`)
	if got := <-exited; got != exitDone || stderr.Len() > 0 {
		t.Errorf("exit code %d, stderr %s", got, stderr)
	}

	stderr.Reset()
	if got := run(context.Background(), []string{"lsp"}, strings.NewReader(""), io.Discard, stderr); got != exitFailed ||
		!strings.HasPrefix(stderr.String(), "fractl: lsp: the client ended the session without a shutdown") {
		t.Errorf("exit code %d, stderr %s", got, stderr)
	}
}

type pipeIn struct {
	*io.PipeReader
	w *io.PipeWriter
}

func newPipe() pipeIn {
	r, w := io.Pipe()
	return pipeIn{r, w}
}

func (p pipeIn) message(body string) {
	fmt.Fprintf(p.w, "Content-Length: %d\r\n\r\n%s", len(body), body)
}

// lockedBuffer is written by the server and read by the test.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *lockedBuffer) await(t *testing.T, text string) {
	t.Helper()
	for range 600 {
		b.mu.Lock()
		found := strings.Contains(b.buf.String(), text)
		b.mu.Unlock()
		if found {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("no %s", text)
}
