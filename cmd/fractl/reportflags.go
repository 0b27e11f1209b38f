package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/workspace"
)

// reportFlags are the flags of commands that report findings.
type reportFlags struct {
	format, failOn, min string
	enable, disable     []string
	baseline            string
	writeBaseline       bool
	out                 []string
	newFrom             string
}

func (r *reportFlags) bind(f *pflag.FlagSet) {
	var formats []string
	for _, format := range finding.Formats() {
		formats = append(formats, format.Name)
	}
	f.StringVar(&r.format, "format", "text", "how to print: "+strings.Join(formats, ", "))
	f.StringArrayVar(&r.out, "out", nil, "FORMAT=FILE: a further format of the same run, written to a file; may be given more than once")
	f.StringSliceVar(&r.enable, "enable", nil, "run only these rules")
	f.StringSliceVar(&r.disable, "disable", nil, "run all rules but these")
	f.StringVar(&r.baseline, "baseline", "", "file of known findings, which are not reported again until their date")
	f.BoolVar(&r.writeBaseline, "write-baseline", false, "write what would be listed to that file instead")
	f.StringVar(&r.newFrom, "new-from", "", "only what was not there where this branch left the revision, such as origin/main")
	f.StringVar(&r.failOn, "fail-on", "warning", "exit 1 from this severity up: note, warning, error")
	f.StringVar(&r.min, "min-severity", "warning", "list from this severity up (json and sarif list all)")
}

// reporting is what the flags come to.
type reporting struct {
	format      finding.Format
	failOn, min finding.Severity
	rules       []string
	baseline    baselineFile
	outs        []output
	// strict: an entry of the baseline that is stale is a failure.
	strict bool
}

// settle reads the flags; known are the names of the rules that there are.
func (r *reportFlags) settle(known []string) (reporting, error) {
	var s reporting
	var err error
	if s.format, err = finding.FormatNamed(r.format); err != nil {
		return s, fault.New("--format", err.Error(), "")
	}
	if s.failOn, err = finding.ParseSeverity(r.failOn); err != nil {
		return s, fault.New("--fail-on", err.Error(), "")
	}
	if s.min, err = finding.ParseSeverity(r.min); err != nil {
		return s, fault.New("--min-severity", err.Error(), "")
	}
	if s.baseline, err = r.readBaseline(); err != nil {
		return s, err
	}
	if s.outs, err = r.outputs(); err != nil {
		return s, err
	}
	for _, given := range []struct {
		flag  string
		names []string
	}{{"--enable", r.enable}, {"--disable", r.disable}} {
		for _, name := range given.names {
			if !slices.Contains(known, name) {
				hint := "known are " + strings.Join(known, ", ")
				if near := workspace.Nearest(name, known); near != "" {
					hint = "did you mean " + near + "?"
				}
				return s, fault.New(given.flag, "unknown rule "+name, hint)
			}
		}
	}
	for _, name := range known {
		if (len(r.enable) == 0 || slices.Contains(r.enable, name)) && !slices.Contains(r.disable, name) {
			s.rules = append(s.rules, name)
		}
	}
	if len(s.rules) == 0 {
		return s, fault.New("--disable", "leaves no rule to run", "known are "+strings.Join(known, ", "))
	}
	return s, nil
}

// print writes the report, and the next steps where a person reads them. It
// returns errReport where a finding is severe enough to fail.
func (s reporting) print(e *env, r *finding.Report) error {
	if s.baseline.write {
		return s.baseline.save(e, r.Findings, s.min)
	}
	stale := s.baseline.apply(e, r)
	r.MinSeverity, r.Version = s.min, version()
	r.Rules = ruleTexts(r.Command)
	for _, o := range s.outs {
		if err := o.write(r); err != nil {
			return err
		}
	}
	omitted, err := s.format.Write(e.stdout, r)
	if err != nil {
		return err
	}
	if s.format.Name == "text" {
		e.ui.hints(r.Findings, s.min)
	}
	e.ui.omitted(omitted, s.min)
	if r.Fails(s.failOn) || s.strict && stale {
		return errReport
	}
	return nil
}

// output is one --out: a format, and the file that it goes to.
type output struct {
	format finding.Format
	file   string
}

// outputs reads --out.
func (r *reportFlags) outputs() ([]output, error) {
	var list []output
	for _, text := range r.out {
		name, file, ok := strings.Cut(text, "=")
		if !ok || file == "" {
			return nil, fault.New("--out", "no FORMAT=FILE: "+text, "write it as in --out sarif=report.sarif")
		}
		format, err := finding.FormatNamed(name)
		if err != nil {
			return nil, fault.New("--out", err.Error(), "")
		}
		list = append(list, output{format, file})
	}
	return list, nil
}

// write puts a report into the file, in one step.
func (o output) write(r *finding.Report) error {
	var b bytes.Buffer
	if _, err := o.format.Write(&b, r); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(o.file), ".fractl-out-*")
	if err != nil {
		return fault.New(o.file, "cannot be written: "+reason(err), "give a file in a folder that is there and writable")
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(b.Bytes())
	if err := errors.Join(err, tmp.Chmod(0o644), tmp.Close()); err != nil {
		return fault.New(o.file, "cannot be written: "+reason(err), "")
	}
	if err := os.Rename(tmp.Name(), o.file); err != nil {
		return fault.New(o.file, "cannot be written: "+reason(err), "give the name of a file")
	}
	return nil
}

// reason is the innermost cause of an I/O error, without paths.
func reason(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

// maxHints is how many next steps are told: a reader takes them one by one.
const maxHints = 8

// hints prints the next steps of findings, each once.
func (u *ui) hints(list []finding.Finding, from finding.Severity) {
	var told []string
	for _, f := range list {
		if f.Severity >= from && f.Hint != "" && !slices.Contains(told, f.Hint) {
			told = append(told, f.Hint)
		}
	}
	for _, hint := range told[:min(len(told), maxHints)] {
		u.hint(hint)
	}
	if more := len(told) - maxHints; more > 0 {
		u.note("fractl: %d more hints; --format json has them all", more)
	}
}
