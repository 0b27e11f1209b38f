package settings

import (
	"errors"
	"reflect"
	"strings"
)

// validator is a value that can check itself.
type validator interface{ Validate() error }

// validate asks the values of a field, inner ones first.
func (l *loader) validate(f *field) {
	for sub := range f.inside() {
		l.validate(sub)
	}
	for _, v := range append(f.inline, f.value) {
		if v, ok := v.Addr().Interface().(validator); ok {
			l.faultInvalid(f, v.Validate())
		}
	}
}

// inside yields the fields of a section and the elements of a list or dict.
func (f *field) inside() func(yield func(*field) bool) {
	return func(yield func(*field) bool) {
		for _, sub := range f.fields {
			if !yield(sub) {
				return
			}
		}
		for _, e := range f.elements() {
			if !yield(e) {
				return
			}
		}
	}
}

// elements are the described elements of a list, or of a dict in the order of
// its keys. Those of a dict are copies.
func (f *field) elements() []*field {
	var all []*field
	switch f.kind {
	case list:
		for i := range f.value.Len() {
			all = append(all, f.element(indexOf(i), f.value.Index(i)))
		}
	case dict:
		for _, key := range sortedKeys(f.value) {
			value := reflect.New(f.value.Type().Elem()).Elem()
			value.Set(f.value.MapIndex(key))
			e := f.element("."+key.String(), value)
			e.name = key.String()
			all = append(all, e)
		}
	}
	for _, e := range all {
		if err := e.describe(0); err != nil {
			panic(err) // unreachable: the type has been described with the list or dict
		}
	}
	return all
}

// faultInvalid reports what a Validate found, each error with the key it begins
// with.
func (l *loader) faultInvalid(f *field, err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			l.faultInvalid(f, e)
		}
		return
	}
	if err == nil {
		return
	}
	e := &Error{Key: f.key, Fact: err.Error(), Err: err}
	if own, ok := errors.AsType[*Error](err); ok && own == err {
		e.Fact, e.Hint = own.Fact, own.Hint
	}
	if name, fact, ok := strings.Cut(e.Fact, ": "); ok && f.knows(name) {
		e.Key, e.Fact = join(f.key, name), fact
	}
	e.Where = l.origins[e.Key].where()
	l.fault(e)
}

// knows tells whether a section has a key, or one with dots below it.
func (f *field) knows(name string) bool {
	first, rest, more := strings.Cut(name, ".")
	sub := f.field(first)
	if sub == nil || !more {
		return sub != nil
	}
	return sub.knows(rest)
}
