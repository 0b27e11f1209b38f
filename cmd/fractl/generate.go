package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/generate"
	"github.com/fractl/fractl/internal/generate/mockgen"
	"github.com/fractl/fractl/internal/workspace"
)

// generateOptions are the flags and arguments of generate.
type generateOptions struct {
	patterns          []string
	check, list, json bool
	run, skip, tags   string
	timeout           time.Duration
	jobs              int
}

func newGenerateCommand(e *env) *cobra.Command {
	o := generateOptions{}
	cmd := &cobra.Command{
		Use:   "generate [--check] [--list] [--json] [PACKAGES]",
		Short: "Run go:generate lines; mocks without mockgen, and only what is stale",
		Long: `generate carries out the go:generate lines of the packages, "./..." where none
is given, in the order in which packages need one another's outputs.

Lines that call mockgen of go.uber.org/mock need nothing installed: they are made
by the version that the module's go.mod names, and only where what they depend on
has changed: the line, the version, the interfaces and the types in them. Comments
and bodies of functions do not count, and times never do.

Other commands are run as go generate runs them. With a line above them that says
what they read, they too are only run when that has changed:

  //fractl:inputs *.proto
  //go:generate protoc --go_out=. item.proto

--check writes nothing and tells which mocks are stale, missing or orphaned.
Exit codes: 0 done, or nothing stale; 1 something is stale (--check); 2 a line is
malformed or its command failed, the others were carried out.`,
		Example: `  fractl generate                  # make what is stale
  fractl generate --check          # in CI: exit 1 where a mock is stale
  fractl generate --list --json    # every line, with inputs, output and state
  fractl generate ./order/...      # one fraction`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.patterns = args
			return runGenerate(cmd.Context(), e, o)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.check, "check", false, "write nothing; tell what is stale, missing or orphaned, and exit 1 if there is something")
	f.BoolVar(&o.list, "list", false, "only list the lines with what is known of them")
	f.BoolVar(&o.json, "json", false, "print one object for a script")
	f.StringVar(&o.run, "run", "", "only the lines whose text matches the regular expression")
	f.StringVar(&o.skip, "skip", "", "not the lines whose text matches the regular expression")
	f.StringVar(&o.tags, "tags", "", "build tags, separated by commas")
	f.DurationVar(&o.timeout, "timeout", 0, "the longest that one line may take; 0 is for ever")
	f.IntVar(&o.jobs, "jobs", 0, "how many lines are carried out at a time; 0 is one for each core")
	return cmd
}

func runGenerate(ctx context.Context, e *env, o generateOptions) error {
	if o.check && o.list {
		return fault.New("--check", "cannot go with --list", "leave one of them out")
	}
	eng, here, err := o.engine(ctx)
	if err != nil {
		return err
	}
	for _, n := range eng.Notes {
		e.ui.note("fractl: %s", n)
	}
	switch {
	case o.list:
		eng.List()
	case o.check:
		err = eng.Check(ctx)
	default:
		err = eng.Run(ctx)
	}
	if err != nil {
		return err
	}
	if err := o.print(e, eng, here); err != nil {
		return err
	}
	return o.outcome(e, eng)
}

// engine reads the directives.
func (o generateOptions) engine(ctx context.Context) (eng *generate.Engine, here string, err error) {
	opt := generate.Options{Patterns: o.patterns, Tags: o.tags, Timeout: o.timeout, Jobs: o.jobs, Pinned: mockgen.Pinned}
	for _, re := range []struct {
		flag, text string
		to         **regexp.Regexp
	}{{"--run", o.run, &opt.Run}, {"--skip", o.skip, &opt.Skip}} {
		if re.text == "" {
			continue
		}
		if *re.to, err = regexp.Compile(re.text); err != nil {
			return nil, "", fault.New(re.flag, "no regular expression: "+strings.TrimPrefix(err.Error(), "error parsing regexp: "), "quote what has a meaning in one")
		}
	}
	if here, err = workingFolder(); err != nil {
		return nil, "", err
	}
	opt.Dir = here
	if opt.Cache, err = cacheFolder(); err != nil {
		return nil, "", err
	}
	ws, err := workspace.Find(here)
	if errors.Is(err, workspace.ErrNone) {
		return nil, "", fault.New(".", err.Error(), "run it inside a Go module or a workspace, or make one with 'fractl init'")
	}
	if err != nil {
		return nil, "", err
	}
	eng, err = generate.Find(ctx, ws, opt)
	return eng, here, err
}

