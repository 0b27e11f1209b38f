package settings

import (
	"encoding"
	"fmt"
	"iter"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// field is a key with the value that it stands for.
type field struct {
	key  string // full: http.addr, routes[0].path; "" for the root
	name string // its last part
	tags
	kind   kind
	value  reflect.Value // settable
	fields []*field      // of a section, in the order of the struct
	inline []reflect.Value
}

// tags are what the struct says of a field beside its name. The elements of
// slices and maps have those of the whole.
type tags struct {
	doc     string
	enum    []string
	literal bool
}

type kind int

const (
	scalar kind = iota
	section
	list
	dict
)

// maxDepth bounds the nesting, so that a struct that contains slices of itself
// is an error and no endless loop.
const maxDepth = 16

var (
	durationType = reflect.TypeFor[time.Duration]()
	sizeType     = reflect.TypeFor[Size]()
	secretType   = reflect.TypeFor[Secret]()
	unmarshaler  = reflect.TypeFor[encoding.TextUnmarshaler]()
	marshaler    = reflect.TypeFor[encoding.TextMarshaler]()
)

// keyName is what a name may look like, so that keys can be joined with dots
// and turned into variables.
var keyName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)

// describe returns the root section of the struct that cfg points to. Its errors
// are mistakes in the type.
func describe(cfg any) (*field, error) {
	v, err := pointee(cfg)
	if err != nil {
		return nil, err
	}
	root := &field{value: v}
	return root, root.describe(0)
}

// describe fills in kind and fields from the type of the value.
func (f *field) describe(depth int) error {
	t := f.value.Type()
	if depth > maxDepth {
		return fmt.Errorf("settings: %s: %s is nested too deeply", f.key, t)
	}
	switch {
	case isScalar(t):
		f.kind = scalar
		return nil
	case t.Kind() == reflect.Struct:
		f.kind = section
		return f.describeStruct(f.value, depth)
	case t.Kind() == reflect.Slice:
		f.kind = list
	case t.Kind() == reflect.Map && t.Key().Kind() == reflect.String:
		f.kind = dict
	default:
		return fmt.Errorf("settings: %s: the type %s cannot be set", f.key, t)
	}
	// An element of a kind that cannot be set is found now, not when one comes.
	return f.element("[]", reflect.New(t.Elem()).Elem()).describe(depth + 1)
}

func (f *field) describeStruct(v reflect.Value, depth int) error {
	t := v.Type()
	for i := range t.NumField() {
		sf := t.Field(i)
		name, opts, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		if !sf.IsExported() || name == "-" {
			continue
		}
		if opts == "inline" {
			if sf.Type.Kind() != reflect.Struct {
				return fmt.Errorf("settings: field %s of %s: only a struct can be inline", sf.Name, t)
			}
			f.inline = append(f.inline, v.Field(i))
			if err := f.describeStruct(v.Field(i), depth+1); err != nil {
				return err
			}
			continue
		}
		if name == "" {
			name = strings.ToLower(sf.Name)
		}
		if !keyName.MatchString(name) {
			return fmt.Errorf("settings: field %s of %s: %q is not a key", sf.Name, t, name)
		}
		if f.field(name) != nil {
			return fmt.Errorf("settings: field %s of %s: the key %s is there already", sf.Name, t, name)
		}
		sub := &field{key: join(f.key, name), name: name, value: v.Field(i), tags: tags{
			doc:     sf.Tag.Get("doc"),
			literal: sf.Tag.Get("secret") == "literal",
		}}
		if enum := sf.Tag.Get("enum"); enum != "" {
			sub.enum = strings.Split(enum, ",")
		}
		if err := sub.describe(depth + 1); err != nil {
			return err
		}
		f.fields = append(f.fields, sub)
	}
	return nil
}

// isScalar tells whether values of the type are written as one text.
func isScalar(t reflect.Type) bool {
	if t == secretType || isText(t) {
		return true
	}
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return true
	}
	return false
}

// isText tells whether values of the type turn into text and back by themselves.
func isText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(unmarshaler) && t.Implements(marshaler)
}

// element returns the field for a value inside a list or dict. It still has to
// be described.
func (f *field) element(index string, v reflect.Value) *field {
	return &field{key: f.key + index, name: f.name, tags: f.tags, value: v}
}

// field returns the field of a section with the name, or nil.
func (f *field) field(name string) *field {
	for _, sub := range f.fields {
		if sub.name == name {
			return sub
		}
	}
	return nil
}

// names are those of a section's fields.
func (f *field) names() []string {
	var names []string
	for _, sub := range f.fields {
		names = append(names, sub.name)
	}
	return names
}

// all yields every field below a section, sections before what is in them.
func (f *field) all() iter.Seq[*field] {
	return func(yield func(*field) bool) {
		for _, sub := range f.fields {
			if !yield(sub) {
				return
			}
			for below := range sub.all() {
				if !yield(below) {
					return
				}
			}
		}
	}
}

// variable is the name of the field's environment variable: AUTH_HTTP_ADDR.
func (f *field) variable(prefix string) string {
	var b strings.Builder
	b.WriteString(prefix + "_")
	lower := false
	for _, r := range f.key {
		switch {
		case r == '.' || r == '-':
			r = '_'
		case unicode.IsUpper(r) && lower: // readTimeout
			b.WriteByte('_')
		}
		lower = unicode.IsLower(r) || unicode.IsDigit(r)
		b.WriteRune(unicode.ToUpper(r))
	}
	return b.String()
}

func join(section, name string) string {
	if section == "" {
		return name
	}
	return section + "." + name
}

// indexOf is the index of a list's element as it stands in a key.
func indexOf(i int) string { return "[" + strconv.Itoa(i) + "]" }
