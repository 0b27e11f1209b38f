package lsp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/sourcegraph/jsonrpc2"
)

func TestProtocol(t *testing.T) {
	e := open(t)
	for _, tt := range []struct {
		method string
		params any
		code   int64
	}{
		{"textDocument/rename", object{}, jsonrpc2.CodeMethodNotFound},
		{"textDocument/hover", []int{1}, jsonrpc2.CodeInvalidParams},
		{"textDocument/hover", nil, jsonrpc2.CodeInvalidParams},
	} {
		err := e.conn.Call(context.Background(), tt.method, tt.params, nil)
		var got *jsonrpc2.Error
		if !errors.As(err, &got) || got.Code != tt.code {
			t.Errorf("%s: got %v, want code %d", tt.method, err, tt.code)
		}
	}
	e.notify("$/cancelRequest", object{"id": 7})
	e.notify("textDocument/didChange", object{"textDocument": object{"uri": "file:///never/opened.go"}})
	e.notify("workspace/unknown", nil)
	e.shutdown()
}

func TestNoShutdown(t *testing.T) {
	e := open(t)
	e.notify("exit", nil)
	if err := <-e.served; !errors.Is(err, ErrNoShutdown) {
		t.Errorf("got %v", err)
	}
	e = open(t)
	e.conn.Close()
	if err := <-e.served; !errors.Is(err, ErrNoShutdown) {
		t.Errorf("got %v", err)
	}
}

// TestMalformed: whatever comes in, the server ends or goes on, and does not
// panic.
func TestMalformed(t *testing.T) {
	for _, in := range []string{
		"", "\r\n\r\n", "Content-Length: x\r\n\r\n{}", "Content-Length: -1\r\n\r\n", "Content-Length: 99\r\n\r\n{}",
		message(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"rootUri":"http://x","rootPath":7}}`) + message(`[]`),
		message(`{"jsonrpc":"2.0","method":"textDocument/didOpen"}`) + message(`{}`) + message(`null`),
		message(`{"jsonrpc":"2.0","id":1,"method":"hover"`),
	} {
		err := Serve(t.Context(), strings.NewReader(in), io.Discard, Options{})
		if !errors.Is(err, ErrNoShutdown) {
			t.Errorf("%q: got %v", in, err)
		}
	}
}

func message(body string) string { return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body) }

func FuzzServe(f *testing.F) {
	f.Add([]byte(message(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}`) + message(`{"jsonrpc":"2.0","method":"exit"}`)))
	f.Add([]byte(message(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}`) +
		message(`{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"untitled:x","text":"a"}}}`)))
	f.Fuzz(func(t *testing.T, in []byte) {
		// No file of this machine is to be looked at.
		if strings.Contains(strings.ToLower(string(in)), "file") || strings.Contains(string(in), "root") || strings.Contains(string(in), "olders") {
			t.Skip()
		}
		_ = Serve(t.Context(), strings.NewReader(string(in)), io.Discard, Options{})
	})
}

// FuzzChange: an edit in the middle of anything changes what it says and nothing
// else.
func FuzzChange(f *testing.F) {
	f.Add("a𝄞\nb\n", 0, 1, 1, 0, "x", false)
	f.Fuzz(func(t *testing.T, text string, line, column, toLine, toColumn int, with string, bytes bool) {
		l := newLines([]byte(text), bytes)
		from, to := l.offset(position{line, column}), l.offset(position{toLine, toColumn})
		if from > to {
			from, to = to, from
		}
		got := change([]byte(text), []contentChange{{&textRange{position{line, column}, position{toLine, toColumn}}, with}}, bytes)
		if want := text[:from] + with + text[to:]; string(got) != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if back := l.offset(l.atOffset(from)); back != from {
			t.Errorf("offset %d comes back as %d in %q", from, back, text)
		}
	})
}

func BenchmarkSave(b *testing.B) {
	dir, file := app(b)
	if tree := os.Getenv("FRACTL_BENCH_TREE"); tree != "" {
		dir, file = tree, os.Getenv("FRACTL_BENCH_FILE")
	}
	before, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.WriteFile(file, before, 0o666) })
	e := open(b, dir)
	<-e.published
	e.didOpen(file, string(before))
	i := 0
	for b.Loop() {
		i++
		text := fmt.Sprintf("%s\n// edit %d\n", before, i)
		e.didChange(file, text)
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			b.Fatal(err)
		}
		e.notify("textDocument/didSave", object{"textDocument": object{"uri": uriOf(file)}})
		for p := range e.published {
			if pathOf(p.URI) == file && p.Version != nil && *p.Version == e.version {
				break
			}
		}
	}
	e.shutdown()
}
