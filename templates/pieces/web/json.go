package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"reflect"
	"strconv"
	"strings"

	"github.com/fractl/fractl/templates/pieces/problem"
)

// ReadJSON decodes the body of r into the value that into points to. It is
// strict: the body must be of type application/json and hold exactly one
// value with known fields of the right types. Its errors are those of package
// problem: 415, 413, 408, 400, or 422 with the field that is not known or has
// the wrong type.
func ReadJSON(r *http.Request, into any) error {
	if err := checkType(r.Header); err != nil {
		return err
	}
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return decodeError(err)
	}
	switch _, err := dec.Token(); {
	case errors.Is(err, io.EOF):
		return nil
	case isRead(err):
		return decodeError(err)
	}
	return problem.Malformed("the body holds more than one value")
}

// checkType refuses what is not plain JSON. RFC 8259 allows no other charset
// than UTF-8 between systems.
func checkType(h http.Header) error {
	const want = "application/json"
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || media != want {
		return problem.UnsupportedMediaType(want)
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return problem.UnsupportedMediaType(want + " in UTF-8")
	}
	if enc := h.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return problem.UnsupportedMediaType(want + " without a content encoding")
	}
	return nil
}

// isRead tells whether err came from reading the body, not from what it holds.
func isRead(err error) bool {
	var limit *http.MaxBytesError
	return errors.As(err, &limit) || errors.Is(err, os.ErrDeadlineExceeded)
}

func decodeError(err error) error {
	var syntax *json.SyntaxError
	var wrongType *json.UnmarshalTypeError
	var limit *http.MaxBytesError
	var into *json.InvalidUnmarshalError
	switch {
	case errors.As(err, &limit):
		return problem.TooLarge(limit.Limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return problem.SlowRequest()
	case errors.As(err, &into):
		return problem.Internal(err) // a mistake of the handler
	case errors.Is(err, io.EOF):
		return problem.Malformed("the body is empty")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return problem.Malformed("the body ends in the middle of a value")
	case errors.As(err, &syntax):
		return problem.Malformed(fmt.Sprintf("the body is not JSON at byte %d", syntax.Offset))
	case errors.As(err, &wrongType) && wrongType.Field == "":
		return problem.Malformed("the body must be " + jsonName(wrongType.Type))
	case errors.As(err, &wrongType):
		return problem.Invalid(problem.Violation{Field: wrongType.Field, Detail: "must be " + jsonName(wrongType.Type)})
	}
	// encoding/json has no type for this error.
	if quoted, found := strings.CutPrefix(err.Error(), "json: unknown field "); found {
		if name, unquoteErr := strconv.Unquote(quoted); unquoteErr == nil {
			return problem.Invalid(problem.Violation{Field: name, Detail: "is not a known field"})
		}
	}
	// From an UnmarshalJSON or UnmarshalText, whose text may tell too much.
	return problem.Malformed("the body holds a value of the wrong form")
}

// jsonName is a Go type in the words of JSON.
func jsonName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Pointer:
		return jsonName(t.Elem())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number that is not negative and in range"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number in range"
	}
	return "of another type"
}

// WriteJSON answers with v as JSON. v is encoded before anything is sent: an
// error means that nothing was, so the handler may return it.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode response: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone; there is nobody left to tell
	return nil
}
