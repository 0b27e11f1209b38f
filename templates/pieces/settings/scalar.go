package settings

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// parse sets a scalar that is no secret from its text. Its error is an *Error
// with a fact and a hint only.
func (f *field) parse(text string) *Error {
	v, t := f.value, f.value.Type()
	switch {
	case t == durationType:
		d, err := parseDuration(text)
		v.SetInt(int64(d))
		return err
	case isText(t):
		err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text))
		return asFault(err)
	}
	switch t.Kind() {
	case reflect.String:
		if f.enum != nil && !slices.Contains(f.enum, text) {
			return &Error{Fact: quote(text) + " is not possible here", Hint: oneOf(text, f.enum)}
		}
		v.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return &Error{Fact: quote(text) + " is not a boolean", Hint: "write true or false"}
		}
		v.SetBool(text == "true")
	case reflect.Float32, reflect.Float64:
		n, err := strconv.ParseFloat(text, t.Bits())
		if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
			return &Error{Fact: quote(text) + " is not a number"}
		}
		v.SetFloat(n)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil || v.OverflowUint(n) {
			limit := uint64(math.MaxUint64) >> (64 - t.Bits())
			return notWhole(text, "0", strconv.FormatUint(limit, 10))
		}
		v.SetUint(n)
	default:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || v.OverflowInt(n) {
			limit := int64(math.MaxInt64) >> (64 - t.Bits())
			return notWhole(text, strconv.FormatInt(-limit-1, 10), strconv.FormatInt(limit, 10))
		}
		v.SetInt(n)
	}
	return nil
}

// text is the inverse of parse.
func (f *field) text() (string, error) {
	v, t := f.value, f.value.Type()
	switch {
	case t == durationType:
		return durationText(time.Duration(v.Int())), nil
	case isText(t):
		b, err := v.Interface().(encoding.TextMarshaler).MarshalText()
		if err != nil {
			return "", fmt.Errorf("settings: %s: %w", f.key, err)
		}
		return string(b), nil
	case t.Kind() == reflect.Float32, t.Kind() == reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, t.Bits()), nil
	}
	return fmt.Sprint(v.Interface()), nil
}

func parseDuration(text string) (time.Duration, *Error) {
	d, err := time.ParseDuration(text)
	switch {
	case isNumber(text): // ParseDuration takes 0 without a unit
		return 0, &Error{Fact: quote(text) + " has no unit", Hint: "write for example " + text + "s"}
	case err != nil:
		return 0, &Error{Fact: quote(text) + " is not a duration", Hint: "write for example 500ms, 5s or 1h30m"}
	case d < 0:
		return 0, &Error{Fact: quote(text) + " is negative"}
	}
	return d, nil
}

// durationText is d without the zeros at the end: 5m, not 5m0s.
func durationText(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func isNumber(text string) bool {
	_, err := strconv.ParseFloat(text, 64)
	return err == nil
}

func notWhole(text, least, most string) *Error {
	if isDigits(strings.TrimPrefix(text, "-")) {
		return &Error{Fact: fmt.Sprintf("%s is not in the range %s to %s", quote(text), least, most)}
	}
	return &Error{Fact: quote(text) + " is not a whole number", Hint: "write decimal digits"}
}

func isDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// asFault turns the error of an UnmarshalText into an *Error.
func asFault(err error) *Error {
	switch err := err.(type) {
	case nil:
		return nil
	case *Error:
		return err
	}
	return &Error{Fact: err.Error(), Err: err}
}

// quote shows a value in an error, short and on one line.
func quote(text string) string {
	const most = 60
	if len(text) > most {
		cut := most
		for cut > 0 && !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + "…"
	}
	return strconv.Quote(text)
}

// oneOf is the hint that lists what is possible.
func oneOf(text string, possible []string) string {
	if near := nearest(text, possible); near != "" {
		return "did you mean " + near + "?"
	}
	return "possible: " + strings.Join(possible, ", ")
}
