package edit

import (
	"bytes"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/fractl/fractl/internal/fault"
)

// SetPieces makes pieces the list of the fraction's pieces in a fractl.yaml.
// Items that stay keep their text, and the key goes away with the last of them.
// As with AddFraction, the text around is not written anew, the result is parsed
// again, and a text that defies this is an error with what to write.
func SetPieces(name string, data []byte, fraction string, pieces []string) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, yamlFault(name, err)
	}
	entry, line := entryOf(&doc, fraction)
	if entry == nil {
		return nil, fault.New(name, "has no fraction "+fraction, "")
	}
	paste := fault.At(name, line, "the pieces of "+fraction+" cannot be edited", "write 'pieces: ["+strings.Join(pieces, ", ")+"]' there")
	crlf := bytes.Contains(data, []byte("\r\n"))
	e := pieceEditor{lines: strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n"), entry: entry, want: pieces}
	if !e.edit() {
		return nil, paste
	}
	out := strings.Join(e.lines, "\n")
	if crlf {
		out = strings.ReplaceAll(out, "\n", "\r\n")
	}
	if !holdsPieces(data, []byte(out), fraction, pieces) {
		return nil, paste
	}
	return []byte(out), nil
}

// entryOf is the mapping of a fraction, and the line of its name.
func entryOf(doc *yaml.Node, fraction string) (*yaml.Node, int) {
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, 0
	}
	_, all := lookup(doc.Content[0], "fractions")
	if all == nil || all.Kind != yaml.MappingNode {
		return nil, 0
	}
	key, entry := lookup(all, fraction)
	if key == nil {
		return nil, 0
	}
	return entry, key.Line
}

// pieceEditor edits the list of one entry.
type pieceEditor struct {
	lines []string
	entry *yaml.Node
	want  []string
}

// edit reports whether it knew how.
func (e *pieceEditor) edit() bool {
	if e.entry.Kind != yaml.MappingNode || len(e.entry.Content) == 0 {
		return false
	}
	key, list := lookup(e.entry, "pieces")
	switch {
	case key == nil && len(e.want) == 0:
		return true
	case key == nil:
		return e.addKey()
	case list.Kind != yaml.SequenceNode:
		return false
	case len(e.want) == 0:
		return e.dropKey(key, list)
	case list.Style&yaml.FlowStyle != 0:
		return e.flow(list)
	}
	return e.block(list)
}

// addKey adds the key with the list at the end of the entry.
func (e *pieceEditor) addKey() bool {
	list := "pieces: [" + strings.Join(e.want, ", ") + "]"
	if e.entry.Style&yaml.FlowStyle != 0 {
		line, col, ok := closing(e.lines, e.entry.Line-1, e.entry.Column-1)
		if !ok || line != e.entry.Line-1 {
			return false
		}
		text := e.lines[line]
		before := strings.TrimRight(text[:col], " ")
		if strings.HasSuffix(before, ",") {
			return false
		}
		e.lines[line] = before + ", " + list + text[len(before):]
		return true
	}
	last := e.entry.Content[len(e.entry.Content)-1]
	if last.Kind != yaml.ScalarNode && last.Style&yaml.FlowStyle == 0 || last.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return false
	}
	line := last.Line
	if last.Kind != yaml.ScalarNode {
		end, _, ok := closing(e.lines, last.Line-1, last.Column-1)
		if !ok {
			return false
		}
		line = end + 1
	}
	e.lines = slices.Insert(e.lines, line, strings.Repeat(" ", e.entry.Content[0].Column-1)+list)
	return true
}

// dropKey removes the key with its list.
func (e *pieceEditor) dropKey(key, list *yaml.Node) bool {
	if e.entry.Style&yaml.FlowStyle == 0 {
		if len(e.entry.Content) == 2 {
			return false // an entry with nothing in it would be another thing
		}
		end := list.Line
		if list.Style&yaml.FlowStyle == 0 {
			end = list.Content[len(list.Content)-1].Line
		} else if line, _, ok := closing(e.lines, list.Line-1, list.Column-1); ok {
			end = line + 1
		}
		e.lines = slices.Delete(e.lines, key.Line-1, end)
		return true
	}
	line, col, ok := closing(e.lines, list.Line-1, list.Column-1)
	if !ok || line != key.Line-1 {
		return false
	}
	text := e.lines[line]
	before, after := strings.TrimRight(text[:key.Column-1], " "), text[col+1:]
	switch {
	case strings.HasSuffix(before, ","):
		before = strings.TrimSuffix(before, ",")
	case strings.HasPrefix(strings.TrimLeft(after, " "), ","):
		before, after = text[:key.Column-1], strings.TrimLeft(strings.TrimLeft(after, " ")[1:], " ")
	}
	e.lines[line] = before + after
	return true
}

