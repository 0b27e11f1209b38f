package settings

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
)

// Schema is the JSON Schema (2020-12) of the struct that cfg points to, with
// descriptions from the doc tags and the struct's values as defaults. Editors
// complete and check the file with it.
func Schema(cfg any) ([]byte, error) {
	root, err := describe(cfg)
	if err != nil {
		return nil, err
	}
	s, err := root.schema()
	if err != nil {
		return nil, err
	}
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(text, '\n'), nil
}

// schema is the schema of a field with its description and default.
func (f *field) schema() (map[string]any, error) {
	s, err := f.shape()
	if err != nil {
		return nil, err
	}
	if f.doc != "" {
		s["description"] = f.doc
	}
	if f.kind == section {
		return s, nil // its keys have the defaults
	}
	if s["default"], err = f.plain(); err != nil {
		return nil, err
	}
	return s, nil
}

// shape is what values of the field look like.
func (f *field) shape() (map[string]any, error) {
	switch f.kind {
	case section:
		keys := make(map[string]any)
		for _, sub := range f.fields {
			s, err := sub.schema()
			if err != nil {
				return nil, err
			}
			keys[sub.name] = s
		}
		// A section whose lines are all comments is null.
		return map[string]any{"type": []string{"object", "null"}, "properties": keys, "additionalProperties": false}, nil
	case list:
		items, err := f.elementShape()
		return map[string]any{"type": "array", "items": items}, err
	case dict:
		values, err := f.elementShape()
		return map[string]any{"type": "object", "additionalProperties": values}, err
	}
	return f.scalarShape(), nil
}

func (f *field) elementShape() (map[string]any, error) {
	e := f.element("[]", reflect.New(f.value.Type().Elem()).Elem())
	if err := e.describe(0); err != nil {
		return nil, err
	}
	return e.shape()
}

func (f *field) scalarShape() map[string]any {
	t := f.value.Type()
	switch {
	case t == durationType:
		return map[string]any{"type": "string", "pattern": `^(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+$`}
	case t == sizeType:
		return map[string]any{"type": "string", "pattern": `^[0-9]+([KMGT]iB|[kMGT]?B)$`}
	case t == secretType && !f.literal:
		return map[string]any{"type": "string", "pattern": `^((file|env):.+)?$`}
	case t == secretType, isText(t):
		return map[string]any{"type": "string"}
	}
	switch t.Kind() {
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Float32, reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.String:
		if f.enum != nil {
			return map[string]any{"type": "string", "enum": f.enum}
		}
		return map[string]any{"type": "string"}
	}
	s := map[string]any{"type": "integer"}
	if strings.HasPrefix(t.Kind().String(), "u") {
		s["minimum"], s["maximum"] = 0, uint64(math.MaxUint64)>>(64-t.Bits())
	} else {
		limit := int64(math.MaxInt64) >> (64 - t.Bits())
		s["minimum"], s["maximum"] = -limit-1, limit
	}
	return s
}

// plain is the field's value for JSON.
func (f *field) plain() (any, error) {
	switch f.kind {
	case section:
		m := make(map[string]any)
		for _, sub := range f.fields {
			v, err := sub.plain()
			if err != nil {
				return nil, err
			}
			m[sub.name] = v
		}
		return m, nil
	case list:
		all := []any{}
		for _, e := range f.elements() {
			v, err := e.plain()
			if err != nil {
				return nil, err
			}
			all = append(all, v)
		}
		return all, nil
	case dict:
		m := make(map[string]any)
		for _, e := range f.elements() {
			v, err := e.plain()
			if err != nil {
				return nil, err
			}
			m[e.name] = v
		}
		return m, nil
	}
	if f.value.Type() == secretType {
		return f.value.Interface().(Secret).shown(), nil
	}
	if f.isString() {
		return f.text()
	}
	return f.value.Interface(), nil
}
