package crossschema

import (
	"bytes"
	"crypto/sha256"
	"path"
	"regexp"

	"github.com/fractl/fractl/internal/workspace"
)

// constWord is the keyword anywhere, constLine at the beginning of a line.
var (
	constWord = regexp.MustCompile(`\bconst\b`)
	constLine = regexp.MustCompile(`(?m)^[ \t]*const\b`)
)

// Text is what Scan reads of a file, given by its path relative to the root: all
// of one that may hold SQL and, since that may be put together of constants from
// elsewhere, the constants of any other.
func Text(ws *workspace.Workspace, rel string, src []byte) []byte {
	if len(ws.Fractions) < 2 {
		return nil
	}
	whole := sha256.Sum256(src)
	if path.Ext(rel) != ".go" || mentions(src) {
		return whole[:]
	}
	starts := constLine.FindAllIndex(src, -1)
	if len(starts) != len(constWord.FindAllIndex(src, -1)) {
		return whole[:] // one that stands elsewhere: in a comment, or behind code
	}
	h := sha256.New()
	for _, at := range starts {
		text := constants(src[at[1]:])
		if bytes.ContainsRune(text, '`') {
			return whole[:] // it may go on, or end the declaration only in appearance
		}
		h.Write(text)
	}
	return h.Sum(nil)
}

// constants is a declaration up to its end: of the line or, behind a
// parenthesis, of the line that begins with the closing one.
func constants(src []byte) []byte {
	line, rest, _ := bytes.Cut(src, []byte("\n"))
	if !bytes.HasPrefix(bytes.TrimLeft(line, " \t"), []byte("(")) {
		return line
	}
	n := len(line) + 1
	for l := range bytes.Lines(rest) {
		n += len(l)
		if bytes.HasPrefix(bytes.TrimLeft(l, " \t"), []byte(")")) {
			break
		}
	}
	return src[:min(n, len(src))]
}
