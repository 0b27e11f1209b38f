package lsp

import (
	"context"
	"encoding/json"
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

func TestSession(t *testing.T) {
	dir, file := app(t)
	e := open(t, dir)
	p := e.shown(file, at)
	d := p.Diagnostics[0]
	if d.Severity != severityError || d.Source != "fractl" || d.CodeDescription == nil || !strings.Contains(d.Message, "\nhint: ") {
		t.Errorf("got %+v", d)
	}

	// A buffer that is not saved.
	e.didOpen(file, leaky)
	e.didChange(file, "// A comment.\n"+leaky)
	p = e.shown(file, "9:17-9:28 ctxlessdb")
	if p.Version == nil || *p.Version != e.version {
		t.Errorf("the diagnostics are of version %v, want %d", p.Version, e.version)
	}
	e.didChange(file, clean)
	e.shown(file)
	if disk, _ := os.ReadFile(file); string(disk) != leaky {
		t.Error("the server has written to the disk")
	}

	// Part of it, as an editor sends it.
	e.didChange(file, leaky)
	e.shown(file, at)
	e.version++
	e.notify("textDocument/didChange", object{
		"textDocument":   object{"uri": uriOf(file), "version": e.version},
		"contentChanges": []object{{"range": textRange{position{8, 20}, position{8, 29}}, "text": "QueryRowContext(ctx, "}},
	})
	e.shown(file)

	// Closed unsaved: the disk counts again.
	e.notify("textDocument/didClose", object{"textDocument": object{"uri": uriOf(file)}})
	e.shown(file, at)

	// Saved by somebody else.
	write(t, dir, map[string]string{"app.go": clean})
	e.notify("workspace/didChangeWatchedFiles", object{"changes": []object{{"uri": uriOf(file), "type": 2}}})
	e.shown(file)
	e.shutdown()
}

func TestActions(t *testing.T) {
	dir, file := app(t)
	e := open(t, dir)
	e.didOpen(file, leaky)
	p := e.shown(file, at)
	var actions []codeAction
	params := object{"textDocument": object{"uri": uriOf(file)}, "range": p.Diagnostics[0].Range, "context": object{"diagnostics": []any{}}}
	e.call("textDocument/codeAction", params, &actions)
	if len(actions) != 2 {
		t.Fatalf("got %+v", actions)
	}
	apply := func(a codeAction) string {
		if len(a.Edit.DocumentChanges) != 1 || a.Kind != "quickfix" {
			t.Fatalf("got %+v", a)
		}
		text := []byte(leaky)
		edits := a.Edit.DocumentChanges[0].Edits
		for i := len(edits) - 1; i >= 0; i-- {
			text = change(text, []contentChange{{&edits[i].Range, edits[i].NewText}}, false)
		}
		return string(text)
	}
	fixed := apply(actions[0])
	if !strings.Contains(fixed, `QueryRowContext(ctx, "SELECT 1")`) {
		t.Errorf("fixed:\n%s", fixed)
	}
	e.didChange(file, fixed)
	e.shown(file)
	// What has no finding any more has no action.
	e.call("textDocument/codeAction", params, &actions)
	if len(actions) != 0 {
		t.Errorf("got %+v", actions)
	}

	e.didChange(file, apply(codeAction{Kind: "quickfix", Edit: actionsOf(t, e, file, p)[1].Edit}))
	e.shown(file, "8:1-8:27 ignore", "9:17-9:28 ctxlessdb")
	e.didChange(file, strings.Replace(leaky, "\terr =", "\t//fractl:ignore ctxlessdb one row\n\terr =", 1))
	e.shown(file)

	// Other kinds of action are none of ours.
	params["context"] = object{"only": []string{"source.organizeImports"}}
	e.call("textDocument/codeAction", params, &actions)
	if len(actions) != 0 {
		t.Errorf("got %+v", actions)
	}
	e.shutdown()
}

// actionsOf puts the leak back and asks for its actions.
func actionsOf(t *testing.T, e *editor, file string, p publishParams) []codeAction {
	t.Helper()
	e.didChange(file, leaky)
	e.shown(file, at)
	var actions []codeAction
	e.call("textDocument/codeAction", object{"textDocument": object{"uri": uriOf(file)}, "range": p.Diagnostics[0].Range, "context": object{}}, &actions)
	if len(actions) != 2 {
		t.Fatalf("got %+v", actions)
	}
	return actions
}

func TestHover(t *testing.T) {
	dir, file := app(t)
	e := open(t, dir)
	e.shown(file, at)
	var h *hover
	e.call("textDocument/hover", object{"textDocument": object{"uri": uriOf(file)}, "position": position{8, 20}}, &h)
	if h == nil || h.Contents.Kind != "markdown" {
		t.Fatalf("got %+v", h)
	}
	for _, want := range []string{"**ctxlessdb** (error)", "\n### ", "\n```go\n", "https://pkg.go.dev/"} {
		if !strings.Contains(h.Contents.Value, want) {
			t.Errorf("no %q in\n%s", want, h.Contents.Value)
		}
	}
	if strings.Count(h.Contents.Value, "```")%2 != 0 {
		t.Errorf("code is left open in\n%s", h.Contents.Value)
	}
	h = nil
	e.call("textDocument/hover", object{"textDocument": object{"uri": uriOf(file)}, "position": position{0, 0}}, &h)
	if h != nil {
		t.Errorf("got %+v", h)
	}
	e.shutdown()
}

func TestTwoFolders(t *testing.T) {
	one, first := app(t)
	two, second := app(t)
	write(t, two, map[string]string{"fractl.yaml": "version: 1\nvet: {severity: {ctxlessdb: warning}}\n"})
	e := open(t, one, two)
	seen := map[string]int{}
	for range 2 {
		p := <-e.published
		seen[pathOf(p.URI)] = p.Diagnostics[0].Severity
	}
	if seen[first] != severityError || seen[second] != severityWarning {
		t.Errorf("got %v", seen)
	}
	e.shutdown()
}

func TestBroken(t *testing.T) {
	dir, file := app(t)
	e := open(t, dir)
	e.shown(file, at)
	e.didOpen(file, "package app\n\nfunc f() int { return \"\" }\n")
	select {
	case text := <-e.logged:
		if !strings.HasPrefix(text, "app.go:3:23: cannot use") {
			t.Errorf("got %s", text)
		}
	case <-time.After(time.Minute):
		t.Fatal("nothing is said of a type error")
	}
	e.shown(file) // what was there is gone with the line
	e.didChange(file, leaky)
	e.shown(file, at)
	// Half a statement below it leaves it, where it is by now.
	half := strings.Replace(leaky, "return n, err", "return n,", 1)
	e.didChange(file, half)
	e.shown(file, at)
	e.didChange(file, "// One more line.\n"+half)
	p := e.shown(file, "9:17-9:28 ctxlessdb")
	var actions []codeAction
	e.call("textDocument/codeAction", object{"textDocument": object{"uri": uriOf(file)}, "range": p.Diagnostics[0].Range, "context": object{}}, &actions)
	if len(actions) != 1 {
		t.Errorf("a fix of what does not build is offered: %+v", actions)
	}
	e.shutdown()
}

func TestManifest(t *testing.T) {
	dir, file := app(t)
	e := open(t, dir)
	e.shown(file, at)
	write(t, dir, map[string]string{"fractl.yaml": "version: 1\nvet: {disable: [ctxlesdb]}\n"})
	e.notify("workspace/didChangeWatchedFiles", object{})
	p := e.shown(filepath.Join(dir, "fractl.yaml"), "1:0-2:0 fractl")
	if !strings.Contains(p.Diagnostics[0].Message, "did you mean ctxlessdb?") {
		t.Errorf("got %s", p.Diagnostics[0].Message)
	}
	write(t, dir, map[string]string{"fractl.yaml": "version: 1\nvet: {disable: [ctxlessdb]}\n"})
	e.notify("workspace/didChangeWatchedFiles", object{})
	e.shown(filepath.Join(dir, "fractl.yaml"))
	e.shutdown()
}

// TestDrift: what is outside of the lines that changed keeps its text.
func TestDrift(t *testing.T) {
	from := "a\nb\nc\nd\n"
	list := []finding.Finding{{Line: 1, EndLine: 1}, {Line: 2, EndLine: 3}, {Line: 4, EndLine: 4}}
	for to, want := range map[string]string{
		"a\nb\nc\nd\n": "1 2 4 ", "x\na\nb\nc\nd\n": "2 3 5 ", "a\nb\nX\nd\n": "1 4 ", "a\nd\n": "1 2 ", "": "", "a\nb\nc\n": "1 2 ",
	} {
		got := ""
		for _, f := range drift(list, []byte(from), []byte(to)) {
			got += fmt.Sprint(f.Line, " ")
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", to, got, want)
		}
	}
}

// TestWithoutFolder: a single file is enough.
func TestWithoutFolder(t *testing.T) {
	_, file := app(t)
	e := open(t)
	e.didOpen(file, leaky)
	e.shown(file, at)
	lost := filepath.Join(temp(t), "x.go")
	e.didOpen(lost, "package x\n")
	select {
	case text := <-e.logged:
		if !strings.Contains(text, "no fractl.yaml, go.work or go.mod") {
			t.Errorf("got %s", text)
		}
	case <-time.After(time.Minute):
		t.Fatal("nothing is said of a file without a module")
	}
	e.didOpen("/untitled", "")
	e.notify("textDocument/didOpen", object{"textDocument": object{"uri": "untitled:Untitled-1", "text": "x"}})
	e.shutdown()
}

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

// TestText holds positions against a text with letters of every length.
func TestText(t *testing.T) {
	text := "aé𝄞x\n\r\nz"
	l := newLines([]byte(text), false)
	for _, tt := range []struct {
		line, column int
		want         position
	}{
		{1, 1, position{0, 0}}, {1, 4, position{0, 2}}, {1, 8, position{0, 4}}, {1, 99, position{0, 5}},
		{2, 1, position{1, 0}}, {3, 2, position{2, 1}}, {0, 0, position{}}, {9, 1, position{8, 0}},
	} {
		if got := l.at(tt.line, tt.column); got != tt.want {
			t.Errorf("%d:%d: got %v, want %v", tt.line, tt.column, got, tt.want)
		}
	}
	if got := pathOf(uriOf("/a b/ü#1.go")); got != filepath.FromSlash("/a b/ü#1.go") {
		t.Errorf("got %s", got)
	}
	var raw json.RawMessage
	if _, err := decode[position](&raw); err == nil {
		t.Error("nothing decodes to something")
	}
}

// TestRepositoryRules: an import of another fraction shows before it is saved.
func TestRepositoryRules(t *testing.T) {
	dir := temp(t)
	write(t, dir, map[string]string{
		"go.mod": "module example.com/shop\n\ngo 1.26\n", "fractl.yaml": "version: 1\nfractions: {auth: {dir: auth}, order: {dir: order}}\n",
		"auth/token/token.go": "package token\n\nfunc Sign() {}\n", "order/order.go": "package order\n",
	})
	file := filepath.Join(dir, "order", "order.go")
	e := open(t, dir)
	e.didOpen(file, "package order\n")
	e.shown(file)
	e.didChange(file, "package order\n\nimport \"example.com/shop/auth/token\"\n\nfunc init() { token.Sign() }\n")
	e.shown(file, "2:7-2:36 crossimport")
	e.didChange(file, "package order\n")
	e.shown(file)
	e.shutdown()
}
