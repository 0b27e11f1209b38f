package web

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/fractl/fractl/templates/pieces/problem"
)

// Pager reads and makes the parameters of a list that is served in pages:
// limit, and cursor, which says after which entry a page begins. To callers a
// cursor is opaque; inside are the sort keys of the last entry.
type Pager struct {
	// List names the list. A cursor of another list is refused.
	List string
	// Keys is the number of sort keys, at least 1.
	Keys int
	// Default is the limit of a request that gives none; Max is the largest.
	Default, Max int
}

// Page is the part of a list that a request asks for.
type Page struct {
	// Limit is the most entries to return, from 1 to Pager.Max.
	Limit int
	// After are the sort keys of the entry before the page, Pager.Keys of them,
	// or nil for the first page. They come from the caller: check their form
	// as with any input.
	After []string
}

// Page reads the parameters of r. Every error is a problem with status 400.
func (p Pager) Page(r *http.Request) (Page, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return Page{}, problem.Malformed("the query is malformed")
	}
	page := Page{Limit: p.Default}
	var wrong []problem.Violation
	switch values := query["limit"]; {
	case len(values) > 1:
		wrong = append(wrong, problem.Violation{Field: "limit", Detail: "must not be given twice"})
	case len(values) == 1:
		n, err := strconv.Atoi(values[0])
		if err != nil || n < 1 || n > p.Max {
			wrong = append(wrong, problem.Violation{Field: "limit", Detail: fmt.Sprintf("must be a whole number from 1 to %d", p.Max)})
		}
		page.Limit = n
	}
	switch values := query["cursor"]; {
	case len(values) > 1:
		wrong = append(wrong, problem.Violation{Field: "cursor", Detail: "must not be given twice"})
	case len(values) == 1:
		keys, ok := p.decode(values[0])
		if !ok {
			wrong = append(wrong, problem.Violation{Field: "cursor", Detail: "must be one that this list returned"})
		}
		page.After = keys
	}
	if wrong != nil {
		return Page{}, problem.Malformed("the query has invalid parameters", wrong...)
	}
	return page, nil
}

const (
	// cursorVersion changes with the layout, so that a cursor from before is
	// refused instead of misread.
	cursorVersion = 1
	// cursorSum is the length of the checksum. It is not a signature: it tells
	// a cursor from a typo, a cut one and one of another list. Whoever forges
	// one learns nothing that the list would not show.
	cursorSum = 8
	// cursorMax bounds the work on a cursor that is none.
	cursorMax = 2048
)

// Cursor returns the cursor of the page after the entry with these sort keys.
// Together they must stay under 1 KiB.
func (p Pager) Cursor(keys ...string) string {
	var payload []byte
	for _, key := range keys {
		payload = binary.AppendUvarint(payload, uint64(len(key)))
		payload = append(payload, key...)
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%d %q ", cursorVersion, p.List)
	sum.Write(payload)
	raw := append([]byte{cursorVersion}, sum.Sum(nil)[:cursorSum]...)
	return base64.RawURLEncoding.EncodeToString(append(raw, payload...))
}

// decode takes a cursor apart. Version, checksum, list and spelling are right
// exactly if the same keys make the same cursor.
func (p Pager) decode(cursor string) (keys []string, ok bool) {
	if len(cursor) > cursorMax {
		return nil, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(raw) < 1+cursorSum {
		return nil, false
	}
	for rest := raw[1+cursorSum:]; len(rest) > 0; {
		size, n := binary.Uvarint(rest)
		if n <= 0 || size > uint64(len(rest)-n) {
			return nil, false
		}
		end := n + int(size)
		keys, rest = append(keys, string(rest[n:end])), rest[end:]
	}
	if len(keys) != p.Keys || p.Cursor(keys...) != cursor {
		return nil, false
	}
	return keys, true
}
