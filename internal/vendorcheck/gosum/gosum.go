// Package gosum reads go.sum and go.work.sum files.
package gosum

import (
	"strings"

	"golang.org/x/mod/module"
)

// Sums are the hashes of one or several files. It is not safe for concurrent
// changes.
type Sums map[module.Version][]Sum

// Sum is the hash in one line.
type Sum struct {
	H1   string // "h1:…"
	File string // as given to Read
	Line int
}

// Read adds the lines of a file. As the go command does, it takes lines of three
// words and leaves empty ones out; other lines are returned as malformed.
func (s Sums) Read(file string, data []byte) (malformed []int) {
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if len(f) != 3 {
			malformed = append(malformed, n)
			continue
		}
		mod := module.Version{Path: f[0], Version: f[1]}
		s[mod] = append(s[mod], Sum{f[2], file, n})
	}
	return malformed
}

// Of returns the hashes of a module's content: more than one where files, or
// lines, do not agree.
func (s Sums) Of(m module.Version) []Sum { return s.h1(m) }

// OfMod returns the hashes of a module's go.mod.
func (s Sums) OfMod(m module.Version) []Sum {
	return s.h1(module.Version{Path: m.Path, Version: m.Version + "/go.mod"})
}

func (s Sums) h1(m module.Version) (list []Sum) {
	seen := make(map[string]bool)
	for _, sum := range s[m] {
		if strings.HasPrefix(sum.H1, "h1:") && !seen[sum.H1] {
			seen[sum.H1] = true
			list = append(list, sum)
		}
	}
	return list
}
