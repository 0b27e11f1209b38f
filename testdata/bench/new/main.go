// Command new measures `fractl new auth`, from the start of the process to its
// end, and where it is given kratos (github.com/go-kratos/kratos/cmd/kratos) and
// a local git repository with a kratos layout, `kratos new` beside it:
//
//	go run ./testdata/bench/new [-n 21] [-kratos BINARY -layout REPOSITORY]
//
// The two run in turn, each time in a new empty folder, so that whatever else
// the machine does slows both. It prints the medians and their ratio.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

func main() {
	n := flag.Int("n", 21, "runs of each")
	kratos := flag.String("kratos", "", "the kratos program")
	layout := flag.String("layout", "", "a local git repository with a kratos layout")
	flag.Parse()
	if err := run(os.Stdout, *n, *kratos, *layout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
}

// contestant is one command line.
type contestant struct {
	name string
	args []string
	// made is the file that has to be there afterwards.
	made  string
	walls []time.Duration
}

func run(w io.Writer, n int, kratos, layout string) (err error) {
	dir, err := os.MkdirTemp("", "bench-new-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	fractl := filepath.Join(dir, "fractl")
	if out, err := exec.Command("go", "build", "-trimpath", "-o", fractl, "./cmd/fractl").CombinedOutput(); err != nil {
		return fmt.Errorf("go build ./cmd/fractl: %w\n%s", err, out)
	}
	list := []*contestant{
		{name: "fractl new", args: []string{fractl, "new", "auth"}, made: "auth/fractl.lock"},
		// What a process of this binary costs before it does anything.
		{name: "fractl version", args: []string{fractl, "version"}},
	}
	if kratos != "" {
		list = append(list, &contestant{name: "kratos new", args: []string{kratos, "new", "auth", "-r", layout}, made: "auth/go.mod"})
	}
	for i := range n + 1 {
		for k, c := range list {
			// The folders are removed at the end: that costs the disk more than
			// what is measured.
			wall, err := c.once(filepath.Join(dir, fmt.Sprintf("work-%d-%d", i, k)))
			if err != nil {
				return err
			}
			if i > 0 { // the first run warms the caches
				c.walls = append(c.walls, wall)
			}
		}
	}
	for _, c := range list {
		fmt.Fprintf(w, "%-15s median %7.1f ms, fastest %7.1f ms, of %d\n", c.name, ms(c.median()), ms(slices.Min(c.walls)), n)
	}
	if kratos == "" {
		fmt.Fprintln(w, "no -kratos given: no ratio")
		return nil
	}
	fmt.Fprintf(w, "ratio of the medians, fractl to kratos: %.2f\n", float64(list[0].median())/float64(list[2].median()))
	return nil
}

// once runs the command in a new folder and returns its wall time.
func (c *contestant) once(dir string) (time.Duration, error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return 0, err
	}
	cmd := exec.Command(c.args[0], c.args[1:]...)
	cmd.Dir = dir
	start := time.Now()
	out, err := cmd.CombinedOutput()
	wall := time.Since(start)
	if err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", c.name, err, out)
	}
	if _, err := os.Stat(filepath.Join(dir, c.made)); err != nil {
		return 0, fmt.Errorf("%s made nothing: %w\n%s", c.name, err, out)
	}
	return wall, nil
}

func (c *contestant) median() time.Duration {
	sorted := slices.Sorted(slices.Values(c.walls))
	return sorted[len(sorted)/2]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