// flow edits a list in brackets, on one line.
func (e *pieceEditor) flow(list *yaml.Node) bool {
	at := list.Line - 1
	line, end, ok := closing(e.lines, at, list.Column-1)
	if !ok || line != at {
		return false
	}
	text, begin := e.lines[at], list.Column
	inner := strings.Trim(text[begin:end], " ")
	lead, _, _ := strings.Cut(text[begin:end], inner)
	var items []string
	if inner != "" {
		items = strings.Split(inner, ",")
	}
	if len(items) != len(list.Content) {
		return false
	}
	trail := text[begin+len(lead)+len(inner) : end]
	step(values(list), e.want, func(i int) {
		items = slices.Delete(items, i, i+1)
		if i == 0 && len(items) > 0 {
			items[0] = strings.TrimLeft(items[0], " ")
		}
	}, func(i int, piece string) {
		if i == 0 && len(items) > 0 {
			items[0] = " " + items[0]
		} else if i > 0 {
			piece = " " + piece
		}
		items = slices.Insert(items, i, piece)
	})
	e.lines[at] = text[:begin] + lead + strings.Join(items, ",") + trail + text[end:]
	return true
}

// block edits a list that has a line for each item.
func (e *pieceEditor) block(list *yaml.Node) bool {
	var at []int // the lines of the items
	for _, item := range list.Content {
		at = append(at, item.Line-1)
	}
	dash := strings.Index(e.lines[at[0]], "-")
	if dash < 0 {
		return false
	}
	shift := func(from, by int) {
		for i := from; i < len(at); i++ {
			at[i] += by
		}
	}
	step(values(list), e.want, func(i int) {
		e.lines = slices.Delete(e.lines, at[i], at[i]+1)
		at = slices.Delete(at, i, i+1)
		shift(i, -1)
	}, func(i int, piece string) {
		line := 0
		if i < len(at) {
			line = at[i]
		} else if i > 0 {
			line = at[i-1] + 1
		}
		e.lines = slices.Insert(e.lines, line, e.lines[at[0]][:dash]+"- "+piece)
		shift(i, 1)
		at = slices.Insert(at, i, line)
	})
	return true
}

// step turns the list have into want, one insertion and removal at a time. What
// is in both stays where it is; their order has to be the same. New items come
// first, so that the list is never empty in between.
func step(have, want []string, remove func(i int), insert func(i int, s string)) {
	i := 0
	for _, w := range want {
		for i < len(have) && have[i] != w && !slices.Contains(want, have[i]) {
			i++
		}
		if i < len(have) && have[i] == w {
			i++
			continue
		}
		insert(i, w)
		have = slices.Insert(slices.Clone(have), i, w)
		i++
	}
	for i := len(have) - 1; i >= 0; i-- {
		if !slices.Contains(want, have[i]) {
			remove(i)
		}
	}
}

func values(list *yaml.Node) []string {
	var all []string
	for _, n := range list.Content {
		all = append(all, n.Value)
	}
	return all
}

// holdsPieces reports whether the fraction has these pieces in the new text, and
// everything else is as in the old one.
func holdsPieces(old, changed []byte, fraction string, pieces []string) bool {
	var before, after map[string]any
	if yaml.Unmarshal(old, &before) != nil || yaml.Unmarshal(changed, &after) != nil {
		return false
	}
	take := func(m map[string]any) any {
		all, _ := m["fractions"].(map[string]any)
		entry, _ := all[fraction].(map[string]any)
		list := entry["pieces"]
		delete(entry, "pieces")
		return list
	}
	take(before)
	var want any
	if len(pieces) > 0 {
		var list []any
		for _, p := range pieces {
			list = append(list, p)
		}
		want = list
	}
	return reflect.DeepEqual(take(after), want) && reflect.DeepEqual(before, after)
}
