package demo

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// command is a program in a folder of the demo; it dies with the demo. The go
// command is told where the workspace begins and nothing else, whatever the
// environment says: the demo shows the workspace, not the reader's settings.
func (d *demo) command(dir string, env []string, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(d.ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK="+filepath.Join(d.shop, "go.work"), "CGO_ENABLED=0", "PWD="+dir)
	cmd.Env = append(cmd.Env, env...)
	// A test that waits for its own children must not keep the demo.
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// output runs a command to its end and returns what it printed. A failure
// carries the last lines.
func (d *demo) output(dir string, env []string, name string, args ...string) (string, error) {
	out, err := d.command(dir, env, name, args...).CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, tail(string(out), 8))
	}
	return string(out), nil
}

// tail is the last n lines of a text.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// running is a build that goes on while other things are shown.
type running struct {
	line string
	done chan error
}

// startBuild builds the first fraction in the background.
func (d *demo) startBuild() *running {
	r := &running{line: fmt.Sprintf("$ cd %s && go build ./cmd/%s", firstFraction, firstFraction), done: make(chan error, 1)}
	go func() {
		_, err := d.output(filepath.Join(d.shop, firstFraction), nil, "go", "build", "-o", d.program(), "./cmd/"+firstFraction)
		r.done <- err
	}()
	return r
}

// program is the path of the built fraction.
func (d *demo) program() string { return filepath.Join(d.bin, firstFraction+".exe") }

func (r *running) wait(ctx context.Context) ([]string, error) {
	saw := []string{r.line}
	select {
	case err := <-r.done:
		return saw, err
	case <-ctx.Done():
		<-r.done
		return saw, ctx.Err()
	}
}

// testFractions runs the tests that were generated, untouched.
func (d *demo) testFractions() ([]string, error) {
	saw := []string{fmt.Sprintf("$ go test ./%s/... ./%s/...", firstFraction, otherFraction)}
	out, err := d.output(d.shop, nil, "go", "test", "./"+firstFraction+"/...", "./"+otherFraction+"/...")
	passed := 0
	for _, line := range strings.Split(out, "\n") {
		if strings.HasPrefix(line, "ok ") {
			passed++
		}
	}
	saw = append(saw, fmt.Sprintf("ok: %d test packages", passed))
	if err == nil && passed == 0 {
		err = fmt.Errorf("no test ran: %s", tail(out, 8))
	}
	return saw, err
}
