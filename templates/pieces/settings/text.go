package settings

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// setText sets a field from one text, as variables and flags give it.
func (l *loader) setText(f *field, text string, o origin) {
	if err := l.trySetText(f, text, o); err != nil {
		err.Where, err.Key = o.where(), f.key
		l.fault(err)
		return
	}
	l.origins[f.key] = o
}

func (l *loader) trySetText(f *field, text string, o origin) *Error {
	if !utf8.ValidString(text) {
		return &Error{Fact: "not text in UTF-8"}
	}
	t := f.value.Type()
	switch {
	case f.kind == section:
		return &Error{Fact: "a section has no value", Hint: "its keys: " + strings.Join(f.names(), ", ")}
	case f.kind == scalar && t == secretType:
		return l.setSecret(f, text, o)
	case f.kind == scalar:
		return f.parse(text)
	case !isScalar(t.Elem()):
		return &Error{Fact: "can be given in the file only"}
	}

	l.forget(f.key)
	var items []string
	if text != "" {
		items = strings.Split(text, ",")
	}
	if f.kind == list {
		return l.setItems(f, items, o)
	}
	return l.setEntries(f, items, o)
}

func (l *loader) setItems(f *field, items []string, o origin) *Error {
	values := reflect.MakeSlice(f.value.Type(), len(items), len(items))
	for i, item := range items {
		e := f.element(indexOf(i), values.Index(i))
		if err := l.trySetText(e, strings.TrimSpace(item), o); err != nil {
			return err
		}
		l.origins[e.key] = o
	}
	f.value.Set(values)
	return nil
}

func (l *loader) setEntries(f *field, items []string, o origin) *Error {
	t := f.value.Type()
	values := reflect.MakeMap(t)
	for _, item := range items {
		name, text, ok := strings.Cut(item, "=")
		name = strings.TrimSpace(name)
		if !ok || name == "" {
			return &Error{Fact: quote(item) + " is not an entry of a map", Hint: "write k=a,l=b"}
		}
		value := reflect.New(t.Elem()).Elem()
		e := f.element("."+name, value)
		if err := l.trySetText(e, strings.TrimSpace(text), o); err != nil {
			return err
		}
		l.origins[e.key] = o
		values.SetMapIndex(reflect.ValueOf(name).Convert(t.Key()), value)
	}
	f.value.Set(values)
	return nil
}

// forget drops what is known of the elements of a list or dict that is replaced.
func (l *loader) forget(key string) {
	inside := func(k string) bool {
		return strings.HasPrefix(k, key+"[") || strings.HasPrefix(k, key+".")
	}
	maps.DeleteFunc(l.origins, func(k string, _ origin) bool { return inside(k) })
	maps.DeleteFunc(l.secrets, func(k string, _ *pendingSecret) bool { return inside(k) })
}

// readSet applies the flags. The last one of a key counts.
func (l *loader) readSet() {
	for _, set := range l.src.Set {
		key, text, ok := strings.Cut(set, "=")
		o := origin{layer: byFlag}
		f := l.fields[key]
		switch {
		case !ok:
			l.fault(&Error{Where: o.where(), Key: key, Fact: "no value is given", Hint: "write KEY=VALUE"})
		case f == nil:
			l.fault(&Error{Where: o.where(), Key: key, Fact: "unknown key", Hint: l.hintFullKey(key)})
		default:
			l.setText(f, text, o)
		}
	}
}

// hintFullKey says which key may have been meant, of all there are.
func (l *loader) hintFullKey(key string) string {
	var known []string
	for k, f := range l.fields {
		if f.kind != section {
			known = append(known, k)
		}
	}
	slices.Sort(known)
	if near := nearest(key, known); near != "" {
		return "did you mean " + near + "?"
	}
	for _, k := range known {
		if strings.HasSuffix(k, "."+key) {
			return "did you mean " + k + "?"
		}
	}
	return "the command config print shows all keys"
}
