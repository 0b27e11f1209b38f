package edit

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/fractl/fractl/internal/fault"
)

// Fraction is an entry of the manifest.
type Fraction struct {
	Name, Dir, Kind string
	Pieces          []string
}

// AddFraction appends an entry to the mapping fractions of a fractl.yaml. The
// YAML tree says where it belongs; the text around it is not written anew, for
// no YAML writer gives back the blank lines and spacing that a person chose. The
// result is parsed again and has to hold what was there and the entry, nothing
// else; a text that defies this is an error with the lines to paste.
func AddFraction(name string, data []byte, f Fraction) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fault.New(name, strings.TrimPrefix(err.Error(), "yaml: "), "")
	}
	paste := fault.New(name, "its fractions cannot be added to", "add to fractions: '"+f.Name+": "+f.flow()+"'")
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode || doc.Content[0].Style&yaml.FlowStyle != 0 {
		return nil, paste
	}
	crlf := bytes.Contains(data, []byte("\r\n"))
	lines := strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n")
	key, val := lookup(doc.Content[0], "fractions")
	switch {
	case key == nil:
		lines = appendEntry(lines, "fractions:", "  "+f.Name+": "+f.flow())
	case val.Kind == yaml.MappingNode && len(val.Content) > 0 && val.Style&yaml.FlowStyle == 0:
		lines = f.intoBlock(lines, key, val)
	case val.Kind == yaml.MappingNode && len(val.Content) > 0:
		lines = f.intoFlow(lines, val)
	case val.Kind == yaml.MappingNode || val.Tag == "!!null":
		lines = f.intoEmpty(lines, key, val)
	default:
		return nil, paste
	}
	out := strings.Join(lines, "\n")
	if crlf {
		out = strings.ReplaceAll(out, "\n", "\r\n")
	}
	if lines == nil || !f.added(data, []byte(out)) {
		return nil, paste
	}
	return []byte(out), nil
}

// intoBlock puts the entry after the last one, in the style of that one.
func (f Fraction) intoBlock(lines []string, key, val *yaml.Node) []string {
	last := val.Content[len(val.Content)-1]
	indent := strings.Repeat(" ", val.Content[0].Column-1)
	entry := []string{indent + f.Name + ": " + f.flow()}
	if last.Kind == yaml.MappingNode && last.Style&yaml.FlowStyle == 0 && len(last.Content) > 0 {
		inner := strings.Repeat(" ", last.Content[0].Column-1)
		entry = []string{indent + f.Name + ":", inner + "dir: " + scalar(f.Dir), inner + "kind: " + scalar(f.Kind)}
		if len(f.Pieces) > 0 {
			entry = append(entry, inner+"pieces: ["+strings.Join(f.Pieces, ", ")+"]")
		}
	}
	// The mapping goes on to the last line that is indented deeper than its
	// key; comments and blank lines after that belong to what follows.
	end := val.Content[len(val.Content)-2].Line // the line of the last name, counted from 1
	for i := end; i < len(lines); i++ {
		text := strings.TrimLeft(lines[i], " ")
		depth := len(lines[i]) - len(text)
		switch {
		case text == "" || strings.HasPrefix(text, "#") && depth < len(indent):
			continue
		case depth < len(indent) || depth <= key.Column-1:
			return insert(lines, end, entry)
		}
		end = i + 1
	}
	return insert(lines, end, entry)
}

// intoFlow puts the entry before the brace that closes the mapping.
func (f Fraction) intoFlow(lines []string, val *yaml.Node) []string {
	line, col, ok := closing(lines, val.Line-1, val.Column-1)
	if !ok {
		return nil
	}
	text := lines[line]
	before := strings.TrimRight(text[:col], " ")
	sep := ", "
	switch {
	case before == "": // the brace stands on a line of its own
		return f.beforeBrace(lines, line)
	case strings.HasSuffix(before, ","):
		sep = " "
	}
	lines[line] = before + sep + f.Name + ": " + f.flow() + text[col:]
	return lines
}

// beforeBrace adds a line to a flow mapping that is written one entry a line.
func (f Fraction) beforeBrace(lines []string, brace int) []string {
	prev := brace - 1
	for prev > 0 && (strings.TrimSpace(lines[prev]) == "" || strings.HasPrefix(strings.TrimSpace(lines[prev]), "#")) {
		prev--
	}
	text := strings.TrimRight(lines[prev], " ")
	indent := text[:len(text)-len(strings.TrimLeft(text, " "))]
	if strings.Contains(text, "#") {
		return nil // a comma would have to go before a comment
	}
	if !strings.HasSuffix(text, ",") {
		lines[prev] = text + ","
	}
	return insert(lines, brace, []string{indent + f.Name + ": " + f.flow() + ","})
}

