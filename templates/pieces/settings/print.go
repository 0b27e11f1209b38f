package settings

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Print writes the settings in effect as YAML, each with its origin as a
// trailing comment. Loading the output gives the same settings again, but for
// the secrets: one that was given by reference is shown as that, any other as
// [redacted].
func (l *Loaded) Print(w io.Writer) error {
	_, err := w.Write(l.effective)
	return err
}

// render is the text that Print writes.
func (l *loader) render() ([]byte, error) {
	n, err := l.node(l.root, origin{})
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	enc := yaml.NewEncoder(&buf)
	enc.SetIndent(2)
	if err := enc.Encode(n); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	if err := enc.Close(); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	return buf.Bytes(), nil
}

// node returns the YAML of a field's value, which came from o.
func (l *loader) node(f *field, o origin) (*yaml.Node, error) {
	n := &yaml.Node{}
	switch f.kind {
	case section:
		n.Kind = yaml.MappingNode
		for _, sub := range f.fields {
			if err := l.appendNode(n, sub.name, sub, l.origins[sub.key]); err != nil {
				return nil, err
			}
		}
		if len(f.fields) == 0 {
			n.Style = yaml.FlowStyle
		}
		return n, nil
	case dict:
		n.Kind = yaml.MappingNode
	case list:
		n.Kind = yaml.SequenceNode
	default:
		n.LineComment = o.String()
		return n, f.scalarNode(n)
	}

	for _, e := range f.elements() {
		from, ok := l.origins[e.key]
		if !ok {
			from = o
		}
		if err := l.appendNode(n, e.name, e, from); err != nil {
			return nil, err
		}
	}
	if len(n.Content) == 0 || f.kind == list && isScalar(f.value.Type().Elem()) {
		// On one line, with one comment.
		n.Style = yaml.FlowStyle
		n.LineComment = o.String()
		for _, item := range n.Content {
			item.LineComment = ""
		}
	}
	return n, nil
}

// appendNode adds an item to a sequence, or a key and its value to a mapping.
func (l *loader) appendNode(to *yaml.Node, name string, f *field, o origin) error {
	n, err := l.node(f, o)
	if err != nil {
		return err
	}
	if to.Kind == yaml.MappingNode {
		to.Content = append(to.Content, textNode(name))
	}
	to.Content = append(to.Content, n)
	return nil
}

func (f *field) scalarNode(n *yaml.Node) error {
	if f.value.Type() == secretType {
		comment := n.LineComment
		*n = *textNode(f.value.Interface().(Secret).shown())
		n.LineComment = comment
		return nil
	}
	text, err := f.text()
	if err != nil {
		return err
	}
	n.Kind, n.Value = yaml.ScalarNode, text
	if f.isString() {
		comment := n.LineComment
		*n = *textNode(text)
		n.LineComment = comment
	}
	return nil
}

// isString tells whether the value of a scalar is a text in YAML.
func (f *field) isString() bool {
	t := f.value.Type()
	return t.Kind() == reflect.String || t == durationType || isText(t)
}

// textNode is a text that is read back as a text.
func textNode(text string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(text)
	if n.Style != 0 { // a block, which has no place for a comment
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

func sortedKeys(m reflect.Value) []reflect.Value {
	keys := m.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) })
	return keys
}
