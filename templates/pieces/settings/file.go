package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds the size of the file: larger is a wrong path.
const maxFile = 1 * MiB

// readFile applies the file.
func (l *loader) readFile() {
	path := l.src.File
	if path == "" {
		return
	}
	f, err := os.Open(path)
	if err != nil {
		l.fault(cannotRead(path, err))
		return
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, int64(maxFile)+1))
	switch {
	case err != nil:
		l.fault(cannotRead(path, err))
	case len(data) > int(maxFile):
		l.fault(&Error{Where: path, Fact: fmt.Sprintf("larger than %s", maxFile)})
	default:
		l.readYAML(data)
	}
}

// readYAML applies the content of the file, which has at most one document.
func (l *loader) readYAML(data []byte) {
	if line := badByte(data); line > 0 {
		l.faultAt(line, "", "not text in UTF-8", "")
		return
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return // nothing but comments
	} else if err != nil {
		l.faultSyntax(err, data)
		return
	}
	if err := dec.Decode(&second); err == nil {
		l.faultAt(max(second.Line, 1), "", "a second document", "keep one, and remove the line ---")
		return
	} else if !errors.Is(err, io.EOF) {
		l.faultSyntax(err, data)
		return
	}
	l.origins[l.root.key] = l.at(doc.Content[0].Line)
	l.setNode(l.root, doc.Content[0])
}

func (l *loader) faultAt(line int, key, fact, hint string) {
	l.fault(&Error{Where: l.at(line).where(), Key: key, Fact: fact, Hint: hint})
}

func (l *loader) at(line int) origin {
	return origin{layer: byFile, name: l.src.File, line: line}
}

// badByte returns the line of the first byte that is no text, or 0.
func badByte(data []byte) int {
	for rest := data; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		if r == utf8.RuneError && n == 1 || r < ' ' && !strings.ContainsRune("\n\r\t", r) {
			return 1 + lineBreaks(data[:len(data)-len(rest)])
		}
		rest = rest[n:]
	}
	return 0
}

// lineBreak is what counts as one to YAML.
var lineBreak = regexp.MustCompile("\r\n|[\r\n\u0085\u2028\u2029]")

func lineBreaks(data []byte) int { return len(lineBreak.FindAllIndex(data, -1)) }

var (
	syntaxError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)
	// The YAML parser counts the lines of these from 0, those of all others from 1.
	fromZero = regexp.MustCompile(`^did not find expected (?:<|node content|'-' indicator|key|',' or )|^found (?:duplicate %|incompatible|undefined)`)
	// For these it gives the line on which the block begins, not the wrong one.
	startOfBlock  = regexp.MustCompile(`^did not find expected (?:'-' indicator|key)`)
	unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
)

// faultSyntax reports an error of the YAML parser, which has its line, if any,
// in the text.
func (l *loader) faultSyntax(err error, data []byte) {
	m := syntaxError.FindStringSubmatch(err.Error())
	if m == nil {
		l.faultAt(1, "", err.Error(), "")
		return
	}
	line, _ := strconv.Atoi(m[1]) // 0 where there is none
	if line > 0 && fromZero.MatchString(m[2]) {
		line++
	}
	if startOfBlock.MatchString(m[2]) {
		line = firstWith(m[2], data)
	}
	if a := unknownAnchor.FindStringSubmatch(m[2]); a != nil {
		before, _, _ := bytes.Cut(data, []byte("*"+a[1]))
		line = 1 + lineBreaks(before)
	}
	last := 1 + lineBreaks(bytes.TrimRight(data, "\r\n"))
	l.faultAt(min(max(line, 1), last), "", m[2], "")
}

// firstWith returns the line from which on the parser says so.
func firstWith(fact string, data []byte) int {
	lines := bytes.SplitAfter(data, []byte("\n"))
	return 1 + sort.Search(len(lines)-1, func(i int) bool {
		var n yaml.Node
		err := yaml.Unmarshal(bytes.Join(lines[:i+1], nil), &n)
		return err != nil && strings.HasSuffix(err.Error(), fact)
	})
}

// setNode sets a field from its value in the file.
func (l *loader) setNode(f *field, n *yaml.Node) {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		l.faultAt(n.Line, f.key, "anchors and aliases are not supported", "write the value out")
		return
	case n.Style&yaml.TaggedStyle != 0:
		l.faultAt(n.Line, f.key, "tags are not supported", "leave out "+n.Tag)
		return
	}
	switch f.kind {
	case section:
		l.setSection(f, n)
	case list:
		l.setList(f, n)
	case dict:
		l.setDict(f, n)
	default:
		l.setScalar(f, n)
	}
}

