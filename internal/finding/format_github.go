package finding

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// writeGitHub prints workflow commands of GitHub Actions, which the runner turns
// into annotations: one line for each finding.
func writeGitHub(w io.Writer, r *Report) error {
	b := bufio.NewWriter(w)
	for _, f := range r.Findings {
		command := map[Severity]string{Error: "error", Warning: "warning", Note: "notice"}[f.Severity]
		fmt.Fprintf(b, "::%s file=%s", command, property(f.File))
		if f.Line > 0 {
			fmt.Fprintf(b, ",line=%d,col=%d", f.Line, f.Column)
			if f.EndLine == f.Line && f.EndColumn > f.Column {
				fmt.Fprintf(b, ",endColumn=%d", f.EndColumn)
			} else if f.EndLine > f.Line {
				fmt.Fprintf(b, ",endLine=%d", f.EndLine)
			}
		}
		fmt.Fprintf(b, ",title=%s::%s\n", property("fractl "+f.Rule), data(message(f)))
	}
	return b.Flush()
}

// data is the text of a workflow command, property the value of one of its
// properties (docs.github.com, "Workflow commands"; the escapes are those of
// actions/toolkit).
func data(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func property(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}
