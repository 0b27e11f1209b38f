package scaffold

import (
	"bytes"

	"github.com/rogpeppe/go-internal/diff"
)

// Diff returns what the plan changes in the unified format, file by file in the
// order of the plan, with the a/ and b/ prefixes that patch -p1 and git apply
// expect. Skipped files are left out.
func (p *Plan) Diff() []byte {
	var out bytes.Buffer
	for _, c := range p.Changes {
		oldName, newName := "a/"+c.Path, "b/"+c.Path
		switch c.Op {
		case Create:
			oldName = "/dev/null"
		case Delete:
			newName = "/dev/null"
		case Skip:
			continue
		}
		out.Write(diff.Diff(oldName, c.Old, newName, c.New))
	}
	return out.Bytes()
}
