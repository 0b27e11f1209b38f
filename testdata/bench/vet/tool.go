package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"syscall"
	"time"
)

// The versions of the peers.
const (
	golangciVersion    = "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0"
	staticcheckVersion = "honnef.co/go/tools/cmd/staticcheck@v0.8.2"
)

// tool is one linter.
type tool struct {
	name string
	// command is its command line for patterns, with or without test files and
	// with build tags.
	command func(patterns []string, tags string) []string
	// share is the flag that names a cache for several machines, if it has one.
	share string
}

// prepareTools builds what is to be run.
func prepareTools(bin string, names []string) ([]tool, error) {
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return nil, err
	}
	root, err := output(".", "go", "list", "-m", "-f", "{{.Dir}}", "github.com/fractl/fractl")
	if err != nil {
		return nil, err
	}
	config := filepath.Join(bin, "golangci.yml")
	if err := os.WriteFile(config, []byte("version: \"2\"\nlinters:\n  default: none\n  enable: [noctx, depguard, gomoddirectives]\n"+
		"  settings:\n    depguard:\n      rules:\n        all:\n          deny:\n            - {pkg: example.com/none, desc: none}\nissues:\n  max-issues-per-linter: 0\n  max-same-issues: 0\n"), 0o644); err != nil {
		return nil, err
	}
	at := func(name string) string { return filepath.Join(bin, name) }
	tagged := func(flag, tags string) []string {
		if tags == "" {
			return nil
		}
		return []string{flag + tags}
	}
	var list []tool
	for _, name := range names {
		switch name {
		case "fractl":
			if _, err := output(strings.TrimSpace(string(root)), "go", "build", "-o", at(name), "./cmd/fractl"); err != nil {
				return nil, err
			}
			list = append(list, tool{name, func(p []string, tags string) []string {
				return slices.Concat([]string{at(name), "vet"}, tagged("--tags=", tags), p)
			}, "--cache="})
		case "go-vet":
			list = append(list, tool{name, func(p []string, tags string) []string {
				return slices.Concat([]string{"go", "vet"}, tagged("-tags=", tags), p)
			}, ""})
		case "staticcheck":
			if err := install(bin, staticcheckVersion); err != nil {
				return nil, err
			}
			list = append(list, tool{name, func(p []string, tags string) []string {
				return slices.Concat([]string{at(name)}, tagged("-tags=", tags), p)
			}, ""})
		case "golangci-lint":
			if err := install(bin, golangciVersion); err != nil {
				return nil, err
			}
			list = append(list, tool{name, func(p []string, tags string) []string {
				return slices.Concat([]string{at(name), "run", "--allow-parallel-runners", "--config", config}, tagged("--build-tags=", tags), p)
			}, ""})
		default:
			return nil, fmt.Errorf("unknown tool %s", name)
		}
	}
	return list, nil
}

func install(bin, version string) error {
	cmd := exec.Command("go", "install", version)
	cmd.Env = append(os.Environ(), "GOBIN="+bin, "GOFLAGS=")
	cmd.Dir = os.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("go install %s: %w\n%s", version, err, out)
	}
	return nil
}

// figure is what one run took.
type figure struct {
	cpu, wall float64 // seconds
	mb        int
}

// states are in the order in which they are measured.
var states = []string{"fully cold", "fresh machine", "build-warm", "no change", "leaf comment", "leaf body", "hub", "reverted", "alternating"}

// session runs one tool on one place, with caches of its own.
type session struct {
	tool tool
	at   place
	home string
	env  []string
}

func (s *session) reset() error {
	if err := removeAll(s.home); err != nil {
		return err
	}
	if err := os.MkdirAll(s.home, 0o755); err != nil {
		return err
	}
	s.env = append(os.Environ(), "GOFLAGS=", "GOCACHE="+filepath.Join(s.home, "build"), "XDG_CACHE_HOME="+filepath.Join(s.home, "cache"),
		"GOLANGCI_LINT_CACHE="+filepath.Join(s.home, "golangci"), "STATICCHECK_CACHE="+filepath.Join(s.home, "staticcheck"))
	return nil
}

