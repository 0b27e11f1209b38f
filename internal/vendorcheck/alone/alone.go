// Package alone builds modules as they are without their workspace. It is the one
// part of vendor-check that starts the go command.
package alone

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/workspace"
)

// Build builds and vets the modules in folders of the workspace, relative to its
// root: with GOWORK=off, no flags from GOFLAGS, their vendor folder if they have
// one, and no network. What does not build is a finding of the rule; they are
// sorted and carry fingerprints.
func Build(ctx context.Context, ws *workspace.Workspace, dirs []string, environ []string, rule string) ([]finding.Finding, error) {
	b := &builder{ctx: ctx, ws: ws, environ: environ, rule: rule}
	for _, dir := range dirs {
		if err := b.module(dir); err != nil {
			return nil, err
		}
	}
	list := finding.Sort(b.findings)
	finding.Fingerprints(list, b.line)
	return list, nil
}

type builder struct {
	ctx      context.Context
	ws       *workspace.Workspace
	environ  []string
	rule     string
	findings []finding.Finding
}

func (b *builder) module(dir string) error {
	abs := b.ws.Abs(dir)
	mode := "-mod=readonly"
	if _, err := os.Stat(filepath.Join(abs, "vendor", "modules.txt")); err == nil {
		mode = "-mod=vendor"
	}
	for _, args := range [][]string{{"build", "-o", os.DevNull, "./..."}, {"vet", "./..."}} {
		cmd := exec.CommandContext(b.ctx, "go", args...)
		cmd.Dir = abs
		cmd.Env = append(slices.Clone(b.environ), "GOWORK=off", "GOFLAGS="+mode, "GOPROXY=off", "PWD="+abs)
		out, err := cmd.CombinedOutput()
		switch {
		case err == nil:
			continue
		case b.ctx.Err() != nil:
			return b.ctx.Err()
		case !errors.As(err, new(*exec.ExitError)):
			return fault.New("go", "cannot be started: "+err.Error(), "install Go and put it on PATH")
		}
		b.broken(dir, args[0], mode, string(out))
		return nil // vet would say the same again
	}
	return nil
}

// placed is a line of the go command's output that names a place.
var placed = regexp.MustCompile(`^(?:vet: )?(\S+\.go|go\.mod|vendor/modules\.txt):(\d+)(?::(\d+))?: (.*)$`)

// broken turns the output of the go command into findings.
func (b *builder) broken(dir, command, mode, output string) {
	const most = 10
	where := dir
	if dir == "." {
		where = "the root"
	}
	f := finding.Finding{Rule: b.rule, Severity: finding.Error, Hint: fmt.Sprintf("run 'GOWORK=off GOFLAGS=%s go %s ./...' in %s", mode, command, where)}
	if owner := b.ws.FractionOf(dir); owner != nil {
		f.Fraction = owner.Name
	}
	n, first := 0, ""
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if first == "" && line != "" && !strings.HasPrefix(line, "#") {
			first = line
		}
		match := placed.FindStringSubmatch(line)
		if match == nil || n == most {
			continue
		}
		n++
		f.File = match[1]
		if filepath.IsAbs(f.File) {
			f.File = b.ws.Rel(f.File)
		} else {
			f.File = path.Join(dir, f.File)
		}
		f.Line, _ = strconv.Atoi(match[2])
		f.Column, _ = strconv.Atoi(match[3])
		f.Column = max(f.Column, 1)
		f.EndLine, f.EndColumn = f.Line, f.Column
		f.Message = fmt.Sprintf("does not build alone: go %s: %s", command, match[4])
		b.findings = append(b.findings, f)
	}
	if n == 0 {
		f.File = path.Join(dir, "go.mod")
		first = strings.ReplaceAll(strings.TrimPrefix(first, "go: "), b.ws.Abs(dir)+string(filepath.Separator), "")
		f.Message = fmt.Sprintf("does not build alone: go %s: %s", command, first)
		b.findings = append(b.findings, f)
	}
}

// line is the text of a line, for fingerprints.
func (b *builder) line(file string, n int) string {
	data, err := os.ReadFile(b.ws.Abs(file))
	if err != nil {
		return ""
	}
	lines := bytes.Split(data, []byte("\n"))
	if n < 1 || n > len(lines) {
		return ""
	}
	return string(lines[n-1])
}
