package sqltext

import "strings"

// reader reads statements off tokens. Every method leaves r.i at or behind
// where it was, and never behind the end token.
type reader struct {
	src  string
	toks []token
	i    int
	// script: the text is SQL for sure, and what is odd in it is left out.
	script bool
	// procedural: the text is the body of a function, where INTO fills
	// variables and LOOP and THEN end a statement.
	procedural bool
	// bad: this is no SQL, or none that is understood.
	bad  bool
	uses []Use
	// started is where the statement begins.
	started int
	// path is the schema that SET search_path has made the first.
	path  string
	depth int
	// plain counts names in a row with nothing between them.
	plain int
}

// maxDepth is how deep statements nest before the reader gives up on the text.
const maxDepth = 100

func (r *reader) begin() {
	r.started, r.plain = r.tok().start, 0
}

// enter guards a recursion; where it is false the caller returns at once.
func (r *reader) enter() bool {
	if r.depth >= maxDepth {
		r.bad, r.i = true, len(r.toks)-1
		return false
	}
	r.depth++
	return true
}

func (r *reader) leave() { r.depth-- }

func (r *reader) tok() token { return r.toks[r.i] }

// ahead is the token n places on.
func (r *reader) ahead(n int) token { return r.toks[min(r.i+n, len(r.toks)-1)] }

func (r *reader) at(k kind) bool { return r.tok().kind == k }

// next goes on by a token, but not past the end.
func (r *reader) next() { r.i = min(r.i+1, len(r.toks)-1) }

func (r *reader) symbol(s string) bool { return isSymbol(r.tok(), s) }

func isSymbol(t token, s string) bool { return t.kind == symbol && t.upper == s }

func (r *reader) takeSymbol(s string) bool {
	if r.symbol(s) {
		r.next()
		return true
	}
	return false
}

// is reports whether a word that is not quoted comes next.
func (r *reader) is(words ...string) bool { return isWord(r.tok(), words...) }

func isWord(t token, words ...string) bool {
	if t.kind != word {
		return false
	}
	for _, w := range words {
		if t.upper == w {
			return true
		}
	}
	return false
}

// take goes on past the word, if it comes next.
func (r *reader) take(words ...string) bool {
	if r.is(words...) {
		r.next()
		return true
	}
	return false
}

// takeAll goes on past these words as long as they come, in any order.
func (r *reader) takeAll(words ...string) (any bool) {
	for r.take(words...) {
		any = true
	}
	return any
}

// wrong marks the text as no SQL.
func (r *reader) wrong() { r.bad = true }

// scope holds the names of common table expressions.
type scope struct {
	outer *scope
	names map[string]bool
}

func (s *scope) has(name string) bool {
	for ; s != nil; s = s.outer {
		if s.names[name] {
			return true
		}
	}
	return false
}

// ref is a name as it stands in the text.
type ref struct {
	Name
	start, end int
	// known is false where part of it is only known when the program runs.
	known bool
}

// name reads a dotted name; ok is false where none begins here.
func (r *reader) name() (n ref, ok bool) {
	n.start, n.known = r.tok().start, !r.glued(r.i-1)
	var parts []string
	for {
		part, known, ok := r.part()
		if !ok {
			if len(parts) == 0 {
				return ref{}, false
			}
			n.known = false // "auth." and then nothing that is a name
			break
		}
		n.known = n.known && known
		for r.tok().start == r.toks[r.i-1].end && (r.at(hole) || r.at(word) && r.toks[r.i-1].kind == hole) {
			n.known = false // users_%d: all that sticks together is one part
			r.next()
		}
		parts = append(parts, part)
		if !r.symbol(".") {
			break
		}
		r.next()
	}
	n.end = r.toks[r.i-1].end
	n.known = n.known && !r.glued(r.i-1) && !(r.at(hole) && r.tok().start == n.end)
	n.Table = parts[len(parts)-1]
	if len(parts) > 1 {
		n.Schema = parts[len(parts)-2]
	}
	return n, true
}

// part reads one part of a dotted name: a word, a quoted name, one in brackets,
// or what stands for one.
func (r *reader) part() (name string, known, ok bool) {
	t := r.tok()
	switch {
	case t.kind == word && !reserved[t.upper]:
		r.next()
		return strings.ToLower(r.src[t.start:t.end]), true, true
	case t.kind == quoted:
		r.next()
		return t.upper, true, true
	case t.kind == hole, t.kind == param:
		r.next()
		// "%s_%s", "{{.Schema}}_x": all that sticks together is one part.
		for r.tok().start == r.toks[r.i-1].end && (r.at(hole) || r.at(word)) {
			r.next()
		}
		return "", false, true
	case isSymbol(t, "["):
		for n := 1; n < 8; n++ {
			if c := r.ahead(n); isSymbol(c, "]") {
				r.i += n + 1
				return strings.ToLower(r.src[t.end:c.start]), true, true
			} else if c.kind == end {
				break
			}
		}
	}
	return "", false, false
}

// glued reports whether token i is a hole that touches the next one.
func (r *reader) glued(i int) bool {
	return i >= 0 && r.toks[i].kind == hole && r.toks[i].end == r.toks[i+1].start
}

// use records what a statement does to a table.
func (r *reader) use(n ref, a Access) {
	if !n.known || n.Table == "" {
		return
	}
	u := Use{Name: n.Name, Access: a, Start: n.start, End: n.end, Statement: r.started}
	if u.Schema == "" {
		if r.path == unknown {
			return
		}
		u.Schema = r.path
	}
	r.uses = append(r.uses, u)
}

// useSchema records what a statement does to a schema as such.
func (r *reader) useSchema(schema string, n ref, a Access) {
	if n.known && schema != "" {
		r.uses = append(r.uses, Use{Name: Name{Schema: schema}, Access: a, Start: n.start, End: n.end, Statement: r.started})
	}
}

// table reads the name of a table that a statement is about.
func (r *reader) table(a Access) (n ref, ok bool) {
	n, ok = r.name()
	if !ok {
		r.wrong()
		return n, false
	}
	r.use(n, a)
	return n, true
}

// reserved are words that are no names of tables unless quoted, in both
// dialects.
var reserved = set("ALL AND AS CASE CHECK COLLATE CONSTRAINT CREATE CROSS DEFAULT DISTINCT ELSE EXCEPT FOR FOREIGN FROM FULL GROUP HAVING IN INNER INTERSECT INTO IS JOIN LEFT LIMIT NATURAL NOT NULL ON OR ORDER PRIMARY REFERENCES RETURNING RIGHT SELECT SET TABLE THEN UNION UNIQUE USING VALUES WHEN WHERE WITH LATERAL ONLY")

// unknown is the search path that a program sets when it runs.
const unknown = "\x00"

// folded is the name that a token stands for.
func folded(src string, t token) string {
	if t.kind == quoted {
		return t.upper
	}
	return strings.ToLower(src[t.start:t.end])
}

func unquote(s string) string { return strings.Trim(s, "'") }
