package sqltext

import "strings"

// createFunction reads the body of a function or procedure. Its name belongs to
// its schema.
func (r *reader) createFunction(sc *scope) {
	r.inSchema(Create)
	if r.symbol("(") {
		r.parens(sc)
	}
	for !r.at(end) && !r.symbol(";") {
		switch {
		case r.take("AS"):
			r.body()
		case r.is("BEGIN") && isWord(r.ahead(1), "ATOMIC"):
			r.i += 2
			r.block(sc)
		case r.is("RETURN"): // LANGUAGE sql: RETURN expression
			r.next()
			r.exprs(sc, false)
			r.rest()
		case r.symbol("("):
			r.parens(sc) // RETURNS TABLE (…)
		default:
			r.next()
		}
	}
}

// body reads the code of a function, which is one quoted text. Where the quoting
// has escapes in it the places would be wrong, and it is left out.
func (r *reader) body() {
	t := r.tok()
	from, to := t.from, t.to
	switch {
	case t.kind == dollar:
	case t.kind == text && r.src[t.start] == '\'' && t.end-t.start >= 2:
		from, to = t.start+1, t.end-1
		if strings.Contains(r.src[from:to], "''") {
			r.next()
			return
		}
	default:
		return
	}
	r.next()
	inner := &reader{src: r.src, toks: lexRange(r.src, from, to), script: true, procedural: true, path: r.path, depth: r.depth}
	inner.begin()
	inner.block(nil)
	r.uses = append(r.uses, inner.uses...)
}

// block reads the statements of a body, in SQL or PL/pgSQL, or of a trigger, as
// far as its END or the end of the text.
func (r *reader) block(sc *scope) {
	if !r.enter() {
		return
	}
	defer r.leave()
	outer := r.procedural
	r.procedural = true
	defer func() { r.procedural = outer }()
	for !r.at(end) {
		before := r.i
		r.begin()
		switch {
		case r.takeSymbol(";"):
		case r.is("END"):
			r.next()
			if !r.is("IF", "LOOP", "CASE") {
				if !outer {
					return // of a trigger: what follows is another statement
				}
				continue
			}
			r.next()
		case r.take("BEGIN", "ELSE", "EXCEPTION", "LOOP", "THEN"):
		case r.is("DECLARE") && !r.declaresCursor():
			r.next()
		case r.take("IF", "ELSIF", "ELSEIF", "WHEN", "WHILE"):
			r.exprs(sc, false)
			r.clauses(sc)
		case r.take("FOR", "FOREACH"):
			if r.skipTo(sc, "IN", "LOOP") && r.take("IN") {
				r.take("REVERSE")
				r.loopOver(sc)
			}
		case r.take("PERFORM"):
			r.clauses(sc)
		case r.take("RETURN"):
			r.take("QUERY", "NEXT")
			r.loopOver(sc)
		case r.begins():
			r.statement(sc)
		default:
			r.clauses(sc)
		}
		if r.i == before {
			r.next()
		}
	}
}

// declaresCursor tells DECLARE c CURSOR FOR from the head of a block.
func (r *reader) declaresCursor() bool {
	for n := 1; n < 6; n++ {
		if isWord(r.ahead(n), "CURSOR") {
			return true
		}
	}
	return false
}

// loopOver reads a query or an expression.
func (r *reader) loopOver(sc *scope) {
	if r.startsQuery() {
		r.query(sc)
		return
	}
	if r.begins() {
		r.statement(sc) // RETURN QUERY DELETE … RETURNING
		return
	}
	r.clauses(sc)
}

// begins reports whether a statement that names tables begins here.
func (r *reader) begins() bool {
	return r.is("SELECT", "WITH", "VALUES", "TABLE", "INSERT", "REPLACE", "UPDATE", "DELETE", "MERGE", "CREATE", "ALTER", "DROP", "TRUNCATE",
		"LOCK", "COPY", "GRANT", "REVOKE", "COMMENT", "REFRESH", "SET")
}
