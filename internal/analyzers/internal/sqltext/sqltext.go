package sqltext

import "strings"

// Use is one place where a statement names a table, a view or a schema.
type Use struct {
	Name
	Access Access
	// Temporary: it is created for the session alone.
	Temporary bool
	// Start and End are the bytes of the name in the text, Statement where the
	// statement around it begins.
	Start, End, Statement int
}

// Name is what a use names. An unquoted name, and one in backquotes or
// brackets, is in lower case, as both dialects fold it; one in double quotes is
// as it stands.
type Name struct {
	// Schema is "" where the text does not say it; of longer names it is the
	// last but one part.
	Schema string
	// Table is the table or view; "" where only a schema is named.
	Table string
}

func (n Name) String() string {
	switch {
	case n.Schema == "":
		return n.Table
	case n.Table == "":
		return n.Schema
	}
	return n.Schema + "." + n.Table
}

// Access is what a statement does to what it names.
type Access uint8

// The accesses, from the least to the most that one means for the owner.
const (
	Read   Access = iota + 1 // its rows are read
	Refer                    // a foreign key or a partition hangs on it
	Write                    // its rows are changed
	Alter                    // its definition, triggers, indexes or rights are
	Drop                     // it is dropped
	Create                   // it is created, or given this name
)

// Script reads a file of statements. What it does not understand it leaves out,
// up to the next semicolon.
func Script(src string) []Use {
	r := &reader{src: src, toks: lex(src, true), script: true}
	for !r.at(end) {
		if r.takeSymbol(";") {
			continue
		}
		r.begin()
		r.statement(nil)
		for !r.at(end) && !r.symbol(";") {
			r.i++
		}
	}
	return r.uses
}

// Statements reads a text that may be SQL or anything else, such as a sentence.
// ok is false where it is not a run of whole statements, separated by
// semicolons, which name something; then there are no uses.
func Statements(src string) (uses []Use, ok bool) {
	r := &reader{src: src, toks: lex(src, false), path: ""}
	if !r.plausible() {
		return nil, false
	}
	for !r.at(end) {
		if r.takeSymbol(";") {
			continue
		}
		r.begin()
		r.statement(nil)
		if r.bad || !r.at(end) && !r.symbol(";") {
			return nil, false
		}
	}
	return r.uses, len(r.uses) > 0
}

// plausible looks at how the text begins and is written: statements are written
// in capitals or in small letters, and a sentence has neither commas in its
// lists nor signs.
func (r *reader) plausible() bool {
	first := r.tok()
	for r.symbol("(") {
		r.i++
		first = r.tok()
	}
	r.i = 0
	if first.kind != word || !verbs[first.upper] {
		return false
	}
	if w := r.src[first.start:first.end]; w == strings.ToUpper(w) || w == strings.ToLower(w) {
		return true
	}
	for _, t := range r.toks {
		switch {
		case t.kind == param, t.kind == quoted, t.kind == symbol && strings.Contains("*=();<>", t.upper):
			return true
		}
	}
	return false
}

// verbs are the words that statements begin with.
var verbs = set("SELECT WITH INSERT REPLACE UPDATE DELETE MERGE TRUNCATE CREATE ALTER DROP COPY LOCK GRANT REVOKE COMMENT REFRESH EXPLAIN SET DO DECLARE PREPARE PRAGMA ANALYZE VACUUM REINDEX CLUSTER BEGIN COMMIT START SAVEPOINT RELEASE VALUES")

func set(words string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}