// intoEmpty replaces an empty value by a block with the entry.
func (f Fraction) intoEmpty(lines []string, key, val *yaml.Node) []string {
	at := key.Line - 1
	text := lines[at]
	rest := ""
	if val.Kind == yaml.MappingNode {
		line, col, ok := closing(lines, val.Line-1, val.Column-1)
		if !ok || line != at {
			return nil
		}
		rest = text[col+1:]
		text = text[:val.Column-1]
	} else if i := strings.Index(text, ":"); i >= 0 {
		rest = strings.TrimPrefix(strings.TrimLeft(text[i+1:], " "), val.Value)
		text = text[:i+1]
	}
	text = strings.TrimRight(text, " ")
	if rest = strings.TrimSpace(rest); rest != "" {
		text += " " + rest
	}
	lines[at] = text
	indent := strings.Repeat(" ", key.Column-1+2)
	return insert(lines, at+1, []string{indent + f.Name + ": " + f.flow()})
}

// added reports whether the new text holds what the old one did, and f.
func (f Fraction) added(old, changed []byte) bool {
	var before, after map[string]any
	if yaml.Unmarshal(old, &before) != nil || yaml.Unmarshal(changed, &after) != nil {
		return false
	}
	all, ok := after["fractions"].(map[string]any)
	if !ok {
		return false
	}
	want := map[string]any{"dir": f.Dir, "kind": f.Kind}
	if len(f.Pieces) > 0 {
		var pieces []any
		for _, p := range f.Pieces {
			pieces = append(pieces, p)
		}
		want["pieces"] = pieces
	}
	if !reflect.DeepEqual(all[f.Name], any(want)) {
		return false
	}
	delete(all, f.Name)
	if len(all) == 0 {
		delete(after, "fractions")
		if m, ok := before["fractions"].(map[string]any); ok && len(m) > 0 {
			return false
		}
		delete(before, "fractions")
	}
	return reflect.DeepEqual(before, after)
}

// flow is the entry's value on one line.
func (f Fraction) flow() string {
	s := fmt.Sprintf("{dir: %s, kind: %s", scalar(f.Dir), scalar(f.Kind))
	if len(f.Pieces) > 0 {
		s += ", pieces: [" + strings.Join(f.Pieces, ", ") + "]"
	}
	return s + "}"
}

// scalar writes a text as YAML does, quoted where it has to be. It always fits
// into a flow mapping.
func scalar(s string) string {
	if strings.ContainsAny(s, ",[]{}") {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	out, err := yaml.Marshal(s)
	if err != nil {
		return "'" + s + "'"
	}
	return strings.TrimSpace(string(out))
}

// lookup finds a key of a mapping.
func lookup(m *yaml.Node, name string) (key, val *yaml.Node) {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == name {
			return m.Content[i], m.Content[i+1]
		}
	}
	return nil, nil
}

// closing finds the brace that closes the one at line and col, past quoted
// texts and comments.
func closing(lines []string, line, col int) (int, int, bool) {
	depth := 0
	var quote byte
	for ; line < len(lines); line, col = line+1, 0 {
		text := lines[line]
		for ; col < len(text); col++ {
			c := text[col]
			switch {
			case quote == '"' && c == '\\':
				col++
			case quote != 0:
				if c == quote {
					quote = 0 // a doubled quote opens again at once
				}
			case c == '"' || c == '\'':
				quote = c
			case c == '#' && (col == 0 || text[col-1] == ' '):
				col = len(text)
			case c == '{' || c == '[':
				depth++
			case c == '}' || c == ']':
				if depth--; depth == 0 {
					return line, col, true
				}
			}
		}
	}
	return 0, 0, false
}

// appendEntry adds lines at the end of a text, after a blank one.
func appendEntry(lines []string, entry ...string) []string {
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	if len(lines) > 0 {
		lines = append(lines, "")
	}
	return append(append(lines, entry...), "")
}

// insert puts entry before line number at, counted from 0.
func insert(lines []string, at int, entry []string) []string {
	out := append([]string{}, lines[:at]...)
	out = append(out, entry...)
	if at == len(lines) {
		return append(out, "") // the text had no final newline
	}
	return append(out, lines[at:]...)
}