// time runs the tool once. Findings are no failure.
func (s *session) time(patterns []string, tags string) (figure, error) {
	args := s.tool.command(patterns, tags)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env = s.at.dir, s.env
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start).Seconds()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() > 1 {
		text := out.String()
		return figure{}, fmt.Errorf("%w\n%s", err, text[max(0, len(text)-2000):])
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	cpu := (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	return figure{cpu, wall, int(usage.Maxrss / 1024)}, nil
}

// measure takes a tool through the states.
func measure(t tool, p place, home string, runs int) (map[string]figure, error) {
	all := make(map[string][]figure)
	for range runs {
		s := &session{tool: t, at: p, home: home}
		if err := s.states(all); err != nil {
			return nil, err
		}
	}
	medians := make(map[string]figure)
	for state, list := range all {
		sort.Slice(list, func(i, j int) bool { return list[i].cpu < list[j].cpu })
		medians[state] = list[len(list)/2]
	}
	return medians, nil
}

func (s *session) states(all map[string][]figure) error {
	note := func(state string) error {
		f, err := s.time(s.at.patterns, "")
		if err != nil {
			return fmt.Errorf("%s: %w", state, err)
		}
		all[state] = append(all[state], f)
		return nil
	}
	if err := s.reset(); err != nil {
		return err
	}
	if err := note("fully cold"); err != nil {
		return err
	}
	if err := s.freshMachine(all); err != nil {
		return err
	}
	if err := s.reset(); err != nil {
		return err
	}
	build := exec.Command("go", append([]string{"build"}, s.at.patterns...)...)
	build.Dir, build.Env = s.at.dir, s.env
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	if err := note("build-warm"); err != nil {
		return err
	}
	// A first run settles what is younger than its own beginning.
	time.Sleep(2500 * time.Millisecond)
	if _, err := s.time(s.at.patterns, ""); err != nil {
		return err
	}
	if err := note("no change"); err != nil {
		return err
	}
	var undo []func() error
	for _, e := range []struct {
		state string
		file  file
		text  string
	}{
		{"leaf comment", s.at.leaf, "\n// A comment.\n"},
		{"leaf body", s.at.leaf, "\nfunc addedForTheBenchmark() int { return 1 }\n\nvar _ = addedForTheBenchmark\n"},
		{"hub", s.at.hub, "\n// AddedForTheBenchmark is new.\nfunc AddedForTheBenchmark() int { return 1 }\n"},
	} {
		u, err := s.at.edit(e.file, e.text)
		if err != nil {
			return err
		}
		undo = append(undo, u)
		if err := note(e.state); err != nil {
			return err
		}
	}
	for _, u := range slices.Backward(undo) {
		if err := u(); err != nil {
			return err
		}
	}
	if err := note("reverted"); err != nil {
		return err
	}
	return s.alternate(all)
}

// freshMachine has nothing of its own, but a cache that another machine filled.
// A tool without such a cache is fully cold there.
func (s *session) freshMachine(all map[string][]figure) error {
	const state = "fresh machine"
	if s.tool.share == "" {
		cold := all["fully cold"]
		all[state] = append(all[state], cold[len(cold)-1])
		return nil
	}
	shared := s.home + "-shared"
	defer removeAll(shared)
	patterns := slices.Concat([]string{s.tool.share + shared}, s.at.patterns)
	if _, err := s.time(patterns, ""); err != nil {
		return fmt.Errorf("%s: %w", state, err)
	}
	if err := s.reset(); err != nil {
		return err
	}
	f, err := s.time(patterns, "")
	if err != nil {
		return fmt.Errorf("%s: %w", state, err)
	}
	all[state] = append(all[state], f)
	return nil
}

// alternate asks for everything, for one folder and with other tags, in turn,
// and takes the mean of the second round.
func (s *session) alternate(all map[string][]figure) error {
	var sum figure
	requests := []struct {
		patterns []string
		tags     string
	}{{s.at.patterns, ""}, {[]string{s.at.folder}, ""}, {s.at.patterns, "sometag"}}
	for round := range 2 {
		for _, r := range requests {
			f, err := s.time(r.patterns, r.tags)
			if err != nil {
				return err
			}
			if round == 1 {
				sum.cpu += f.cpu / float64(len(requests))
				sum.wall += f.wall / float64(len(requests))
				sum.mb = max(sum.mb, f.mb)
			}
		}
		time.Sleep(2500 * time.Millisecond)
	}
	all["alternating"] = append(all["alternating"], sum)
	return nil
}

// removeAll removes a folder, read-only files of a module cache included.
func removeAll(dir string) error {
	_ = exec.Command("chmod", "-R", "u+w", dir).Run() // it may not be there
	return os.RemoveAll(dir)
}
