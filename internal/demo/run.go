package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// runFraction starts the fraction that was built, with nothing else running,
// uses it and ends it as a cluster would.
func (d *demo) runFraction() ([]string, error) {
	saw := []string{fmt.Sprintf("$ ./%s", firstFraction)}
	p, err := d.start()
	if err != nil {
		return saw, err
	}
	defer p.kill()
	if err := p.waitReady(d.ctx); err != nil {
		return saw, err
	}
	for _, call := range []struct{ method, server, path, body, want string }{
		{"POST", "web", "/v1/items", `{"name":"first"}`, "201"},
		{"GET", "web", "/v1/items", "", "200"},
		{"POST", "web", "/v1/items", `{"nmae":"x"}`, "422"},
		{"GET", "health", "/readyz?verbose", "", "200"},
	} {
		line, status, err := p.call(d.ctx, call.method, call.server, call.path, call.body)
		saw = append(saw, line...)
		if err != nil {
			return saw, err
		}
		if !strings.HasPrefix(status, call.want) {
			return saw, fmt.Errorf("%s %s: status %s, want %s", call.method, call.path, status, call.want)
		}
	}
	took, err := p.terminate()
	if err != nil {
		return saw, err
	}
	return append(saw, fmt.Sprintf("$ kill -TERM: drained and ended with code 0 after %s", took.Round(time.Millisecond))), nil
}

// waitReady waits until the fraction says that it wants traffic: it listens a
// moment before that.
func (p *process) waitReady(ctx context.Context) error {
	status := ""
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		var err error
		if _, status, err = p.call(ctx, "GET", "health", "/readyz", ""); err != nil {
			return err
		}
		if strings.HasPrefix(status, "200") {
			return nil
		}
	}
	return fmt.Errorf("GET /readyz: status %s for 30 seconds, want 200", status)
}

// process is the fraction while it runs.
type process struct {
	cmd    *exec.Cmd
	addrs  map[string]string // by the name of the server
	exited chan error
}

// start starts the fraction on free ports and waits until it serves.
func (d *demo) start() (*process, error) {
	dir := filepath.Join(d.bin, "data")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	cmd := d.command(dir, nil, d.program(), "--set", "http.addr=127.0.0.1:0", "--set", "health.addr=127.0.0.1:0",
		// Nobody balances load here.
		"--set", "shutdown.wait=0s")
	logs, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, exited: make(chan error, 1)}
	serving := make(chan map[string]string, 1)
	go func() {
		serving <- addresses(logs)
		_, _ = io.Copy(io.Discard, logs)
		p.exited <- cmd.Wait()
	}()
	select {
	case p.addrs = <-serving:
	case <-time.After(30 * time.Second):
		p.kill()
		return nil, errors.New("the fraction does not serve after 30 s")
	case <-d.ctx.Done():
		p.kill()
		return nil, d.ctx.Err()
	}
	if p.addrs["web"] == "" {
		return nil, fmt.Errorf("the fraction ended before it served: %w", <-p.exited)
	}
	return p, nil
}

// addresses reads the log until the public listener tells its address; it is the
// last one to do so.
func addresses(logs io.Reader) map[string]string {
	addrs := map[string]string{}
	lines := bufio.NewScanner(logs)
	for addrs["web"] == "" && lines.Scan() {
		var line struct{ Msg, Server, Addr string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
			addrs[line.Server] = line.Addr
		}
	}
	return addrs
}

// call makes one request and returns it as curl would show it.
func (p *process) call(ctx context.Context, method, server, path, body string) (lines []string, status string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	url := "http://" + p.addrs[server] + path
	shown := "$ curl " + url
	if body != "" {
		shown = fmt.Sprintf("$ curl --json '%s' %s", body, url)
	}
	lines = []string{shown}
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return lines, "", err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	client := &http.Client{Timeout: time.Minute}
	res, err := client.Do(req)
	if err != nil {
		return lines, "", err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	text := strings.Join(strings.Fields(string(answer)), " ")
	return append(lines, res.Status+" "+text), res.Status, err
}

// terminate sends SIGTERM (os.Interrupt where there is none) and waits for the
// end.
func (p *process) terminate() (time.Duration, error) {
	start := time.Now()
	if err := p.cmd.Process.Signal(terminateSignal); err != nil {
		return 0, err
	}
	select {
	case err := <-p.exited:
		p.exited <- err
		return time.Since(start), err
	case <-time.After(30 * time.Second):
		return 0, errors.New("the fraction goes on 30 s after SIGTERM")
	}
}

// kill ends the process, if it has not ended, and waits for that.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	err := <-p.exited
	p.exited <- err
}
