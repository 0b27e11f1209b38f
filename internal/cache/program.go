package cache

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fractl/fractl/internal/fault"
)

// Program keeps entries through a program that speaks the protocol of
// GOCACHEPROG, the one that the go command's own cache can be put behind. The
// protocol is documented in cmd/go/internal/cacheprog.
type Program struct {
	name  string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	can   []string

	writing sync.Mutex // one request at a time
	out     *bufio.Writer

	mu      sync.Mutex
	next    int64
	waiting map[int64]chan progResponse
	dead    error
	done    chan struct{} // closed when it has closed its output
}

type progRequest struct {
	ID       int64
	Command  string
	ActionID []byte `json:",omitempty"`
	OutputID []byte `json:",omitempty"`
	// ObjectID is what programs of Go 1.23 read in place of OutputID.
	ObjectID []byte `json:",omitempty"`
	BodySize int64  `json:",omitempty"`
}

type progResponse struct {
	ID            int64
	Err           string
	KnownCommands []string
	Miss          bool
	DiskPath      string
}

// patience is for how long a program may take to answer.
const patience = 30 * time.Second

// StartProgram starts the program of a command line: words separated by spaces,
// where quotes keep spaces in one.
func StartProgram(ctx context.Context, line string) (*Program, error) {
	words, err := split(line)
	if err != nil || len(words) == 0 {
		return nil, fault.New("GOCACHEPROG", "is no command line: "+line, "")
	}
	p := &Program{name: words[0], waiting: make(map[int64]chan progResponse), done: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, words[0], words[1:]...)
	p.cmd.Stderr = os.Stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	p.out = bufio.NewWriter(p.stdin)
	if err := p.cmd.Start(); err != nil {
		return nil, fault.New("GOCACHEPROG", "cannot be started: "+err.Error(), "unset it, or set it to a program that is there")
	}
	// It says first what it knows.
	hello := make(chan progResponse, 1)
	p.waiting[0] = hello
	go p.read(stdout)
	res, err := p.await(hello)
	if err != nil {
		_ = p.cmd.Process.Kill()
		return nil, err
	}
	p.can = res.KnownCommands
	return p, nil
}

// split splits a command line as the go command does.
func split(line string) (words []string, err error) {
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		if q := line[0]; q == '"' || q == '\'' {
			end := strings.IndexByte(line[1:], q)
			if end < 0 {
				return nil, errors.New("unterminated quote")
			}
			words, line = append(words, line[1:1+end]), line[2+end:]
			continue
		}
		end := strings.IndexAny(line, " \t\r\n")
		if end < 0 {
			end = len(line)
		}
		words, line = append(words, line[:end]), line[end:]
	}
	return words, nil
}

func (p *Program) trouble(err error) error {
	return fault.New("GOCACHEPROG "+p.name, err.Error(), "unset GOCACHEPROG, or use --cache DIR")
}

// read hands responses to those who wait for them.
func (p *Program) read(stdout io.Reader) {
	defer close(p.done)
	dec := json.NewDecoder(stdout)
	for {
		var res progResponse
		err := dec.Decode(&res)
		p.mu.Lock()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = errors.New("has ended")
			}
			p.dead = p.trouble(err)
			for id, ch := range p.waiting {
				delete(p.waiting, id)
				close(ch)
			}
			p.mu.Unlock()
			return
		}
		if ch, ok := p.waiting[res.ID]; ok {
			delete(p.waiting, res.ID)
			ch <- res
		}
		p.mu.Unlock()
	}
}

func (p *Program) await(ch chan progResponse) (progResponse, error) {
	select {
	case res, ok := <-ch:
		if !ok {
			p.mu.Lock()
			defer p.mu.Unlock()
			return res, p.dead
		}
		if res.Err != "" {
			return res, p.trouble(errors.New(res.Err))
		}
		return res, nil
	case <-time.After(patience):
		return progResponse{}, p.trouble(fmt.Errorf("does not answer within %v", patience))
	}
}

func (p *Program) ask(req progRequest, body []byte) (progResponse, error) {
	ch := make(chan progResponse, 1)
	p.mu.Lock()
	if p.dead != nil {
		p.mu.Unlock()
		return progResponse{}, p.dead
	}
	p.next++
	req.ID = p.next
	p.waiting[req.ID] = ch
	p.mu.Unlock()
	if err := p.write(req, body); err != nil {
		return progResponse{}, p.trouble(err)
	}
	return p.await(ch)
}

// write sends one request: a line of JSON, an empty one, and the body as a JSON
// string in base64.
func (p *Program) write(req progRequest, body []byte) error {
	p.writing.Lock()
	defer p.writing.Unlock()
	line, err := json.Marshal(req)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "%s\n\n", line)
	if len(body) > 0 {
		fmt.Fprintf(p.out, "\"%s\"\n", base64.StdEncoding.EncodeToString(body))
	}
	return p.out.Flush()
}

// Get implements Store.
func (p *Program) Get(_ context.Context, key Key) ([]byte, error) {
	if !slices.Contains(p.can, "get") {
		return nil, ErrAbsent
	}
	res, err := p.ask(progRequest{Command: "get", ActionID: key[:]}, nil)
	if err != nil {
		return nil, err
	}
	if res.Miss || res.DiskPath == "" {
		return nil, ErrAbsent
	}
	data, err := os.ReadFile(res.DiskPath)
	if err != nil {
		return nil, ErrAbsent
	}
	return data, nil
}

// Put implements Store.
func (p *Program) Put(_ context.Context, key Key, entry []byte) error {
	if !slices.Contains(p.can, "put") {
		return nil
	}
	id := sha256.Sum256(entry)
	_, err := p.ask(progRequest{Command: "put", ActionID: key[:], OutputID: id[:], ObjectID: id[:], BodySize: int64(len(entry))}, entry)
	return err
}

// Close implements Store.
func (p *Program) Close() error {
	if slices.Contains(p.can, "close") {
		// It may end without an answer.
		_, _ = p.ask(progRequest{Command: "close"}, nil)
	}
	_ = p.stdin.Close()
	select {
	case <-p.done:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
	}
	if err := p.cmd.Wait(); err != nil {
		return p.trouble(err)
	}
	return nil
}
