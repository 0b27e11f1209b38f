package demo

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vet"
)

// vetFresh shows that what was generated is clean.
func (d *demo) vetFresh() ([]string, error) {
	saw := []string{"$ fractl vet ./..."}
	res, err := d.vet(d.shop)
	if err != nil {
		return saw, err
	}
	if n := len(worthActing(res.Findings)); n > 0 {
		return append(saw, lines(res.Findings)...), fmt.Errorf("%d findings in fresh code", n)
	}
	return append(saw, fmt.Sprintf("no findings in %d packages", res.Stats.Packages)), nil
}

// vetPlanted shows that each rule finds its fault, in a copy.
func (d *demo) vetPlanted() ([]string, error) {
	if err := os.CopyFS(d.copy, os.DirFS(d.shop)); err != nil {
		return nil, err
	}
	if _, err := d.vendor(); err != nil {
		return nil, err
	}
	var saw []string
	for _, p := range plants() {
		if err := p.apply(d.copy); err != nil {
			return saw, err
		}
	}
	res, err := d.vet(d.copy)
	if err != nil {
		return saw, err
	}
	found := worthActing(res.Findings)
	saw = append(saw, "$ fractl vet --min-severity note ./...    # exit code 1")
	saw = append(saw, lines(found)...)
	return saw, allFound(found)
}

// allFound holds the findings to the faults that were planted: each is found
// where it stands, and nothing else is.
func allFound(found []finding.Finding) error {
	var missed []string
	left := slices.Clone(found)
	for _, p := range plants() {
		at := slices.IndexFunc(left, func(f finding.Finding) bool { return f.Rule == p.rule && f.File == p.file })
		if at < 0 {
			missed = append(missed, fmt.Sprintf("%s in %s", p.rule, p.file))
			continue
		}
		left = slices.Delete(left, at, at+1)
	}
	// Every rule has to be among the plants, or the demo shows less than it says.
	for _, r := range analyzers.Suite() {
		if !slices.ContainsFunc(plants(), func(p plant) bool { return p.rule == r.Name() }) {
			missed = append(missed, r.Name()+", for which nothing is planted")
		}
	}
	switch {
	case len(missed) > 0:
		return fmt.Errorf("not found: %s", strings.Join(missed, "; "))
	case len(left) > 0:
		return fmt.Errorf("found what was not planted: %s", lines(left)[0])
	}
	return nil
}

// vet runs all rules on all packages of a workspace.
func (d *demo) vet(dir string) (*vet.Result, error) {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "GOFLAGS=") || strings.HasPrefix(v, "GOWORK=")
	})
	res, err := vet.Run(d.ctx, vet.Options{
		Dir: dir, Rules: analyzers.Suite(),
		Env: append(env, "GOFLAGS=", "GOWORK="+filepath.Join(dir, "go.work"), "CGO_ENABLED=0"),
	})
	if err != nil {
		return nil, err
	}
	if len(res.Problems) > 0 {
		first := res.Problems[0]
		return nil, fault.New("vet", fmt.Sprintf("%d packages could not be checked, the first: %v", len(res.Problems), first), fault.HintOf(first))
	}
	return res, nil
}

// worthActing leaves the notes out, as the command does by default, but for those
// of the rules that have nothing else.
func worthActing(list []finding.Finding) []finding.Finding {
	suite := analyzers.Suite()
	return slices.DeleteFunc(slices.Clone(list), func(f finding.Finding) bool {
		noted := slices.ContainsFunc(suite, func(r analyzers.Rule) bool { return r.Name() == f.Rule && r.Severity == finding.Note })
		return f.Severity < finding.Warning && !noted
	})
}

// lines prints findings as the text format does.
func lines(list []finding.Finding) []string {
	var out []string
	for _, f := range list {
		out = append(out, fmt.Sprintf("%s:%d:%d: %s (%s)", f.File, f.Line, f.Column, f.Message, f.Rule))
	}
	return out
}
