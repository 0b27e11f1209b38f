// Command vet compares fractl vet with go vet, staticcheck and golangci-lint
// (noctx, depguard, gomoddirectives) on pinned public modules, in the states
// that a developer and a CI job meet:
//
//	go run ./testdata/bench/vet [-only NAME,…] [-tree DIR] [-tools fractl,go-vet,…] [-runs N] [-growth]
//
// It prints CPU seconds of the whole process tree, wall seconds and the peak
// memory of the largest process, and the ratio of fractl to the best peer. Each
// tool has build and result caches of its own; the module cache is warm.
package main

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	only := flag.String("only", "", "names of subjects, separated by commas")
	tree := flag.String("tree", "", "a folder to measure in place of the subjects; it is copied")
	tools := flag.String("tools", "fractl,go-vet,staticcheck,golangci-lint", "what to run")
	runs := flag.Int("runs", 1, "runs of each state; the median counts")
	grow := flag.Bool("growth", false, "measure fractl on 50 to 400 like packages instead")
	flag.Parse()
	if *grow {
		*tools = "fractl"
	}
	if err := run(*only, *tree, strings.Split(*tools, ","), *runs, *grow); err != nil {
		fmt.Fprintln(os.Stderr, "vet:", err)
		os.Exit(1)
	}
}

// bar is what a ratio of CPU seconds has to keep on each subject, and is to
// reach on the geometric mean.
type bar struct{ must, aim float64 }

var bars = map[string]bar{
	"fully cold": {0.12, 0.05}, "fresh machine": {0.05, 0.03}, "build-warm": {0.40, 0.20}, "no change": {0.15, 0.05}, "leaf comment": {0.60, 0.25},
	"leaf body": {0.60, 0.25}, "hub": {0.15, 0.05}, "reverted": {0.15, 0.05}, "alternating": {0.15, 0.05},
}

func run(only, tree string, names []string, runs int, grow bool) error {
	tmp, err := os.MkdirTemp("", "bench-vet-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	list := subjects
	if tree != "" {
		list = []subject{{name: filepath.Base(tree), tree: tree}}
	}
	tools, err := prepareTools(filepath.Join(tmp, "bin"), names)
	if err != nil {
		return err
	}
	if grow {
		return growth(tmp, tools[0])
	}
	ratios := make(map[string][]float64)
	for _, s := range list {
		if only != "" && !slices.Contains(strings.Split(only, ","), s.name) {
			continue
		}
		dir := filepath.Join(tmp, s.name)
		if err := s.prepare(dir); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		p, err := survey(dir)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Printf("\n%s: %d packages; leaf %s, hub %s with %d dependents\n\n", s.name, p.packages, p.leaf.name, p.hub.name, p.dependents)
		byTool := make(map[string]map[string]figure)
		for _, t := range tools {
			home := filepath.Join(tmp, s.name+"-"+t.name)
			if byTool[t.name], err = measure(t, p, home, runs); err != nil {
				return fmt.Errorf("%s: %s: %w", s.name, t.name, err)
			}
			if err := removeAll(home); err != nil {
				return err
			}
			fmt.Fprintln(os.Stderr, progress(s.name, t.name, byTool[t.name]))
		}
		report(s, tools, byTool, ratios)
		if err := removeAll(dir); err != nil {
			return err
		}
	}
	fmt.Printf("\ngeometric mean of fractl over the best peer, CPU seconds:\n\n| state | ratio | must (each) | aim |\n| --- | --- | --- | --- |\n")
	for _, state := range states {
		if r := ratios[state]; len(r) > 0 {
			fmt.Printf("| %s | %.4f | %.2f | %.2f |\n", state, geometric(r), bars[state].must, bars[state].aim)
		}
	}
	return nil
}

// progress is a line for who waits: the whole takes about an hour.
func progress(subject, tool string, figures map[string]figure) string {
	line := subject + " " + tool
	for _, state := range states {
		line += fmt.Sprintf("; %s %.2f", state, figures[state].cpu)
	}
	return line
}

// report prints a table of one subject, and adds to the ratios of each state.
func report(s subject, tools []tool, byTool map[string]map[string]figure, ratios map[string][]float64) {
	head, line := "| state |", "| --- |"
	for _, t := range tools {
		head += " " + t.name + " |"
		line += " --- |"
	}
	fmt.Printf("CPU s / wall s / MB\n\n%s ratio |\n%s --- |\n", head, line)
	for _, state := range states {
		row := "| " + state + " |"
		best := math.Inf(1)
		for _, t := range tools {
			f := byTool[t.name][state]
			row += fmt.Sprintf(" %.2f / %.2f / %d |", f.cpu, f.wall, f.mb)
			if t.name != "fractl" {
				best = min(best, f.cpu)
			}
		}
		ours, ok := byTool["fractl"][state]
		if !ok || math.IsInf(best, 1) {
			fmt.Println(row, "|")
			continue
		}
		ratio := ours.cpu / best
		ratios[state] = append(ratios[state], ratio)
		must, missed := bars[state].must, ""
		if state == "hub" && s.hubMust > 0 {
			must = s.hubMust
		}
		if ratio > must {
			missed = fmt.Sprintf(" (must %.2f)", must)
		}
		fmt.Printf("%s %.4f%s |\n", row, ratio, missed)
	}
}

func geometric(list []float64) float64 {
	sum := 0.0
	for _, v := range list {
		sum += math.Log(v)
	}
	return math.Exp(sum / float64(len(list)))
}
