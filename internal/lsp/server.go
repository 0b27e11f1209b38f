// Package lsp is the server of `fractl lsp`: the rules of `fractl vet` in an
// editor, over the Language Server Protocol 3.17. It publishes what the rules
// find in the workspaces of the files that are open, as these stand in the
// editor, and offers the fixes and the help of the rules.
package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/sourcegraph/jsonrpc2"

	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vet"
)

// Options say how the server works.
type Options struct {
	// Vet is what to run; its Dir, Patterns and Overlay are set by the server.
	Vet vet.Options
	// Rules are the texts of the rules, for hovers.
	Rules []finding.RuleText
	// Delay is for how long the server waits for the next keystroke.
	Delay time.Duration
	// Version is that of the program.
	Version string
}

// ErrNoShutdown is what Serve returns where the client has gone, or told the
// server to exit, without a shutdown before.
var ErrNoShutdown = errors.New("the client ended the session without a shutdown")

var errNoParams = errors.New("params are missing")

// Serve talks to one client until it has gone or says exit.
func Serve(ctx context.Context, in io.Reader, out io.Writer, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &server{
		opts: o, ctx: ctx, exit: make(chan struct{}), out: newOutbox(),
		documents: make(map[string]*document), roots: make(map[string]*root), folders: make(map[string]bool),
	}
	stream := jsonrpc2.NewBufferedStream(pipe{in, out}, jsonrpc2.VSCodeObjectCodec{})
	s.mu.Lock() // the first message may come before the connection is there
	s.conn = jsonrpc2.NewConn(ctx, stream, jsonrpc2.HandlerWithError(s.handle), jsonrpc2.SetLogger(silent{}))
	s.mu.Unlock()
	select {
	case <-s.exit:
	case <-s.conn.DisconnectNotify():
	case <-ctx.Done():
	}
	cancel()
	s.running.Wait()
	s.out.close()
	_ = s.conn.Close()
	<-s.out.done
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		return ErrNoShutdown
	}
	return nil
}

// pipe makes one stream of two.
type pipe struct {
	io.Reader
	io.Writer
}

// Close leaves both to their owner.
func (pipe) Close() error { return nil }

// silent drops what the library logs: a client's mistakes are answered.
type silent struct{}

func (silent) Printf(string, ...any) {}

// server is the state of one session.
type server struct {
	opts    Options
	ctx     context.Context
	conn    *jsonrpc2.Conn
	running sync.WaitGroup
	exit    chan struct{}
	out     *outbox

	mu        sync.Mutex
	started   bool
	stopped   bool                 // shutdown was asked for
	bytes     bool                 // positions count bytes
	min       finding.Severity     // what is below is not shown
	documents map[string]*document // by path
	roots     map[string]*root     // by the workspace's root
	folders   map[string]bool      // folders that the editor has open, by path
}

// document is a file that is open in the editor.
type document struct {
	uri     string
	version int
	text    []byte
}

// handle answers one message. Messages come one at a time, in their order.
func (s *server) handle(_ context.Context, _ *jsonrpc2.Conn, req *jsonrpc2.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case req.Method == "exit":
		select {
		case <-s.exit:
		default:
			close(s.exit)
		}
		return nil, nil
	case !s.started && req.Method != "initialize":
		return nil, &jsonrpc2.Error{Code: -32002, Message: "the server is not initialized"}
	case s.stopped:
		return nil, &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidRequest, Message: "the server is shut down"}
	}
	result, err := s.method(req)
	var known *jsonrpc2.Error
	if err != nil && !errors.As(err, &known) {
		err = &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidParams, Message: req.Method + ": " + err.Error()}
	}
	return result, err
}

