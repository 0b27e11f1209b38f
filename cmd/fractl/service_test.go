package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// service is a running instance of a generated program.
type service struct {
	t       *testing.T
	command *exec.Cmd
	client  *http.Client
	addrs   map[string]string // of its listeners, by name; final once it serves
	ended   chan struct{}     // closed after the process has ended

	mu   sync.Mutex
	logs bytes.Buffer
}

// startService starts the program in dir and waits until it serves. What is
// left running is killed at the end of the test.
func startService(t *testing.T, binary, dir string, set ...string) *service {
	t.Helper()
	s := &service{
		t: t, command: exec.Command(binary, settings(set)...), addrs: map[string]string{}, ended: make(chan struct{}),
		client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 16}},
	}
	s.command.Dir = dir
	stderr, err := s.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.command.Start(); err != nil {
		t.Fatal(err)
	}
	serving := make(chan struct{})
	go s.follow(stderr, serving)
	t.Cleanup(func() {
		s.kill()
		s.client.CloseIdleConnections()
		if t.Failed() {
			t.Logf("the program wrote:\n%s", s.written())
		}
	})
	select {
	case <-serving:
	case <-s.ended:
		t.Fatalf("the program ended with code %d instead of serving:\n%s", s.command.ProcessState.ExitCode(), s.written())
	case <-time.After(time.Minute):
		t.Fatalf("the program does not serve:\n%s", s.written())
	}
	return s
}

// runService runs the program to its end, or for ten seconds.
func runService(t *testing.T, binary, dir string, set ...string) (output string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, settings(set)...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
	defer timer.Stop()
	_ = cmd.Wait() // the code tells
	return out.String(), cmd.ProcessState.ExitCode()
}

// settings are arguments: free ports and a database in the working folder,
// where set says nothing else.
func settings(set []string) (args []string) {
	for _, s := range slices.Concat([]string{"http.addr=127.0.0.1:0", "health.addr=127.0.0.1:0", "store.url=sqlite:test.db"}, set) {
		args = append(args, "--set", s)
	}
	return args
}

// follow reads the log to its end. The public listener is the last to tell its
// address.
func (s *service) follow(log io.Reader, serving chan<- struct{}) {
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		s.mu.Lock()
		s.logs.Write(append(lines.Bytes(), '\n'))
		s.mu.Unlock()
		var line struct{ Msg, Server, Addr string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
			s.addrs[line.Server] = line.Addr
			if line.Server == "web" {
				close(serving)
			}
		}
	}
	_ = s.command.Wait() // the code is read from ProcessState
	close(s.ended)
}

func (s *service) written() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logs.String()
}

// logLine is what the log says of an election.
type logLine struct {
	Msg, ID, Leader string
	Token           int64
}

// told waits for the first line of the log with a message.
func (s *service) told(message string) logLine {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		for text := range strings.Lines(s.written()) {
			var l logLine
			if json.Unmarshal([]byte(text), &l) == nil && l.Msg == message {
				return l
			}
		}
	}
	s.t.Fatalf("the program does not say %q", message)
	return logLine{}
}

// self is the name of the instance among the nodes of its ring.
func (s *service) self() string {
	for _, arg := range s.command.Args {
		if name, ok := strings.CutPrefix(arg, "ring.self="); ok {
			return name
		}
	}
	return ""
}

// call makes one request to the public listener, and decodes the answer.
func (s *service) call(method, path, body string, want int, into any) (http.Header, error) {
	request, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.addrs["web"]+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := s.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != want {
		return nil, fmt.Errorf("%s %s: status %d: %s", method, path, response.StatusCode, data)
	}
	if into == nil {
		return response.Header, nil
	}
	return response.Header, json.Unmarshal(data, into)
}

// ready asks the program whether it wants traffic.
func (s *service) ready() bool {
	response, err := s.client.Get("http://" + s.addrs["health"] + "/readyz")
	if err != nil {
		return false
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body) // so that the connection is used again
	return response.StatusCode == http.StatusOK
}

// admin is a page of the admin listener.
func (s *service) admin(path string) string {
	s.t.Helper()
	response, err := s.client.Get("http://" + s.addrs["health"] + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(body)
}

// waitFor waits until a page of the admin listener has a text.
func (s *service) waitFor(path, text string) {
	s.t.Helper()
	page := ""
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if page = s.admin(path); strings.Contains(page, text) {
			return
		}
	}
	s.t.Fatalf("%s does not say %s:\n%s", path, text, page)
}

// terminate tells the program to end.
func (s *service) terminate() {
	s.t.Helper()
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
}

// kill ends it at once.
func (s *service) kill() {
	_ = s.command.Process.Kill()
	<-s.ended
}

// wait waits for the end of the program and returns its exit code.
func (s *service) wait() int {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(time.Minute):
		s.t.Fatal("the program does not end")
	}
	return s.command.ProcessState.ExitCode()
}

// freeAddrs are addresses on loopback that nobody listens at.
func freeAddrs(t *testing.T, n int) (addrs []string) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		addrs = append(addrs, l.Addr().String())
	}
	return addrs
}
