// Command plant counts what vet finds of faults that are planted into correct
// public code:
//
//	go run ./testdata/corpus/plant [-seed N] [-each N] [-rule RULE] [-only SUBSTRING] [-peers]
//
// It takes the modules of ../modules.txt, chooses by the seed up to -each places
// for each rule in each of them, at most one in a function, and does there what
// people do: a Context is dropped, a Stop, a close, a Put comes early, an import
// or the name of a table reaches into another fraction. Then it vets, and prints
// for each rule what was planted and found, and each miss. With -peers noctx,
// contextcheck, sqlclosecheck, staticcheck and gosec look at the same trees, and
// whatever they say of the functions around the plants counts.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/vet"
)

func main() {
	o := options{}
	flag.Uint64Var(&o.seed, "seed", 1, "which places are chosen")
	flag.IntVar(&o.each, "each", 10, "the most places for each rule in each module")
	flag.StringVar(&o.rule, "rule", "", "only this rule")
	flag.StringVar(&o.only, "only", "", "only the modules whose path holds this")
	flag.StringVar(&o.home, "home", "testdata/corpus", "the folder of modules.txt")
	flag.StringVar(&o.keep, "keep", "", "a folder that keeps the copies")
	flag.BoolVar(&o.peers, "peers", false, "have other tools look at the same trees")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "plant:", err)
		os.Exit(2)
	}
}

type options struct {
	seed                   uint64
	each                   int
	rule, only, home, keep string
	peers                  bool
}

// count is what became of the plants of one rule.
type count struct{ planted, found int }

func run(ctx context.Context, w io.Writer, o options) (err error) {
	data, err := os.ReadFile(filepath.Join(o.home, "modules.txt"))
	if err != nil {
		return err
	}
	if o.keep == "" {
		if o.keep, err = os.MkdirTemp("", "plant-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(o.keep)) }()
	}
	var others *comparison
	if o.peers {
		others = install(ctx, filepath.Join(o.keep, "bin"))
	}
	total := make(map[string]count)
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || strings.HasPrefix(fields[0], "#") || !strings.Contains(fields[0], o.only) {
			continue
		}
		m := module{path: fields[0], version: fields[1], patterns: fields[2:]}
		if len(m.patterns) == 0 {
			m.patterns = []string{"./..."}
		}
		if err := m.plant(ctx, w, o, total, others); err != nil {
			return fmt.Errorf("%s: %w", m.path, err)
		}
	}
	for _, k := range kinds() {
		if c := total[k.rule]; c.planted > 0 {
			fmt.Fprintf(w, "%-12s planted %4d, found %4d (%.1f %%)%s\n", k.rule, c.planted, c.found, 100*float64(c.found)/float64(c.planted), others.line(k.rule))
		}
	}
	return nil
}

// module is a line of modules.txt, with the place of its copy.
type module struct {
	path, version string
	patterns      []string
	dir           string
}

// plant plants the faults of each rule into the module, one rule at a time.
func (m *module) plant(ctx context.Context, w io.Writer, o options, total map[string]count, others *comparison) error {
	if err := m.fetch(ctx, o.keep); err != nil {
		return err
	}
	pkgs, err := packages.Load(&packages.Config{
		Context: ctx, Dir: m.dir, Env: environment(),
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedImports | packages.NeedDeps | packages.NeedModule,
	}, m.patterns...)
	if err != nil {
		return err
	}
	for _, k := range kinds() {
		if o.rule != "" && o.rule != k.rule {
			continue
		}
		var all []plant
		for _, pkg := range pkgs {
			if len(pkg.Errors) == 0 {
				all = append(all, k.places(m, pkg)...)
			}
		}
		chosen := choose(all, o)
		if len(chosen) == 0 {
			continue
		}
		missed, err := m.vet(ctx, k, chosen, others)
		if err != nil {
			return fmt.Errorf("%s: %w", k.rule, err)
		}
		c := total[k.rule]
		c.planted += len(chosen)
		c.found += len(chosen) - len(missed)
		total[k.rule] = c
		fmt.Fprintf(w, "%s@%s %s: planted %d, found %d\n", m.path, m.version, k.rule, len(chosen), len(chosen)-len(missed))
		for _, p := range missed {
			fmt.Fprintf(w, "  missed: %s:%d: %s\n", p.rel(m), p.line, p.what)
		}
	}
	return nil
}

// choose takes places by the seed, one in a function.
func choose(all []plant, o options) []plant {
	slices.SortFunc(all, func(a, b plant) int {
		if c := strings.Compare(a.file, b.file); c != 0 {
			return c
		}
		return a.edits[0].at - b.edits[0].at
	})
	r := rand.New(rand.NewPCG(o.seed, 0))
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var chosen []plant
	taken := make(map[string]bool)
	for _, p := range all {
		key := fmt.Sprintf("%s:%d", p.file, p.from)
		if taken[key] || len(chosen) == o.each {
			continue
		}
		taken[key] = true
		chosen = append(chosen, p)
	}
	return chosen
}

// vet makes the edits, vets, takes them back, and gives what was not found.
func (m *module) vet(ctx context.Context, k kind, plants []plant, others *comparison) (missed []plant, err error) {
	undo, err := apply(m, k, plants)
	defer func() { err = errors.Join(err, undo()) }()
	if err != nil {
		return nil, err
	}
	res, err := vet.Run(ctx, vet.Options{Dir: m.dir, Patterns: m.patterns, Rules: analyzers.Suite(), Enable: []string{k.rule}, Env: environment()})
	if err != nil {
		return nil, err
	}
	for _, p := range plants {
		rel := p.rel(m)
		hit := false
		for _, f := range res.Findings {
			hit = hit || f.File == rel && f.Line >= p.from && f.Line <= p.to
		}
		if !hit {
			missed = append(missed, p)
		}
	}
	others.run(ctx, m, k.rule, plants)
	for _, problem := range res.Problems {
		fmt.Fprintln(os.Stderr, "plant:", problem)
	}
	return missed, nil
}

// fetch copies the module out of the module cache.
func (m *module) fetch(ctx context.Context, keep string) error {
	m.dir = filepath.Join(keep, strings.ReplaceAll(m.path+"@"+m.version, "/", "_"))
	if _, err := os.Stat(m.dir); err == nil {
		return nil
	}
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", m.path+"@"+m.version)
	cmd.Env = environment()
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("go mod download: %w", err)
	}
	_, rest, _ := strings.Cut(string(out), `"Dir": "`)
	dir, _, ok := strings.Cut(rest, `"`)
	if !ok {
		return errors.New("go mod download names no folder")
	}
	if err := os.CopyFS(m.dir, os.DirFS(dir)); err != nil {
		return err
	}
	return filepath.WalkDir(m.dir, func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(name, 0o755)
		}
		return os.Chmod(name, 0o644)
	})
}

func environment() []string {
	return append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
}