// cacheFolder is where what is known is kept between runs.
func cacheFolder() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fault.New("cache", "there is no folder for it: "+err.Error(), "set XDG_CACHE_HOME or HOME")
	}
	return filepath.Join(dir, "fractl"), nil
}

// print lists what a person or a script asked for.
func (o generateOptions) print(e *env, eng *generate.Engine, here string) error {
	if o.json {
		return o.printJSON(e, eng)
	}
	for _, item := range eng.Items {
		place := fmt.Sprintf("%s:%d", from(eng, here, item.File), item.Line)
		switch {
		case o.list:
			line := fmt.Sprintf("%s: %s: %s", place, item.State, strings.Join(item.Words, " "))
			if item.Reason != "" {
				line += " (" + item.Reason + ")"
			}
			fmt.Fprintln(e.stdout, line)
		case o.check && reported(item):
			fmt.Fprintf(e.stdout, "%s: %s: %s\n", place, item.State, item.Reason)
		case !o.check && item.State != generate.Failed && item.Printed != "":
			fmt.Fprint(e.stdout, item.Printed)
		}
	}
	return nil
}

// reported reports whether --check has something to say of a directive.
func reported(item *generate.Item) bool {
	switch item.State {
	case generate.Stale, generate.Missing, generate.Orphaned:
		return true
	}
	return false
}

// from is a path of the workspace as seen from the working folder.
func from(eng *generate.Engine, here, file string) string {
	if rel, err := filepath.Rel(here, eng.Abs(file)); err == nil {
		return filepath.ToSlash(rel)
	}
	return file
}

// directiveJSON is one directive as scripts see it.
type directiveJSON struct {
	File    string   `json:"file"`
	Line    int      `json:"line"`
	Package string   `json:"package"`
	Kind    string   `json:"kind"`
	Command []string `json:"command"`
	Version string   `json:"version,omitempty"`
	Inputs  []string `json:"inputs"`
	Output  string   `json:"output"`
	State   string   `json:"state"`
	Reason  string   `json:"reason"`
	Hint    string   `json:"hint,omitempty"`
}

func (o generateOptions) printJSON(e *env, eng *generate.Engine) error {
	doc := struct {
		Schema     int             `json:"schema"`
		Command    string          `json:"command"`
		Directives []directiveJSON `json:"directives"`
		Summary    map[string]int  `json:"summary"`
	}{Schema: 1, Command: "generate", Directives: []directiveJSON{}, Summary: map[string]int{}}
	for _, item := range eng.Items {
		d := directiveJSON{
			File: item.File, Line: item.Line, Package: item.Package, Kind: string(item.Kind), Command: item.Words, Version: item.Version,
			Inputs: item.InputFiles, Output: item.Output, State: string(item.State), Reason: item.Reason, Hint: item.Hint,
		}
		if d.Inputs == nil {
			d.Inputs = []string{}
		}
		if d.Command == nil {
			d.Command = []string{}
		}
		doc.Directives = append(doc.Directives, d)
		doc.Summary[d.State]++
	}
	enc := json.NewEncoder(e.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}

// outcome tells on stderr what failed and what was done, and gives the exit
// code's error.
func (o generateOptions) outcome(e *env, eng *generate.Engine) error {
	counts := make(map[generate.State]int)
	stale, failed := 0, 0
	for _, item := range eng.Items {
		counts[item.State]++
		if reported(item) {
			stale++
		}
		if item.State != generate.Failed {
			continue
		}
		failed++
		e.ui.failure(&fault.Error{Subject: item.Place(), Fact: strings.Join(item.Words, " ") + ": " + item.Reason, Hint: item.Hint})
		for line := range strings.Lines(strings.TrimRight(item.Printed, "\n")) {
			e.ui.note("    %s", strings.TrimRight(line, "\n"))
		}
	}
	switch {
	case failed > 0:
		return errSilent
	case o.check && stale > 0:
		e.ui.hint("run 'fractl generate'")
		return errReport
	case o.check && counts[generate.Always]+counts[generate.Unknown] > 0:
		e.ui.note("fractl: %d commands were not checked: nothing says what they read", counts[generate.Always]+counts[generate.Unknown])
	case !o.check && !o.list:
		e.ui.note("fractl: %s", eng.Summary())
	}
	return nil
}
