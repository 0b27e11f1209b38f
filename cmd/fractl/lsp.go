package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/lsp"
	"github.com/fractl/fractl/internal/vet"
)

// lspOptions are the flags of lsp.
type lspOptions struct {
	enable, disable []string
	tags, cache     string
}

func newLSPCommand(e *env) *cobra.Command {
	var o lspOptions
	cmd := &cobra.Command{
		Use:   "lsp",
		Short: "Serve the rules of vet to an editor, over stdin and stdout",
		Long: `lsp speaks the Language Server Protocol over stdin and stdout: what the rules of
'fractl vet' find in the workspaces of the files that are open, as these stand in
the editor, with the fixes and the help of the rules. docs/editors.md says how
editors are told of it. It goes beside gopls.`,
		Args: argsBetween(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return runLSP(cmd.Context(), e, o) },
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.enable, "enable", nil, "run only these rules")
	f.StringSliceVar(&o.disable, "disable", nil, "run all rules but these")
	f.Bool("stdio", true, "the only way there is; editors say so")
	if err := f.MarkHidden("stdio"); err != nil {
		panic(err) // the flag is declared in the line above
	}
	f.StringVar(&o.tags, "tags", "", "build tags, separated by commas")
	f.StringVar(&o.cache, "cache", "", "where results are kept: a folder, a URL, or off (default: a folder among the user's caches)")
	return cmd
}

// keystroke is for how long the server waits for the next one.
const keystroke = 200 * time.Millisecond

func runLSP(ctx context.Context, e *env, o lspOptions) error {
	kept, err := openCache(ctx, o.cache)
	if err != nil {
		return err
	}
	defer closeCache(e, kept)
	err = lsp.Serve(ctx, e.stdin, e.stdout, lsp.Options{
		Vet: vet.Options{
			Rules: analyzers.Suite(), Enable: o.enable, Disable: o.disable, Tags: o.tags,
			Known: vendorRuleNames(), Cache: kept,
		},
		Rules: ruleTexts("vet"), Delay: keystroke, Version: version(),
	})
	if err != nil {
		return fault.New("lsp", err.Error(), "")
	}
	return nil
}

// ruleTexts are the texts of the rules of a command.
func ruleTexts(command string) []finding.RuleText {
	var list []finding.RuleText
	for _, r := range rules() {
		if r.command == command {
			list = append(list, finding.RuleText{Name: r.name, Summary: r.summary, Text: r.text, URL: r.url, Severity: r.reported()})
		}
	}
	return list
}
