package finding

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
)

// writeText prints FILE:LINE:COL: MESSAGE (RULE), paths relative to the working
// folder. A finding about no line prints FILE alone in front.
func writeText(w io.Writer, r *Report) error {
	b := bufio.NewWriter(w)
	for _, f := range r.Findings {
		file := relative(r, f.File)
		switch {
		case f.Line == 0:
			fmt.Fprintf(b, "%s: %s (%s)\n", file, f.Message, f.Rule)
		default:
			fmt.Fprintf(b, "%s:%d:%d: %s (%s)\n", file, f.Line, f.Column, f.Message, f.Rule)
		}
	}
	return b.Flush()
}

// relative turns a path relative to the root into one relative to the working
// folder.
func relative(r *Report, file string) string {
	if filepath.IsAbs(filepath.FromSlash(file)) {
		return file
	}
	rel, err := filepath.Rel(r.Dir, filepath.Join(r.Root, filepath.FromSlash(file)))
	if err != nil {
		return file
	}
	return filepath.ToSlash(rel)
}