func (s *server) method(req *jsonrpc2.Request) (any, error) {
	switch req.Method {
	case "initialize":
		return s.initialize(req.Params)
	case "initialized":
		for dir := range s.folders {
			s.look(dir, 0)
		}
		return nil, nil
	case "shutdown":
		s.stopped = true
		for _, r := range s.roots {
			r.stop()
		}
		return nil, nil
	case "textDocument/didOpen", "textDocument/didChange", "textDocument/didSave", "textDocument/didClose":
		return nil, s.edited(req.Method, req.Params)
	case "workspace/didChangeWatchedFiles", "workspace/didChangeConfiguration":
		for _, r := range s.roots {
			s.look(r.dir, s.opts.Delay)
		}
		return nil, nil
	case "workspace/didChangeWorkspaceFolders":
		return nil, s.refolder(req.Params)
	case "textDocument/codeAction":
		return s.codeActions(req.Params)
	case "textDocument/hover":
		return s.hover(req.Params)
	case "$/cancelRequest", "$/setTrace":
		return nil, nil // every answer is at hand
	}
	if req.Notif {
		return nil, nil
	}
	return nil, &jsonrpc2.Error{Code: jsonrpc2.CodeMethodNotFound, Message: "method not found: " + req.Method}
}

func (s *server) initialize(raw *json.RawMessage) (any, error) {
	p, err := decode[initializeParams](raw)
	if err != nil {
		return nil, err
	}
	if text := p.InitializationOptions.MinSeverity; text != "" {
		if s.min, err = finding.ParseSeverity(text); err != nil {
			return nil, fmt.Errorf("minSeverity: %w", err)
		}
	}
	s.started = true
	encoding := "utf-16"
	for _, e := range p.Capabilities.General.PositionEncodings {
		if e == "utf-8" {
			encoding, s.bytes = e, true
		}
	}
	for _, f := range p.WorkspaceFolders {
		s.folders[pathOf(f.URI)] = true
	}
	if len(p.WorkspaceFolders) == 0 {
		s.folders[pathOf(p.RootURI)] = true
		s.folders[p.RootPath] = true
	}
	delete(s.folders, "")
	return object{
		"capabilities": object{
			"positionEncoding":   encoding,
			"textDocumentSync":   object{"openClose": true, "change": 2, "save": object{"includeText": false}},
			"codeActionProvider": object{"codeActionKinds": []string{"quickfix"}},
			"hoverProvider":      true,
			"workspace":          object{"workspaceFolders": object{"supported": true, "changeNotifications": true}},
		},
		"serverInfo": object{"name": "fractl", "version": s.opts.Version},
	}, nil
}

// edited takes what the editor says of one document.
func (s *server) edited(method string, raw *json.RawMessage) error {
	p, err := decode[documentParams](raw)
	if err != nil {
		return err
	}
	name := pathOf(p.TextDocument.URI)
	if name == "" {
		return nil // not on this machine
	}
	delay := time.Duration(0)
	switch method {
	case "textDocument/didOpen":
		p, err := decode[openParams](raw)
		if err != nil {
			return err
		}
		s.documents[name] = &document{p.TextDocument.URI, p.TextDocument.Version, []byte(p.TextDocument.Text)}
	case "textDocument/didChange":
		p, err := decode[changeParams](raw)
		if err != nil {
			return err
		}
		d := s.documents[name]
		if d == nil {
			return errors.New("the document is not open: " + p.TextDocument.URI)
		}
		d.text, d.version = change(d.text, p.ContentChanges, s.bytes), p.TextDocument.Version
		delay = s.opts.Delay
	case "textDocument/didClose":
		delete(s.documents, name)
	}
	s.look(filepath.Dir(name), delay)
	return nil
}

func (s *server) refolder(raw *json.RawMessage) error {
	p, err := decode[foldersParams](raw)
	if err != nil {
		return err
	}
	for _, f := range p.Event.Removed {
		delete(s.folders, pathOf(f.URI))
	}
	for _, f := range p.Event.Added {
		if dir := pathOf(f.URI); dir != "" {
			s.folders[dir] = true
			s.look(dir, 0)
		}
	}
	return nil
}

// text is a file as the editor or, where it is not open there, the disk has it.
func (s *server) text(name string) []byte {
	if d := s.documents[name]; d != nil {
		return d.text
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	return data
}
