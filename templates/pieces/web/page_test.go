package web

import (
	"encoding/base64"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fractl/fractl/templates/pieces/problem"
)

func TestPage(t *testing.T) {
	p := Pager{List: "items", Keys: 2, Default: 20, Max: 100}
	cursor := p.Cursor("2026-01-02", "id-7")
	for query, want := range map[string]Page{
		"":                           {Limit: 20},
		"limit=1":                    {Limit: 1},
		"limit=100&cursor=" + cursor: {Limit: 100, After: []string{"2026-01-02", "id-7"}},
		"other=1&cursor=" + cursor:   {Limit: 20, After: []string{"2026-01-02", "id-7"}},
	} {
		got, err := p.Page(httptest.NewRequest("GET", "/items?"+query, nil))
		if err != nil {
			t.Errorf("%s: %v", query, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
	others := Pager{List: "others", Keys: 2}
	one := Pager{List: "items", Keys: 1}
	for name, query := range map[string]string{
		"limit 0":         "limit=0",
		"limit 101":       "limit=101",
		"limit text":      "limit=ten",
		"limit huge":      "limit=99999999999999999999",
		"limit empty":     "limit=",
		"limit twice":     "limit=1&limit=2",
		"cursor empty":    "cursor=",
		"cursor twice":    "cursor=" + cursor + "&cursor=" + cursor,
		"cursor text":     "cursor=abc",
		"cursor cut":      "cursor=" + cursor[:len(cursor)-2],
		"cursor longer":   "cursor=" + cursor + "AA",
		"of another list": "cursor=" + others.Cursor("2026-01-02", "id-7"),
		"of other keys":   "cursor=" + one.Cursor("id-7"),
		"cursor too long": "cursor=" + p.Cursor("a", strings.Repeat("x", 4096)),
		"broken query":    "a=%zz",
	} {
		r := httptest.NewRequest("GET", "/items", nil)
		r.URL.RawQuery = query
		if _, err := p.Page(r); problem.Of(r, err).Status != 400 {
			t.Errorf("%s: error = %v, want a 400", name, err)
		}
	}
	r := httptest.NewRequest("GET", "/items?limit=0&cursor=x", nil)
	_, err := p.Page(r)
	if got := problem.Of(r, err).Errors; len(got) != 2 {
		t.Errorf("both parameters are wrong, and the problem says %v", got)
	}
}

// No change of a single character makes another cursor.
func TestCursorTampered(t *testing.T) {
	p := Pager{List: "items", Keys: 2, Default: 20, Max: 100}
	cursor := p.Cursor("2026-01-02", "id-7")
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=\n"
	for i := range cursor {
		for _, c := range alphabet {
			changed := cursor[:i] + string(c) + cursor[i+1:]
			if _, ok := p.decode(changed); ok && changed != cursor {
				t.Errorf("%q is taken for %q", changed, cursor)
			}
		}
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		t.Fatal(err)
	}
	raw[0] = cursorVersion + 1
	if _, ok := p.decode(base64.RawURLEncoding.EncodeToString(raw)); ok {
		t.Error("a cursor of another version is taken")
	}
}

func FuzzCursor(f *testing.F) {
	p := Pager{List: "items", Keys: 2, Default: 20, Max: 100}
	f.Add("", "", "")
	f.Add(p.Cursor("a", "b"), "a", "\xff\x00")
	f.Add("AQ", strings.Repeat("é", 300), "b")
	f.Fuzz(func(t *testing.T, cursor, key1, key2 string) {
		if keys, ok := p.decode(cursor); ok && p.Cursor(keys...) != cursor {
			t.Errorf("%q and %q are one cursor", cursor, p.Cursor(keys...))
		}
		made := p.Cursor(key1, key2)
		if url.QueryEscape(made) != made {
			t.Errorf("%q does not fit into a query", made)
		}
		if keys, ok := p.decode(made); len(made) <= cursorMax && (!ok || !slices.Equal(keys, []string{key1, key2})) {
			t.Errorf("%q, %q came back as %q", key1, key2, keys)
		}
	})
}
