package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vendorcheck"
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

// where names the command and, for a rule of vet, the severity that its findings
// have unless they say another.
func (r ruleText) where() string {
	if r.severity == 0 {
		return "fractl " + r.command
	}
	return "fractl " + r.command + ", " + r.severity.String()
}

// reported is the severity of its findings where nothing else is said.
func (r ruleText) reported() finding.Severity {
	if r.severity == 0 {
		return finding.Error
	}
	return r.severity
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
	for _, r := range vendorcheck.Rules() {
		list = append(list, ruleText{name: r.Name, command: "vendor-check", summary: r.Summary, text: r.Text})
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
		if _, err := fmt.Fprintf(w, "  %-18s %s\n", r.name, r.summary); err != nil {
			return err
		}
	}
	return nil
}

// explainRule prints a rule. One that both commands apply is explained once.
func explainRule(w io.Writer, list []ruleText, name string) error {
	var names []string
	for _, r := range list {
		names = append(names, r.name)
	}
	at := slices.Index(names, name)
	if at < 0 {
		hint := "run 'fractl rules' for the list"
		if near := workspace.Nearest(name, names); near != "" {
			hint = "did you mean " + near + "?"
		}
		return fault.New(name, "no such rule", hint)
	}
	r := list[at]
	for _, other := range list[at+1:] {
		if other.name == name {
			r.command += " and " + other.command
		}
	}
	_, err := fmt.Fprintf(w, "%s (%s)\n\n%s.\n\n%s\n", r.name, r.where(), capital(r.summary), headings(r.text))
	if err == nil && r.url != "" {
		_, err = fmt.Fprintf(w, "\n%s\n", r.url)
	}
	return err
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
