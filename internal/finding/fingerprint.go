package finding

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// lineRef is the :LINE of a position in a message.
var lineRef = regexp.MustCompile(`:\d+\b`)

// Fingerprints fills in the fingerprint of each finding of a sorted list. It
// is made of the rule, the fraction, the message and the text of the line, and
// of a running number among findings that agree in all of these: neither the
// file's name nor line numbers take part, not even those that a message gives
// as FILE:LINE, so a finding keeps its fingerprint when lines above it move and
// when its file is renamed.
//
// line returns the text of a line of a file, or "" where it cannot be read.
func Fingerprints(list []Finding, line func(file string, n int) string) {
	seen := make(map[string]int)
	for i := range list {
		f := &list[i]
		text := ""
		if f.Line > 0 {
			text = strings.Join(strings.Fields(line(f.File, f.Line)), " ")
		} else {
			// Nothing but the file's name tells such findings apart.
			text = path.Base(f.File)
		}
		key := strings.Join([]string{f.Rule, f.Fraction, lineRef.ReplaceAllString(f.Message, ""), text}, "\x00")
		n := seen[key]
		seen[key]++
		sum := sha256.Sum256([]byte(key + "\x00" + strconv.Itoa(n)))
		f.Fingerprint = hex.EncodeToString(sum[:16])
	}
}
