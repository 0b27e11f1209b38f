package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/workspace"
)

func newRulesCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "rules [RULE]",
		Short: "List the rules of vet and vendor-check, or explain one",
		Args:  argsBetween(0, 1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, r := range rules() {
				names = append(names, r.name+"\t"+r.summary)
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return listRules(e.stdout, rules())
			}
			return explainRule(e.stdout, rules(), args[0])
		},
	}
}

// ruleText is what there is to say about a rule of one command.
type ruleText struct {
	name, command string
	severity      finding.Severity
	summary, text string
	url           string
}

// rules are the rules of vet, then those of vendor-check.
func rules() []ruleText {
	var list []ruleText
	for _, r := range analyzers.Suite() {
		summary, text, _ := strings.Cut(r.Analyzer.Doc, "\n")
		list = append(list, ruleText{
			name: r.Name(), command: "vet", severity: r.Severity,
			summary: summary, text: strings.TrimSpace(text), url: r.Analyzer.URL,
		})
	}
	return list
}

func listRules(w io.Writer, list []ruleText) error {
	command := ""
	for _, r := range list {
		if r.command != command {
			if command != "" {
				if _, err := fmt.Fprintln(w); err != nil {
					return err
				}
			}
			command = r.command
			if _, err := fmt.Fprintf(w, "fractl %s\n", command); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintf(w, "  %-16s %-8s %s\n", r.name, r.severity, r.summary); err != nil {
			return err
		}
	}
	return nil
}

func explainRule(w io.Writer, list []ruleText, name string) error {
	var names []string
	found := false
	for _, r := range list {
		if r.name != name {
			names = append(names, r.name)
			continue
		}
		if found {
			fmt.Fprintln(w)
		}
		found = true
		fmt.Fprintf(w, "%s (fractl %s, %s)\n\n%s.\n\n%s\n", r.name, r.command, r.severity, capital(r.summary), headings(r.text))
		if r.command == "vet" {
			fmt.Fprintf(w, "\nHOW TO SUPPRESS\n\n\t%s %s reason\n\non the line, or on the line above it. For all of the workspace, in %s:\n\n\tvet:\n\t  disable: [%s]\n",
				finding.IgnoreDirective, r.name, workspace.ManifestName, r.name)
		}
		if r.url != "" {
			fmt.Fprintf(w, "\n%s\n", r.url)
		}
	}
	if found {
		return nil
	}
	hint := "run 'fractl rules' for the list"
	if near := workspace.Nearest(name, names); near != "" {
		hint = "did you mean " + near + "?"
	}
	return fault.New(name, "no such rule", hint)
}

// headings sets the headings of a doc comment as a man page does.
func headings(text string) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		if h, ok := strings.CutPrefix(l, "# "); ok {
			lines[i] = strings.ToUpper(h)
		}
	}
	return strings.Join(lines, "\n")
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
