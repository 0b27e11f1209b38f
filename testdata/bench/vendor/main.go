// Command vendor measures vendor-check beside the only sound check that the go
// command offers: 'go mod verify', 'go mod vendor' into another folder, and a
// comparison of the two.
//
//	go build -o /tmp/fractl ./cmd/fractl
//	go run ./testdata/bench/vendor -fractl /tmp/fractl DIR
//
// DIR is a module with a vendor folder, whose modules are in the module cache. All
// run by turns; it prints medians of processor time, with ratios.
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

func main() {
	tool := flag.String("fractl", "fractl", "the program to measure")
	rounds := flag.Int("rounds", 5, "rounds")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: vendor [-fractl PROGRAM] [-rounds N] DIR")
		os.Exit(2)
	}
	if err := measure(*tool, flag.Arg(0), *rounds); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// step is one thing to measure: commands that are run one after the other.
type step struct {
	name      string
	commands  [][]string
	env       []string
	mayDiffer bool // an exit code of 1 is a result

	cpu, wall []time.Duration
	rss       int64 // most of any command, in KiB
}

func measure(tool, dir string, rounds int) error {
	scratch, err := os.MkdirTemp("", "vendor-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	kept, empty := filepath.Join(scratch, "kept"), filepath.Join(scratch, "empty")
	other := filepath.Join(scratch, "vendor")
	steps := []*step{
		{name: "fractl vendor-check --fast", commands: [][]string{{tool, "vendor-check", "--fast"}}},
		{name: "fractl vendor-check, manifests", commands: [][]string{{tool, "vendor-check"}}, env: []string{"XDG_CACHE_HOME=" + kept, "GOMODCACHE=" + empty}},
		{name: "fractl vendor-check, first time", commands: [][]string{{tool, "vendor-check"}}, env: []string{"XDG_CACHE_HOME=" + empty}},
		{name: "verify, vendor, diff", mayDiffer: true, commands: [][]string{
			{"go", "mod", "verify"}, {"go", "mod", "vendor", "-o", other}, {"diff", "-r", other, "vendor"}}},
	}
	write := &step{commands: [][]string{{tool, "vendor-check", "--write-manifest"}}, env: []string{"XDG_CACHE_HOME=" + kept}}
	if err := write.run(dir); err != nil {
		return err
	}
	for range rounds {
		for _, s := range steps {
			if err := os.RemoveAll(other); err != nil {
				return err
			}
			if err := s.run(dir); err != nil {
				return err
			}
		}
	}
	files, bytes := size(filepath.Join(dir, "vendor"))
	fmt.Printf("%d vendored files, %.1f MB, medians of %d\n\n", files, float64(bytes)/1e6, rounds)
	fmt.Printf("%-32s %10s %10s %8s %8s\n", "check", "CPU s", "wall s", "MB", "ratio")
	base := median(steps[1].cpu)
	for _, s := range steps {
		fmt.Printf("%-32s %10.3f %10.3f %8d %8.2f\n", s.name, median(s.cpu).Seconds(), median(s.wall).Seconds(), s.rss/1024, float64(median(s.cpu))/float64(base))
	}
	return nil
}

// run runs the commands once and notes what they took.
func (s *step) run(dir string) error {
	var cpu time.Duration
	start := time.Now()
	for _, args := range s.commands {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), append([]string{"GOFLAGS=", "GOWORK=off", "GOPROXY=off"}, s.env...)...)
		out, err := cmd.CombinedOutput()
		if err != nil && !(s.mayDiffer && errors.As(err, new(*exec.ExitError)) && cmd.ProcessState.ExitCode() == 1) {
			return fmt.Errorf("%q: %w\n%s", args, err, out)
		}
		cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		s.rss = max(s.rss, peak(cmd.ProcessState))
	}
	s.cpu, s.wall = append(s.cpu, cpu), append(s.wall, time.Since(start))
	return nil
}

func median(list []time.Duration) time.Duration {
	list = slices.Clone(list)
	slices.SortFunc(list, cmp.Compare)
	return list[len(list)/2]
}

func size(dir string) (files int, bytes int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files++
			if info, err := d.Info(); err == nil {
				bytes += info.Size()
			}
		}
		return nil
	})
	return files, bytes
}
