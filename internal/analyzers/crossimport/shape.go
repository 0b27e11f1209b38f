package crossimport

import (
	"crypto/sha256"
	"fmt"
	"path"

	"github.com/fractl/fractl/internal/workspace"
)

// Text is what Scan reads of a file, given by its path relative to the root:
// what the file names, where, and whether it was made from a contract. Of a file
// of a contract, and of one that names a package of another fraction, it is all,
// since a fix compares what one uses with what the other has.
func Text(ws *workspace.Workspace, rel string, src []byte) []byte {
	if path.Ext(rel) != ".go" {
		return nil
	}
	whole := sha256.Sum256(src)
	if ws.IsContract(path.Dir(rel)) {
		return whole[:]
	}
	s := parseSource(rel, src)
	h := sha256.New()
	fmt.Fprintln(h, s.fromContract(), s.program(), s.ast != nil)
	from := ws.FractionOf(s.dir())
	for _, r := range s.references() {
		line, column := place(src, r.start)
		fmt.Fprintf(h, "%d %d %d %d %d %q %v %q\n", r.kind, r.start, r.end, line, column, r.path, r.isPath, r.text)
		if r.isPath {
			continue
		}
		if dir, ok := ws.PackageDir(r.path); ok {
			if to := ws.FractionOf(dir); to != nil && to != from {
				return whole[:]
			}
		}
	}
	return h.Sum(nil)
}
