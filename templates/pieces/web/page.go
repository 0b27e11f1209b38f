package web

import "net/http"

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
func (p Pager) Page(r *http.Request) (Page, error) { panic("follows") }

// Cursor returns the cursor of the page after the entry with these sort keys.
func (p Pager) Cursor(keys ...string) string { panic("follows") }
