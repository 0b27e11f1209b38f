package web

import "net/http"

// ReadJSON decodes the body of r into the value that into points to. It is
// strict: the body must be of type application/json and hold exactly one
// value with known fields of the right types. Its errors are those of package
// problem: 415, 413, 400, or 422 with the field that has the wrong type.
func ReadJSON(r *http.Request, into any) error { panic("follows") }

// WriteJSON answers with v as JSON. v is encoded before anything is sent: an
// error means that nothing was, so the handler may return it.
func WriteJSON(w http.ResponseWriter, status int, v any) error { panic("follows") }
