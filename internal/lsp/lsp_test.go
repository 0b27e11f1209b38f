package lsp

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fractl/fractl/internal/finding"
)

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