// setSection sets the fields that the node names. A section without content is
// what remains when all its lines are comments, and changes nothing.
func (l *loader) setSection(f *field, n *yaml.Node) {
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		l.faultAt(n.Line, f.key, "a section is expected, not "+describeNode(n), "its keys: "+strings.Join(f.names(), ", "))
		return
	}
	for key, value := range l.pairs(f, n) {
		sub := f.field(key.Value)
		if sub == nil {
			l.faultAt(key.Line, join(f.key, key.Value), "unknown key", l.hintKey(f, key.Value))
			continue
		}
		l.origins[sub.key] = l.at(key.Line)
		l.setNode(sub, value)
	}
}

// pairs yields the keys and values of a mapping, without those that are wrong.
func (l *loader) pairs(f *field, n *yaml.Node) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		first := make(map[string]int)
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			switch {
			case key.Kind != yaml.ScalarNode || key.Anchor != "" || key.ShortTag() == "!!merge":
				l.faultAt(key.Line, f.key, "a key must be a plain name", "write the keys out")
				continue
			case first[key.Value] > 0:
				l.faultAt(key.Line, join(f.key, key.Value), "set twice", fmt.Sprintf("it is on line %d already", first[key.Value]))
				continue
			}
			first[key.Value] = key.Line
			if !yield(key, n.Content[i+1]) {
				return
			}
		}
	}
}

// hintKey says which key of the section may have been meant, or of another one,
// where the line has been indented wrongly.
func (l *loader) hintKey(f *field, name string) string {
	if near := nearest(name, f.names()); near != "" {
		return "did you mean " + join(f.key, near) + "?"
	}
	for other := range l.root.all() {
		if other.name == name {
			return "did you mean " + other.key + "?"
		}
	}
	return "known here: " + strings.Join(f.names(), ", ")
}

func (l *loader) setList(f *field, n *yaml.Node) {
	if n.Kind != yaml.SequenceNode {
		l.faultAt(n.Line, f.key, "a list is expected, not "+describeNode(n), "write [] for none")
		return
	}
	l.forget(f.key)
	values := reflect.MakeSlice(f.value.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		l.setElement(f.element(indexOf(i), values.Index(i)), item)
	}
	f.value.Set(values)
}

func (l *loader) setDict(f *field, n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		l.faultAt(n.Line, f.key, "a map is expected, not "+describeNode(n), "write {} for none")
		return
	}
	l.forget(f.key)
	t := f.value.Type()
	values := reflect.MakeMap(t)
	for key, item := range l.pairs(f, n) {
		value := reflect.New(t.Elem()).Elem()
		l.setElement(f.element("."+key.Value, value), item)
		values.SetMapIndex(reflect.ValueOf(key.Value).Convert(t.Key()), value)
	}
	f.value.Set(values)
}

func (l *loader) setElement(f *field, n *yaml.Node) {
	// The type has been described before, with the list or dict.
	if err := f.describe(0); err != nil {
		l.faultAt(n.Line, f.key, err.Error(), "")
		return
	}
	l.origins[f.key] = l.at(n.Line)
	l.setNode(f, n)
}

// setScalar sets a single value. A text that YAML takes for something else is
// refused rather than guessed at.
func (l *loader) setScalar(f *field, n *yaml.Node) {
	if n.Kind != yaml.ScalarNode {
		l.faultAt(n.Line, f.key, "a single value is expected, not "+describeNode(n), "")
		return
	}
	if isNull(n) {
		l.faultAt(n.Line, f.key, "has no value", `leave out the key, or write "" for an empty text`)
		return
	}
	t := f.value.Type()
	tag := n.ShortTag()
	switch {
	case t != secretType && isText(t), t == durationType:
	case t.Kind() == reflect.String || t == secretType:
		if tag == "!!int" || tag == "!!float" || tag == "!!bool" {
			l.faultAt(n.Line, f.key, "a text is expected, not "+describeNode(n), "put it in quotes")
			return
		}
	case tag == "!!str" && n.Style != 0 && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		l.faultAt(n.Line, f.key, fmt.Sprintf("a %s is expected, not a text", describeType(t)), "leave out the quotes")
		return
	}
	l.setText(f, n.Value, l.at(n.Line))
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// describeNode says what stands in the file. It does not show texts, which might
// be secrets in the wrong place.
func describeNode(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a map"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!int", "!!float":
		return "the number " + n.Value
	case "!!bool":
		return "the boolean " + n.Value
	case "!!null":
		return "nothing"
	}
	return "a text"
}

func describeType(t reflect.Type) string {
	if t.Kind() == reflect.Bool {
		return "boolean"
	}
	return "number"
}
