package finding

import (
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// texts reads the lines that findings stand on, each file once, to turn columns
// in bytes into columns in code points.
type texts struct {
	root  string
	files map[string][]string
}

func newTexts(r *Report) *texts { return &texts{root: r.Root, files: make(map[string][]string)} }

// column is a column in code points. Where the file cannot be read it stays.
func (t *texts) column(file string, line, column int) int {
	lines, ok := t.files[file]
	if !ok {
		src, err := os.ReadFile(filepath.Join(t.root, filepath.FromSlash(file)))
		if err == nil {
			lines = strings.Split(string(src), "\n")
		}
		t.files[file] = lines
	}
	if line < 1 || line > len(lines) || column < 1 || column-1 > len(lines[line-1]) {
		return column
	}
	return utf8.RuneCountInString(lines[line-1][:column-1]) + 1
}

// place is where something is, with as much as is known of it.
func (t *texts) place(file string, line, column, endLine, endColumn int) sarifPhysical {
	p := sarifPhysical{Artifact: sarifArtifact{URI: uri(file), BaseID: "SRCROOT"}}
	if line < 1 {
		return p
	}
	p.Region = &sarifRegion{StartLine: line}
	if column > 0 {
		p.Region.StartColumn = t.column(file, line, column)
	}
	if endLine > line || endLine == line && endColumn > column {
		p.Region.EndLine, p.Region.EndColumn = endLine, t.column(file, endLine, endColumn)
	}
	return p
}
