package lsp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sourcegraph/jsonrpc2"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/cache"
	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vet"
)

// editor is a client that does what an editor does.
type editor struct {
	t         testing.TB
	conn      *jsonrpc2.Conn
	served    chan error
	published chan publishParams
	logged    chan string
	version   int
}

// open starts a server and a session with it.
func open(t testing.TB, folders ...string) *editor {
	t.Helper()
	e := &editor{t: t, served: make(chan error, 1), published: make(chan publishParams, 100), logged: make(chan string, 100)}
	fromClient, toServer := io.Pipe()
	fromServer, toClient := io.Pipe()
	kept := cache.New(cache.NewFolder(t.TempDir(), cache.DefaultSize), nil)
	go func() {
		err := Serve(context.Background(), fromClient, toClient, Options{
			Vet: vet.Options{Rules: analyzers.Suite(), Cache: kept}, Rules: texts(), Delay: 10 * time.Millisecond, Version: "test",
		})
		toClient.Close()
		kept.Close()
		e.served <- err
	}()
	e.conn = jsonrpc2.NewConn(context.Background(), jsonrpc2.NewBufferedStream(duplex{fromServer, toServer}, jsonrpc2.VSCodeObjectCodec{}),
		jsonrpc2.HandlerWithError(e.receive), jsonrpc2.SetLogger(silent{}))
	var list []object
	for _, f := range folders {
		list = append(list, object{"uri": uriOf(f), "name": filepath.Base(f)})
	}
	var answer struct {
		Capabilities struct{ HoverProvider bool }
	}
	e.call("initialize", object{"workspaceFolders": list, "capabilities": object{}}, &answer)
	if !answer.Capabilities.HoverProvider {
		t.Fatal("the server says that it has no hovers")
	}
	e.notify("initialized", object{})
	return e
}

type duplex struct {
	io.ReadCloser
	w io.WriteCloser
}

func (d duplex) Write(p []byte) (int, error) { return d.w.Write(p) }
func (d duplex) Close() error                { return errors.Join(d.w.Close(), d.ReadCloser.Close()) }

func texts() []finding.RuleText {
	var list []finding.RuleText
	for _, r := range analyzers.Suite() {
		summary, text, _ := strings.Cut(r.Analyzer.Doc, "\n")
		list = append(list, finding.RuleText{Name: r.Name(), Summary: summary, Text: text, URL: r.Analyzer.URL, Severity: r.Severity})
	}
	return list
}

func (e *editor) receive(_ context.Context, _ *jsonrpc2.Conn, req *jsonrpc2.Request) (any, error) {
	switch req.Method {
	case "textDocument/publishDiagnostics":
		p, err := decode[publishParams](req.Params)
		if err != nil {
			return nil, err
		}
		e.published <- p
	case "window/logMessage":
		p, err := decode[logParams](req.Params)
		if err != nil {
			return nil, err
		}
		e.logged <- p.Message
	}
	return nil, nil
}

func (e *editor) call(method string, params, result any) {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := e.conn.Call(ctx, method, params, result); err != nil {
		e.t.Fatalf("%s: %v", method, err)
	}
}

func (e *editor) notify(method string, params any) {
	e.t.Helper()
	if err := e.conn.Notify(context.Background(), method, params); err != nil {
		e.t.Fatalf("%s: %v", method, err)
	}
}

// shown waits until the diagnostics of a file are what is wanted, each as
// LINE:COLUMN-LINE:COLUMN RULE, from 0 as in the protocol.
func (e *editor) shown(file string, want ...string) publishParams {
	e.t.Helper()
	last := "nothing"
	limit := time.After(20 * time.Second)
	for {
		select {
		case p := <-e.published:
			if pathOf(p.URI) != file {
				continue
			}
			var got []string
			for _, d := range p.Diagnostics {
				got = append(got, fmt.Sprintf("%d:%d-%d:%d %s", d.Range.Start.Line, d.Range.Start.Character, d.Range.End.Line, d.Range.End.Character, d.Code))
			}
			if last = fmt.Sprint(got); last == fmt.Sprint(want) {
				return p
			}
		case <-limit:
			e.t.Fatalf("%s: want %v, got last %s", file, want, last)
		}
	}
}

func (e *editor) didOpen(file, text string) {
	e.version++
	e.notify("textDocument/didOpen", object{"textDocument": object{"uri": uriOf(file), "languageId": "go", "version": e.version, "text": text}})
}

func (e *editor) didChange(file, text string) {
	e.version++
	e.notify("textDocument/didChange", object{
		"textDocument": object{"uri": uriOf(file), "version": e.version}, "contentChanges": []object{{"text": text}},
	})
}

func (e *editor) shutdown() {
	e.t.Helper()
	e.call("shutdown", nil, nil)
	e.notify("exit", nil)
	select {
	case err := <-e.served:
		if err != nil {
			e.t.Errorf("the server ended with %v", err)
		}
	case <-time.After(time.Minute):
		e.t.Fatal("the server does not end")
	}
	e.conn.Close()
}

func write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// temp is a folder under its real name.
func temp(t testing.TB) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

const leaky = `package app

import (
	"context"
	"database/sql"
)

func Count(ctx context.Context, db *sql.DB) (n int, err error) {
	err = /* 𝄞é */ db.QueryRow("SELECT 1").Scan(&n)
	return n, err
}
`

var clean = strings.Replace(leaky, `QueryRow(`, `QueryRowContext(ctx, `, 1)

func app(t testing.TB) (dir, file string) {
	t.Helper()
	dir = temp(t)
	write(t, dir, map[string]string{"go.mod": "module example.com/app\n\ngo 1.26\n", "app.go": leaky})
	return dir, filepath.Join(dir, "app.go")
}

// at is where the finding of leaky is, in UTF-16 units: the clef is two.
const at = "8:17-8:28 ctxlessdb"
