package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fractl/fractl/templates/pieces/problem"
)

type order struct {
	Name  string    `json:"name"`
	Count uint8     `json:"count"`
	At    time.Time `json:"at"`
	Total struct {
		Price float64 `json:"price"`
	} `json:"total"`
}

func TestReadJSON(t *testing.T) {
	s := Defaults()
	s.MaxBody = 100
	mux := NewMux()
	var got order
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) error {
		got = order{}
		if err := ReadJSON(r, &got); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	})
	h := handler(t, s, mux, Options{})
	const js = "application/json"
	for _, test := range []struct {
		name, media, body string
		status            int
		detail            string // of the problem, or of its only field
	}{
		{"good", js, `{"name":"a","count":255,"total":{"price":1.5}}`, 204, ""},
		{"charset", "application/json; charset=UTF-8", `{}` + " \n", 204, ""},
		{"other charset", "application/json; charset=latin1", `{}`, 415, "the body must be of type application/json in UTF-8"},
		{"form", "application/x-www-form-urlencoded", `{}`, 415, "the body must be of type application/json"},
		{"no type", "", `{}`, 415, "the body must be of type application/json"},
		{"no body", js, ``, 400, "the body is empty"},
		{"cut", js, `{"name":"a`, 400, "the body ends in the middle of a value"},
		{"syntax", js, `{"name":'a'}`, 400, "the body is not JSON at byte 9"},
		{"two values", js, `{} {}`, 400, "the body holds more than one value"},
		{"trailing text", js, `{}x`, 400, "the body holds more than one value"},
		{"array", js, `[]`, 400, "the body must be an object"},
		{"unknown", js, `{"nam\u0065s":1}`, 422, "names is not a known field"},
		{"wrong type", js, `{"name":1}`, 422, "name must be a string"},
		{"out of range", js, `{"count":256}`, 422, "count must be a whole number that is not negative and in range"},
		{"nested", js, `{"total":{"price":"1"}}`, 422, "total.price must be a number"},
		{"text form", js, `{"at":"yesterday"}`, 400, "the body holds a value of the wrong form"},
		{"too large", js, `{"name":"` + strings.Repeat("x", 100) + `"}`, 413, "the body must not be over 100 bytes"},
		{"too large after the value", js, `{}` + strings.Repeat(" ", 100), 413, "the body must not be over 100 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/", strings.NewReader(test.body))
			r.Header.Set("Content-Type", test.media)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != test.status {
				t.Fatalf("status = %d, want %d: %s", w.Code, test.status, w.Body)
			}
			if test.status == 204 {
				return
			}
			var p problem.Problem
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
				t.Fatal(err)
			}
			detail := p.Detail
			if len(p.Errors) == 1 {
				detail = p.Errors[0].Field + " " + p.Errors[0].Detail
			}
			if detail != test.detail {
				t.Errorf("detail = %q, want %q", detail, test.detail)
			}
		})
	}
}

func TestReadJSONCompressed(t *testing.T) {
	r := httptest.NewRequest("POST", "/", strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Content-Encoding", "gzip")
	if err := ReadJSON(r, &order{}); !errors.Is(err, problem.UnsupportedMediaType("")) {
		t.Errorf("ReadJSON = %v", err)
	}
}

func TestWriteJSON(t *testing.T) {
	w := httptest.NewRecorder()
	if err := WriteJSON(w, http.StatusCreated, map[string]int{"b": 1, "a": 2}); err != nil {
		t.Fatal(err)
	}
	want := http.Header{"Content-Type": {"application/json"}, "Content-Length": {"13"}, "X-Content-Type-Options": {"nosniff"}}
	if diff := cmp.Diff(want, w.Header()); diff != "" || w.Code != http.StatusCreated || w.Body.String() != `{"a":2,"b":1}` {
		t.Errorf("answer = %d %s %s", w.Code, w.Body, diff)
	}

	// A value that cannot be encoded leaves the whole answer to the error.
	h := HandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
		return WriteJSON(w, http.StatusOK, map[string]any{"a": 1, "f": func() {}})
	})
	w = do(h, "GET", "/", "")
	if w.Code != http.StatusInternalServerError || w.Header().Get("Content-Type") != problem.ContentType {
		t.Errorf("answer = %d %v", w.Code, w.Header())
	}
}

func FuzzReadJSON(f *testing.F) {
	f.Add(`{"name":"a"}`)
	f.Add(`{} {}`)
	f.Add(`[[[[`)
	f.Add(`{"at":"2026-01-02T03:04:05Z","total":{"price":1e400}}`)
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		var v order
		err := ReadJSON(r, &v)
		if err == nil {
			if !json.Valid([]byte(body)) {
				t.Errorf("%q was taken and is not JSON", body)
			}
			return
		}
		if status := problem.Of(r, err).Status; status != 400 && status != 422 {
			t.Errorf("%q is %d: %v", body, status, err)
		}
	})
}
