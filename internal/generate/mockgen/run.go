package mockgen

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/fractl/fractl/internal/generate/process"
)

// Where says for which place a mock is made.
type Where struct {
	// Dir is the absolute folder that the directive runs in, ModuleDir that of
	// the module around the destination.
	Dir, ModuleDir string
	// Env is the environment of the process.
	Env []string
}

// Make runs a mockgen and gives what it would write to its destination, byte for
// byte, without touching that. Mockgen derives the import path of its output from
// the folders around it, so it writes into a copy of these that holds nothing but
// go.mod, and the comment that repeats its arguments is put right again.
//
// Without a destination it is what mockgen prints.
func (c *Call) Make(ctx context.Context, program string, at Where) ([]byte, error) {
	if c.Destination == "" {
		out, err := run(ctx, program, c.Args, at)
		return out, err
	}
	root, err := os.MkdirTemp("", "fractl-mock-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(root)
	target := c.Destination
	if !filepath.IsAbs(target) {
		target = filepath.Join(at.Dir, target)
	}
	rel, err := filepath.Rel(at.ModuleDir, target)
	if err != nil || strings.HasPrefix(rel, "..") {
		rel = filepath.Base(target) // in no module that we know of
	}
	if mod, err := os.ReadFile(filepath.Join(at.ModuleDir, "go.mod")); err == nil {
		if err := os.WriteFile(filepath.Join(root, "go.mod"), mod, 0o666); err != nil {
			return nil, err
		}
	}
	file := filepath.Join(root, rel)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return nil, err
	}
	if _, err := run(ctx, program, c.WithDestination(file), at); err != nil {
		return nil, err
	}
	out, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return bytes.ReplaceAll(out, []byte(file), []byte(c.Destination)), nil
}

// Failure is what a generator said before it failed.
type Failure struct {
	Output string
	Err    error
}

func (f *Failure) Error() string {
	lines := strings.Split(strings.TrimSpace(f.Output), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return last
	}
	return f.Err.Error()
}

func (f *Failure) Unwrap() error { return f.Err }

func run(ctx context.Context, program string, args []string, at Where) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	process.Group(cmd)
	cmd.Dir, cmd.Env = at.Dir, at.Env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = errors.Join(context.Cause(ctx), err)
		}
		return nil, &Failure{Output: stderr.String() + stdout.String(), Err: err}
	}
	return stdout.Bytes(), nil
}
