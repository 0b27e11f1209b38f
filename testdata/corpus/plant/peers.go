package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// peer is another tool, for the rules that it has something of.
type peer struct {
	name, path string
	args       []string
	rules      []string
}

func peers() []peer {
	return []peer{
		{"noctx", "github.com/sonatard/noctx/cmd/noctx@v0.5.1", nil, []string{"ctxlessdb"}},
		{"contextcheck", "github.com/kkHAIKE/contextcheck/cmd/contextcheck@v1.1.6", nil, []string{"ctxbreak", "ctxlessdb"}},
		{"sqlclosecheck", "github.com/ryanrolds/sqlclosecheck@v0.6.0", nil, []string{"ctxlessdb"}},
		{"staticcheck", "honnef.co/go/tools/cmd/staticcheck@v0.8.2", []string{"-checks", "all"}, []string{"chanleak", "ctxbreak", "ctxlessdb", "httplimits", "poolescape", "timerleak", "unsafeshare"}},
		{"gosec", "github.com/securego/gosec/v2/cmd/gosec@v2.29.0", []string{"-quiet", "-fmt=golint", "-no-fail"}, []string{"ctxbreak", "httplimits", "poolescape", "unsafeshare"}},
	}
}

// comparison runs the peers on the same trees.
type comparison struct {
	bin   string
	found map[string]map[string]count
}

// install builds the peers into a folder. One that cannot be built is left out,
// and said so.
func install(ctx context.Context, bin string) *comparison {
	c := &comparison{bin: bin, found: make(map[string]map[string]count)}
	for _, p := range peers() {
		cmd := exec.CommandContext(ctx, "go", "install", p.path)
		cmd.Env = append(os.Environ(), "GOBIN="+bin, "GOWORK=off", "GOFLAGS=")
		cmd.Dir = os.TempDir()
		if out, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "plant: %s cannot be built: %v\n%s", p.name, err, out)
		}
	}
	return c
}

var placed = regexp.MustCompile(`(?m)^(?:-: )?(\S+?\.go):(\d+)`)

// run counts what each peer reports at the places of the plants.
func (c *comparison) run(ctx context.Context, m *module, rule string, plants []plant) {
	if c == nil {
		return
	}
	for _, p := range peers() {
		if !slices.Contains(p.rules, rule) {
			continue
		}
		program := filepath.Join(c.bin, p.name)
		if _, err := os.Stat(program); err != nil {
			continue
		}
		cmd := exec.CommandContext(ctx, program, append(slices.Clone(p.args), m.patterns...)...)
		cmd.Dir, cmd.Env = m.dir, environment()
		out, _ := cmd.CombinedOutput() // findings are an exit code, too
		at := make(map[string][]int)
		for _, match := range placed.FindAllStringSubmatch(string(out), -1) {
			file := match[1]
			if !filepath.IsAbs(file) {
				file = filepath.Join(m.dir, file)
			}
			if line, err := strconv.Atoi(match[2]); err == nil {
				at[file] = append(at[file], line)
			}
		}
		n := 0
		for _, pl := range plants {
			if slices.ContainsFunc(at[pl.file], func(line int) bool { return pl.from <= line && line <= pl.to }) {
				n++
			}
		}
		if c.found[rule] == nil {
			c.found[rule] = make(map[string]count)
		}
		total := c.found[rule][p.name]
		c.found[rule][p.name] = count{total.planted + len(plants), total.found + n}
	}
}

// line is what the peers found of a rule's plants.
func (c *comparison) line(rule string) string {
	if c == nil {
		return ""
	}
	var parts []string
	for _, p := range peers() {
		if n, ok := c.found[rule][p.name]; ok {
			parts = append(parts, fmt.Sprintf("%s %d", p.name, n.found))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "; " + strings.Join(parts, ", ")
}
