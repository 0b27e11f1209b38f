package vet

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/finding"
)

// IsVettool reports whether a command line, without the program's name, is one
// by which the go command talks to the program of -vettool: "-V=full", "-flags",
// or flags and one *.cfg file.
func IsVettool(args []string) bool {
	if len(args) == 0 {
		return false
	}
	if len(args) == 1 && (args[0] == "-V=full" || args[0] == "-flags") {
		return true
	}
	for _, a := range args[:len(args)-1] {
		if !strings.HasPrefix(a, "-") {
			return false
		}
	}
	return strings.HasSuffix(args[len(args)-1], ".cfg")
}

// Vettool answers such a command line and returns the exit code. The rules are
// those of `fractl vet`, with what fractl.yaml sets for them and with the
// ignore comments; known are further rules that such a comment may name.
//
// It speaks the protocol itself instead of through x/tools' unitchecker, which
// reads the types of imports from its own results: there a package with
// findings, or one of a newer standard library, leaves all its importers
// unchecked. Here types come from the compiler's export data, and what is not
// of the workspace costs a process and no analysis.
func Vettool(args []string, rules []analyzers.Rule, known []string, stdout, stderr io.Writer) int {
	o := unitOptions{rules: rules, known: known, stdout: stdout, stderr: stderr, min: finding.Warning}
	var err error
	switch args[0] {
	case "-V=full":
		err = printVersion(stdout)
	case "-flags":
		err = printFlags(stdout)
	default:
		var file string
		if file, err = o.parse(args); err == nil {
			var code int
			if code, err = o.unit(file); err == nil {
				return code
			}
		}
	}
	if err != nil {
		fmt.Fprintf(stderr, "fractl: %v\n", err)
		if hint := fault.HintOf(err); hint != "" {
			fmt.Fprintf(stderr, "fractl: hint: %s\n", hint)
		}
		return 2
	}
	return 0
}

// unitOptions are the flags of one call.
type unitOptions struct {
	rules           []analyzers.Rule
	known           []string
	enable, disable []string
	min             finding.Severity
	json            bool
	stdout, stderr  io.Writer
}

// flagSet declares the flags that go vet hands on.
func (o *unitOptions) flagSet() *flag.FlagSet {
	fs := flag.NewFlagSet("fractl", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.BoolVar(&o.json, "json", false, "print findings as JSON")
	fs.Func("enable", "run only these rules, separated by commas", func(s string) error {
		o.enable = append(o.enable, strings.Split(s, ",")...)
		return nil
	})
	fs.Func("disable", "run all rules but these, separated by commas", func(s string) error {
		o.disable = append(o.disable, strings.Split(s, ",")...)
		return nil
	})
	fs.Func("min-severity", "report from this severity up: note, warning, error", func(s string) (err error) {
		o.min, err = finding.ParseSeverity(s)
		return err
	})
	return fs
}

func (o *unitOptions) parse(args []string) (file string, err error) {
	fs := o.flagSet()
	if err := fs.Parse(args); err != nil {
		return "", fault.New("go vet -vettool", err.Error(), "its flags are -enable, -disable and -min-severity")
	}
	if fs.NArg() != 1 {
		return "", fault.New("go vet -vettool", "wants one .cfg file", "run it through 'go vet'")
	}
	return fs.Arg(0), nil
}

// printFlags describes the flags, so that go vet accepts them.
func printFlags(w io.Writer) error {
	type jsonFlag struct {
		Name  string
		Bool  bool
		Usage string
	}
	var list []jsonFlag
	new(unitOptions).flagSet().VisitAll(func(f *flag.Flag) {
		b, ok := f.Value.(interface{ IsBoolFlag() bool })
		list = append(list, jsonFlag{f.Name, ok && b.IsBoolFlag(), f.Usage})
	})
	return json.NewEncoder(w).Encode(list)
}
