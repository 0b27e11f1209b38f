package crossschema

import (
	"go/token"
	"strings"

	"github.com/fractl/fractl/internal/analyzers/internal/sqltext"
)

// text is one run of SQL of a fraction.
type text struct {
	// file is relative to the workspace's root.
	file, fraction string
	// test: it stands in a test.
	test  bool
	value string
	uses  []sqltext.Use
	// start is where the text begins in the file, and span gives the place of
	// some of its bytes.
	start token.Position
	span  func(from, to int) (start, end token.Position)
}

// fileText is a .sql file.
func fileText(file, fraction string, src []byte) text {
	value := string(src)
	ends := lineEnds(value)
	t := text{file: file, fraction: fraction, value: value, uses: sqltext.Script(value)}
	t.span = func(from, to int) (start, end token.Position) { return ends.position(from), ends.position(to) }
	return t
}

// passing reports whether a name is that of a table which the text makes for the
// session and does more with: that of another text is another one. Where it only
// makes it, others use it.
func (t text) passing(name sqltext.Name) bool {
	made, used := false, false
	for _, u := range t.uses {
		if plain(u.Name) != plain(name) {
			continue
		}
		made = made || u.Temporary && u.Access == sqltext.Create
		used = used || u.Access != sqltext.Create
	}
	return made && used
}

// lines are the offsets at which the lines of a text begin, but for the first.
type lines []int

func lineEnds(s string) lines {
	var l lines
	for at := 0; ; {
		n := strings.IndexByte(s[at:], '\n')
		if n < 0 {
			return l
		}
		at += n + 1
		l = append(l, at)
	}
}

func (l lines) position(offset int) token.Position {
	line, begin := 1, 0
	low, high := 0, len(l)
	for low < high {
		mid := (low + high) / 2
		if l[mid] <= offset {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if line += low; low > 0 {
		begin = l[low-1]
	}
	return token.Position{Offset: offset, Line: line, Column: offset - begin + 1}
}

// worst keeps of each statement and name the use that means the most to the
// owner, at its first place; in order of their places.
func worst(uses []sqltext.Use) []sqltext.Use {
	type key struct {
		sqltext.Name
		statement int
	}
	var list []sqltext.Use
	seen := make(map[key]int)
	for _, u := range uses {
		k := key{u.Name, u.Statement}
		if i, ok := seen[k]; ok {
			list[i].Access = max(list[i].Access, u.Access)
			continue
		}
		seen[k] = len(list)
		list = append(list, u)
	}
	return list
}
