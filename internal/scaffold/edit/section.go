package edit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/fractl/fractl/internal/fault"
)

// Section is a top-level key of a YAML file with its value and the comment right
// above it. The YAML tree says where sections stand; their text is moved as it
// is, and so is all that is around them.
type Section struct {
	// Key is the name.
	Key string
	// Text are the lines, without the final newline.
	Text string
	// Line is where the key stands, counted from 1.
	Line int
}

// Sections returns the sections of a file in their order. It refuses a file that
// has more than one document or that is no mapping in block style.
func Sections(name string, data []byte) ([]Section, error) {
	l, err := readLayout(name, data)
	if err != nil {
		return nil, err
	}
	var all []Section
	for i, s := range l.spans {
		all = append(all, Section{Key: l.keys[i].Value, Line: l.keys[i].Line,
			Text: strings.ReplaceAll(strings.Join(l.lines[s.first:s.end], "\n"), "\r", "")})
	}
	return all, nil
}

// AddTo returns data with the section before the first of those that are named
// in before and there, else after all that is there, with a blank line between.
// A section of that key is an error.
func (s Section) AddTo(name string, data []byte, before []string) ([]byte, error) {
	l, err := readLayout(name, data)
	if err != nil {
		return nil, err
	}
	at := len(l.lines)
	for i, key := range l.keys {
		if key.Value == s.Key {
			return nil, fault.At(name, key.Line, "has a section "+s.Key+" already", "rename or remove it; nothing was written")
		}
		if slices.Contains(before, key.Value) {
			at = min(at, l.spans[i].first)
		}
	}
	for at > 0 && strings.TrimSpace(l.lines[at-1]) == "" {
		at--
	}
	text := strings.Split(s.Text, "\n")
	if at > 0 {
		text = append([]string{""}, text...)
	} else {
		text = append(text, "") // the first of the file
		if len(l.keys) == 0 {
			text = text[:len(text)-1]
		}
	}
	if l.crlf {
		for i := range text {
			if at < len(l.lines) || i < len(text)-1 { // no line end at that of the file
				text[i] += "\r"
			}
		}
	}
	l.lines = slices.Insert(l.lines, at, text...)
	out := l.bytes()
	if !differ(data, out, s.Key) {
		return nil, fault.New(name, "cannot be added to without breaking it", "add the section "+s.Key+" by hand")
	}
	return out, nil
}

// RemoveFrom returns data without the section of that key and the blank line
// before it: what AddTo has added is gone to the byte. Without such a section
// data comes back.
func (s Section) RemoveFrom(name string, data []byte) ([]byte, error) {
	l, err := readLayout(name, data)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(l.keys, func(k *yaml.Node) bool { return k.Value == s.Key })
	if i < 0 {
		return data, nil
	}
	at := l.spans[i]
	switch {
	case at.first > 0 && strings.TrimSpace(l.lines[at.first-1]) == "":
		at.first--
	case at.first == 0 && len(l.keys) > 1 && at.end < len(l.lines) && strings.TrimSpace(l.lines[at.end]) == "":
		at.end++
	}
	l.lines = slices.Delete(l.lines, at.first, at.end)
	out := l.bytes()
	if !differ(out, data, s.Key) {
		return nil, fault.At(name, l.keys[i].Line, "the section "+s.Key+" cannot be removed without breaking the rest", "remove it by hand first")
	}
	return out, nil
}

// layout is a YAML file as lines and the sections among them.
type layout struct {
	lines []string // with their CR
	crlf  bool     // where any has one
	keys  []*yaml.Node
	spans []span
}

// span are the lines from first up to, and without, end.
type span struct{ first, end int }

func readLayout(name string, data []byte) (*layout, error) {
	l := &layout{crlf: bytes.Contains(data, []byte("\r\n")), lines: strings.Split(string(data), "\n")}
	for i, line := range l.lines {
		// YAML ends lines at these too, which no editor shows.
		if strings.ContainsAny(strings.TrimSuffix(line, "\r"), "\r\u0085\u2028\u2029") || i == len(l.lines)-1 && strings.HasSuffix(line, "\r") {
			return nil, fault.At(name, i+1, "holds a line end that is neither LF nor CR LF", "save it with one of these")
		}
	}
	var doc, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return l, nil // nothing but comments
	case err != nil:
		return nil, yamlFault(name, err)
	}
	if err := dec.Decode(&more); err == nil {
		return nil, fault.At(name, more.Line, "a second YAML document", "keep one document in the file")
	} else if !errors.Is(err, io.EOF) {
		return nil, yamlFault(name, err)
	}
	root := doc.Content[0]
	if root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null" && l.bare() {
		return l, nil
	}
	if root.Kind != yaml.MappingNode || root.Style&yaml.FlowStyle != 0 || root.Column != 1 {
		return nil, fault.At(name, root.Line, "is not a mapping of sections", "write 'section:' lines that begin at the margin")
	}
	for i := 0; i < len(root.Content); i += 2 {
		l.keys = append(l.keys, root.Content[i])
	}
	for i, key := range l.keys {
		s := span{first: key.Line - 1}
		for s.first > 0 && strings.HasPrefix(l.lines[s.first-1], "#") {
			s.first--
		}
		next := len(l.lines)
		if i+1 < len(l.keys) {
			next = l.keys[i+1].Line - 1
		}
		s.end = key.Line
		for n := key.Line; n < next; n++ {
			if text := l.lines[n]; strings.TrimSpace(text) != "" && text[0] != '#' {
				s.end = n + 1
			}
		}
		l.spans = append(l.spans, s)
	}
	return l, nil
}

// bare reports whether there is nothing but comments.
func (l *layout) bare() bool {
	return !slices.ContainsFunc(l.lines, func(line string) bool {
		text := strings.TrimSpace(line)
		return text != "" && text != "---" && text[0] != '#'
	})
}

func (l *layout) bytes() []byte { return []byte(strings.Join(l.lines, "\n")) }

// differ reports whether with holds what without does, and key on top.
func differ(without, with []byte, key string) bool {
	var less, more map[string]any
	if yaml.Unmarshal(without, &less) != nil || yaml.Unmarshal(with, &more) != nil {
		return false
	}
	if _, ok := more[key]; !ok {
		return false
	}
	delete(more, key)
	return len(less) == 0 && len(more) == 0 || reflect.DeepEqual(less, more)
}

// yamlFault turns "yaml: line 3: …" into "NAME:3: …".
func yamlFault(name string, err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if n, _ := fmt.Sscanf(text, "line %d:", &line); n == 1 {
		_, text, _ = strings.Cut(text, ": ")
	}
	return fault.At(name, line, text, "mend it first")
}
