package lsp

import (
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"unicode/utf8"
)

// pathOf is the file of a URI, or "" where it is none on this machine.
func pathOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "file" {
		return ""
	}
	p := u.Path
	if runtime.GOOS == "windows" {
		p = strings.TrimPrefix(p, "/")
	}
	if p == "" {
		return ""
	}
	return filepath.Clean(filepath.FromSlash(p))
}

// uriOf is the URI of a file.
func uriOf(path string) string {
	p := filepath.ToSlash(path)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p
	}
	return (&url.URL{Scheme: "file", Path: p}).String()
}

// lines indexes a text by line.
type lines struct {
	text  []byte
	start []int
	// bytes: columns count bytes and not UTF-16 units.
	bytes bool
}

func newLines(text []byte, bytes bool) *lines {
	l := &lines{text: text, start: []int{0}, bytes: bytes}
	for i, c := range text {
		if c == '\n' {
			l.start = append(l.start, i+1)
		}
	}
	return l
}

// line is the text of a line from 0, without its end.
func (l *lines) line(n int) []byte {
	if n < 0 || n >= len(l.start) {
		return nil
	}
	end := len(l.text)
	if n+1 < len(l.start) {
		end = l.start[n+1] - 1
	}
	return l.text[l.start[n]:end]
}

// at is the position of a line and a column in bytes, both from 1.
func (l *lines) at(line, column int) position {
	if line < 1 {
		return position{}
	}
	text := l.line(line - 1)
	return position{line - 1, l.units(text[:min(max(column-1, 0), len(text))])}
}

// atOffset is the position of an offset.
func (l *lines) atOffset(offset int) position {
	offset = min(max(offset, 0), len(l.text))
	n := len(l.start) - 1
	for low, high := 0, len(l.start)-1; low <= high; {
		mid := (low + high) / 2
		if l.start[mid] <= offset {
			n, low = mid, mid+1
		} else {
			high = mid - 1
		}
	}
	return position{n, l.units(l.text[l.start[n]:offset])}
}

// offset is the offset of a position; one behind the end of its line is at the
// end.
func (l *lines) offset(p position) int {
	if p.Line < 0 {
		return 0
	}
	if p.Line >= len(l.start) {
		return len(l.text)
	}
	text := l.line(p.Line)
	at, units := 0, 0
	for at < len(text) && units < p.Character {
		r, n := utf8.DecodeRune(text[at:])
		switch {
		case l.bytes:
			units += n
		case r >= 0x10000:
			units += 2
		default:
			units++
		}
		at += n
	}
	return l.start[p.Line] + at
}

// units is the length of a part of a line.
func (l *lines) units(text []byte) int {
	if l.bytes {
		return len(text)
	}
	n := 0
	for _, r := range string(text) {
		n++
		if r >= 0x10000 {
			n++
		}
	}
	return n
}

// change applies the changes of an editor to a text, one after the other.
func change(text []byte, changes []contentChange, bytes bool) []byte {
	for _, c := range changes {
		if c.Range == nil {
			text = []byte(c.Text)
			continue
		}
		l := newLines(text, bytes)
		from, to := l.offset(c.Range.Start), l.offset(c.Range.End)
		if to < from {
			from, to = to, from
		}
		next := make([]byte, 0, len(text)+len(c.Text))
		next = append(next, text[:from]...)
		next = append(next, c.Text...)
		text = append(next, text[to:]...)
	}
	return text
}
