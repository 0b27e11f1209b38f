package sqltext

// exprs reads expressions and the words between them as far as the next clause
// that names tables, the end of the statement or of a parenthesis. inJoin also
// ends at a comma and at a JOIN.
func (r *reader) exprs(sc *scope, inJoin bool) {
	cases := 0
	r.plain = 0
	for {
		t := r.tok()
		switch t.kind {
		case end:
			return
		case symbol:
			if t.upper == ";" || t.upper == ")" || inJoin && t.upper == "," {
				return
			}
		case word:
			switch t.upper {
			case "FROM":
				if !r.distinctFrom() {
					return
				}
			case "INTO", "UNION", "INTERSECT", "EXCEPT", "MINUS":
				return
			case "LOOP":
				if r.procedural {
					return
				}
			case "CASE":
				cases++
			case "END":
				cases--
				if cases < 0 {
					return
				}
			case "THEN":
				if r.procedural && cases == 0 {
					return
				}
			case "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FETCH", "WINDOW", "RETURNING", "FOR", "SET":
				if inJoin {
					return
				}
			}
			if inJoin && r.joinLength() > 0 {
				return
			}
		}
		r.element(sc)
	}
}

// distinctFrom reports whether the FROM that comes next is that of IS DISTINCT
// FROM.
func (r *reader) distinctFrom() bool {
	return r.i >= 2 && isWord(r.toks[r.i-1], "DISTINCT") && isWord(r.toks[r.i-2], "IS", "NOT")
}

// element reads one token of an expression, or a parenthesis with all in it, or
// a name that stands for a table.
func (r *reader) element(sc *scope) {
	t := r.tok()
	r.count(t)
	switch {
	case isSymbol(t, "("):
		r.parens(sc)
	case isWord(t, "SELECT"):
		r.selects(sc)
	case isWord(t, "IN") && r.inTable():
		r.next()
		if n, ok := r.name(); ok && !(n.Schema == "" && sc.has(n.Table)) {
			r.use(n, Read) // SQLite: x IN t
		}
	case t.kind == word || t.kind == quoted:
		r.column(sc)
	default:
		r.next()
	}
}

// inTable reports whether IN is followed by the name of a table.
func (r *reader) inTable() bool {
	t := r.ahead(1)
	if r.procedural || t.kind != quoted && (t.kind != word || reserved[t.upper] || words[t.upper] || t.upper == "SHARE" || t.upper == "EXCLUSIVE" || t.upper == "BOOLEAN") {
		return false
	}
	return !isSymbol(r.ahead(2), "(") && !isSymbol(r.ahead(2), "[")
}

// column reads a word, and the function of a schema: auth.hash(…).
func (r *reader) column(sc *scope) {
	if reserved[r.tok().upper] && r.at(word) || !isSymbol(r.ahead(1), ".") {
		r.next()
		return
	}
	n, ok := r.name()
	if !ok {
		r.next()
		return
	}
	if r.symbol("(") && n.Schema != "" && !sc.has(n.Schema) {
		r.useSchema(n.Schema, n, Read)
	}
	r.plain = 1
}

// parens reads a parenthesis: a sub-query, or arguments, in which FROM begins
// no clause (extract(year FROM d)).
func (r *reader) parens(sc *scope) {
	if !r.enter() {
		return
	}
	defer r.leave()
	r.next()
	if r.startsQuery() && !r.symbol("(") {
		r.query(sc)
		r.close()
		return
	}
	r.plain = 0
	for !r.symbol(")") {
		if r.at(end) || r.symbol(";") {
			r.wrong()
			return
		}
		if r.take("UNION", "INTERSECT", "EXCEPT") {
			r.take("ALL", "DISTINCT")
			r.selects(sc)
			continue
		}
		r.element(sc)
	}
	r.next()
	r.plain = 0
}

// count counts names in a row. A column has one alias; three names that nothing
// separates are a sentence.
func (r *reader) count(t token) {
	switch {
	case t.kind != word || words[t.upper] || reserved[t.upper]:
		r.plain = 0
	default:
		r.plain++
	}
	if r.plain > 2 {
		r.wrong()
	}
}

// words are those that stand between names in expressions and clauses, and
// those of which types are made.
var words = set(`ABORT ABSENT ACTION AFTER ALWAYS ANALYZE ANY ARRAY ASC ASYMMETRIC AT BEFORE BETWEEN BIGINT BIT BOOLEAN BOTH BREADTH BY
	CASCADE CAST CHAR CHARACTER COLUMN CONCURRENTLY CONDITIONAL CONFLICT CURRENT DATE DATETIME DAY DEC DECIMAL DEFERRABLE DEFERRED DELETE
	DEPTH DESC DO DOUBLE DUPLICATE EMPTY END ERROR ESCAPE EXCLUDE EXISTS FAIL FALSE FETCH FILTER FIRST FLOAT FOLLOWING FORMAT GENERATED GLOB
	GROUPING GROUPS HOUR IDENTITY IGNORE ILIKE IMMEDIATE INCLUDE INDEXED INITIALLY INOUT INSERT INSTEAD INT INTEGER INTERVAL ISNULL JSON JSONB
	JUST KEY KEYS LAST LEADING LIKE LOCK LOCKED MATCH MATCHED MATERIALIZED MINUTE MONTH NEXT NO NOTHING NOTNULL NOWAIT NULLS NUMERIC OBJECT OF OFFSET
	ON ORDINALITY OTHERS OVER OVERLAPS OVERRIDING PARTITION PATH PRECEDING PRECISION RANGE REAL RECURSIVE REGEXP REPLACE RESTRICT ROLLBACK ROLLUP ROW ROWS
	SECOND SETS SHARE SIMILAR SKIP SMALLINT SOME SOURCE SYMMETRIC SYSTEM TABLESAMPLE TARGET TEXT TIES TIME TIMESTAMP TIMESTAMPTZ TO TRAILING TRUE UNBOUNDED UPDATE USER VALUE
	VARCHAR VARYING VIRTUAL WINDOW WITHIN WITHOUT WRAPPER XML YEAR ZONE ISOLATION LEVEL STRICT STORED UNLOGGED`)

// skipTo goes on to one of the words, at this depth; ok is false where the
// statement ends first.
func (r *reader) skipTo(sc *scope, list ...string) (ok bool) {
	for !r.at(end) && !r.symbol(";") && !r.symbol(")") {
		if r.is(list...) {
			return true
		}
		r.plain = 0
		if r.symbol("(") {
			r.parens(sc)
			continue
		}
		r.next()
	}
	return false
}
