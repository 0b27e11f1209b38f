// Command corpus vets pinned public modules and compares what it finds with what
// people have judged, finding by finding:
//
//	go run ./testdata/corpus [-only SUBSTRING] [-keep DIR]
//
// modules.txt lists the modules, judged.txt the findings, each true, false or
// arguable with one line why. The exit code is 1 where a finding is not judged,
// or a judged one is not found any more. Notes are counted and not judged.
//
// The modules come through the module proxy and are copied into a temporary
// folder, because those of the module cache are not workspaces of their own.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vet"
)

func main() {
	only := flag.String("only", "", "only the modules whose path holds this")
	keep := flag.String("keep", "", "a folder that keeps the copies")
	home := flag.String("home", "testdata/corpus", "the folder of modules.txt and judged.txt")
	flag.Parse()
	clean, err := run(context.Background(), os.Stdout, *home, *only, *keep)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "corpus:", err)
		os.Exit(2)
	case !clean:
		os.Exit(1)
	}
}

// module is a line of modules.txt: path, version, and package patterns.
type module struct {
	path, version string
	patterns      []string
}

func (m module) String() string { return m.path + "@" + m.version }

func run(ctx context.Context, w io.Writer, home, only, keep string) (clean bool, err error) {
	modules, err := readModules(filepath.Join(home, "modules.txt"))
	if err != nil {
		return false, err
	}
	judged, err := readJudged(filepath.Join(home, "judged.txt"))
	if err != nil {
		return false, err
	}
	if keep == "" {
		if keep, err = os.MkdirTemp("", "corpus-"); err != nil {
			return false, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(keep)) }()
	}
	clean = true
	for _, m := range modules {
		if !strings.Contains(m.path, only) {
			continue
		}
		ok, err := judge(ctx, w, m, filepath.Join(keep, strings.ReplaceAll(m.String(), "/", "_")), judged)
		if err != nil {
			return false, fmt.Errorf("%s: %w", m, err)
		}
		clean = clean && ok
	}
	return clean, nil
}

// judge vets one module and prints a line for it, and one for each finding that
// the judgements do not know or expect in vain.
func judge(ctx context.Context, w io.Writer, m module, dir string, judged map[string]verdict) (bool, error) {
	if err := fetch(ctx, m, dir); err != nil {
		return false, err
	}
	start := time.Now()
	res, err := vet.Run(ctx, vet.Options{Dir: dir, Patterns: m.patterns, Rules: analyzers.Suite(), Env: environment()})
	if err != nil {
		return false, err
	}
	count := map[string]int{}
	found := map[string]bool{}
	var unjudged []string
	for _, f := range res.Findings {
		if f.Severity < finding.Warning {
			count["note"]++
			continue
		}
		count[f.Severity.String()]++
		key := fmt.Sprintf("%s %s:%d %s", m, f.File, f.Line, f.Rule)
		found[key] = true
		v, ok := judged[key]
		if !ok {
			unjudged = append(unjudged, key+"  "+f.Severity.String()+": "+f.Message)
			continue
		}
		count[v.word]++
	}
	var gone []string
	for key := range judged {
		if strings.HasPrefix(key, m.String()+" ") && !found[key] {
			gone = append(gone, key)
		}
	}
	slices.Sort(gone)
	fmt.Fprintf(w, "%s: %d packages in %.1fs; errors %d, warnings %d, notes %d; true %d, false %d, arguable %d; not loaded %d\n",
		m, res.Stats.Packages, time.Since(start).Seconds(), count["error"], count["warning"], count["note"],
		count["true"], count["false"], count["arguable"], len(res.Problems))
	for _, p := range res.Problems {
		fmt.Fprintf(w, "  not loaded: %v\n", p)
	}
	for _, line := range unjudged {
		fmt.Fprintf(w, "  not judged: %s\n", line)
	}
	for _, line := range gone {
		fmt.Fprintf(w, "  not found:  %s\n", line)
	}
	return len(unjudged) == 0 && len(gone) == 0, nil
}

// fetch copies the module into dir.
func fetch(ctx context.Context, m module, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
		return nil
	}
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", m.String())
	cmd.Env = environment()
	out, err := cmd.Output()
	var info struct{ Dir, Error string }
	if jerr := json.Unmarshal(out, &info); jerr != nil || info.Error != "" || err != nil {
		return fmt.Errorf("go mod download: %s", strings.TrimSpace(info.Error))
	}
	if err := os.CopyFS(dir, os.DirFS(info.Dir)); err != nil {
		return err
	}
	// What comes out of the module cache is read-only.
	return filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(name, 0o755)
		}
		return os.Chmod(name, 0o644)
	})
}

// environment lets the go command complete a go.sum that was published without
// what only tests need, and keeps workspaces around the folder out of it.
func environment() []string {
	return append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
}

func readModules(name string) ([]module, error) {
	lines, err := readLines(name)
	if err != nil {
		return nil, err
	}
	var list []module
	for _, l := range lines {
		fields := strings.Fields(l.text)
		if len(fields) < 2 {
			return nil, fmt.Errorf("%s:%d: want PATH VERSION [PATTERN…]", name, l.number)
		}
		list = append(list, module{path: fields[0], version: fields[1], patterns: fields[2:]})
	}
	return list, nil
}

// verdict is what a person says of a finding.
type verdict struct{ word, why string }

// readJudged reads lines of MODULE@VERSION FILE:LINE RULE VERDICT WHY by their
// first three words.
func readJudged(name string) (map[string]verdict, error) {
	lines, err := readLines(name)
	if err != nil {
		return nil, err
	}
	judged := map[string]verdict{}
	for _, l := range lines {
		fields := strings.Fields(l.text)
		if len(fields) < 5 || !slices.Contains([]string{"true", "false", "arguable"}, fields[3]) {
			return nil, fmt.Errorf("%s:%d: want MODULE@VERSION FILE:LINE RULE true|false|arguable WHY", name, l.number)
		}
		judged[strings.Join(fields[:3], " ")] = verdict{word: fields[3], why: strings.Join(fields[4:], " ")}
	}
	return judged, nil
}

type line struct {
	number int
	text   string
}

// readLines leaves out empty lines and comments.
func readLines(name string) ([]line, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var list []line
	for i, text := range strings.Split(string(data), "\n") {
		if text = strings.TrimSpace(text); text != "" && !strings.HasPrefix(text, "#") {
			list = append(list, line{number: i + 1, text: text})
		}
	}
	return list, nil
}
