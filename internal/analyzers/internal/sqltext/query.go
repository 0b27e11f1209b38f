package sqltext

// startsQuery reports whether a query comes next, be it in parentheses.
func (r *reader) startsQuery() bool {
	n := 0
	for isSymbol(r.ahead(n), "(") {
		n++
	}
	t := r.ahead(n)
	if n > 0 && isWord(t, "VALUES") {
		return false
	}
	return isWord(t, "SELECT", "VALUES") || isWord(t, "WITH") && !isSymbol(r.ahead(n+1), "(") ||
		isWord(t, "TABLE") && n == 0
}

// query reads a query, or what may stand for one behind WITH.
func (r *reader) query(sc *scope) {
	if !r.enter() {
		return
	}
	defer r.leave()
	if r.take("WITH") {
		sc = r.with(sc)
	}
	switch {
	case r.is("INSERT", "REPLACE"):
		r.insert(sc)
	case r.is("UPDATE"):
		r.update(sc)
	case r.is("DELETE"):
		r.delete(sc)
	case r.is("MERGE"):
		r.merge(sc)
	default:
		r.selects(sc)
	}
}

// with reads common table expressions. Each is in scope of those behind it and,
// with RECURSIVE, of itself: without it, its own name inside it is a table.
func (r *reader) with(sc *scope) *scope {
	inner := &scope{outer: sc, names: make(map[string]bool)}
	recursive := r.take("RECURSIVE")
	for {
		name, _, ok := r.part()
		if !ok {
			r.wrong()
			return inner
		}
		if recursive {
			inner.names[name] = true
		}
		if r.symbol("(") {
			r.parens(inner)
		}
		if !r.take("AS") {
			r.wrong()
			return inner
		}
		r.takeAll("NOT", "MATERIALIZED")
		if !r.takeSymbol("(") {
			r.wrong()
			return inner
		}
		r.query(inner)
		r.close()
		inner.names[name] = true
		if r.is("SEARCH", "CYCLE") {
			for !r.at(end) && !r.symbol(",") && !r.symbol(")") && !r.symbol(";") && !r.is("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES") {
				r.next()
			}
		}
		if !r.takeSymbol(",") {
			return inner
		}
	}
}

// close reads the parenthesis that ends a sub-query.
func (r *reader) close() {
	if !r.takeSymbol(")") {
		r.wrong()
	}
}

// selects reads SELECT, VALUES and TABLE, joined by UNION and its like.
func (r *reader) selects(sc *scope) {
	if !r.enter() {
		return
	}
	defer r.leave()
	for {
		switch {
		case r.takeSymbol("("):
			r.query(sc)
			r.close()
		case r.take("SELECT"):
			if r.at(end) || r.symbol(";") {
				r.wrong()
			}
		case r.take("VALUES"):
		case r.take("TABLE"):
			r.take("ONLY")
			r.readTable(sc)
		case r.at(hole):
			r.next()
		default:
			r.wrong()
			return
		}
		r.clauses(sc)
		if !r.take("UNION", "INTERSECT", "EXCEPT", "MINUS") {
			return
		}
		r.take("ALL", "DISTINCT")
	}
}

// clauses reads on to the end of a statement, a parenthesis, or a UNION:
// expressions, with the clauses that name tables between them.
func (r *reader) clauses(sc *scope) {
	for {
		r.exprs(sc, false)
		switch {
		case r.take("FROM"):
			r.from(sc)
		case r.take("INTO"):
			r.into()
		default:
			return
		}
	}
}

// from reads a list of tables and joins.
func (r *reader) from(sc *scope) {
	if !r.enter() {
		return
	}
	defer r.leave()
	r.tableRef(sc)
	for !r.bad || r.script {
		switch {
		case r.takeSymbol(","):
			r.tableRef(sc)
		case r.joinLength() > 0:
			r.i += r.joinLength()
			r.tableRef(sc)
		case r.take("ON"):
			r.exprs(sc, true)
		case r.take("USING"):
			if r.symbol("(") {
				r.parens(sc)
			}
			if r.take("AS") {
				r.next()
			}
		default:
			return
		}
	}
}

// joinLength is how many words make the JOIN that comes next, or 0: LEFT may
// also be a function.
func (r *reader) joinLength() int {
	for n := 0; n < 4; n++ {
		switch t := r.ahead(n); {
		case isWord(t, "JOIN", "STRAIGHT_JOIN"):
			return n + 1
		case !isWord(t, "INNER", "CROSS", "NATURAL", "FULL", "LEFT", "RIGHT", "OUTER"):
			return 0
		}
	}
	return 0
}

// tableRef reads one item of a FROM list with its alias.
func (r *reader) tableRef(sc *scope) {
	r.takeAll("ONLY", "LATERAL")
	switch {
	case r.is("ROWS") && isWord(r.ahead(1), "FROM") && isSymbol(r.ahead(2), "("):
		r.i += 2
		r.parens(sc)
	case r.symbol("(") && r.startsQuery():
		r.next()
		r.query(sc)
		r.close()
	case r.takeSymbol("("):
		r.from(sc)
		r.close()
	case r.at(text):
		r.next()
	default:
		r.readTable(sc)
	}
	r.takeSymbol("*")
	r.alias(sc)
	if !r.script && !r.afterTable() {
		r.wrong()
	}
}

// readTable reads a table, or a function in its place.
func (r *reader) readTable(sc *scope) {
	n, ok := r.name()
	switch {
	case !ok:
		r.wrong()
	case r.symbol("("):
		if n.Schema != "" {
			r.useSchema(n.Schema, n, Read)
		}
		r.parens(sc)
	case n.Schema == "" && sc.has(n.Table):
	case r.procedural && n.Schema == "" && (n.Table == "new" || n.Table == "old"):
	default:
		r.use(n, Read)
	}
}

// alias reads what may follow a table: its alias and hints.
func (r *reader) alias(sc *scope) {
	if r.is("WITH") && !isWord(r.ahead(1), "NO", "DATA", "CHECK", "LOCAL", "CASCADED") {
		r.next()
		if r.symbol("(") {
			r.parens(sc)
		} else if !r.take("ORDINALITY") {
			r.wrong()
		}
	}
	as := r.take("AS")
	t := r.tok()
	if t.kind == quoted || t.kind == word && (as && !reserved[t.upper] || !reserved[t.upper] && !followers[t.upper]) {
		r.next()
	} else if as && t.kind == text {
		r.next()
	}
	if r.symbol("(") {
		r.parens(sc)
	}
	switch {
	case r.take("TABLESAMPLE"):
		r.next()
		if r.symbol("(") {
			r.parens(sc)
		}
		if r.take("REPEATABLE") && r.symbol("(") {
			r.parens(sc)
		}
	case r.is("INDEXED") && isWord(r.ahead(1), "BY"):
		r.i += 2
		r.next()
	case r.is("NOT") && isWord(r.ahead(1), "INDEXED"):
		r.i += 2
	case r.is("USE", "FORCE", "IGNORE") && isWord(r.ahead(1), "INDEX", "KEY"):
		r.i += 2
		if r.symbol("(") {
			r.parens(sc)
		}
	}
}

// afterTable reports whether what comes next may follow a table in a statement;
// what follows a noun in a sentence mostly may not.
func (r *reader) afterTable() bool {
	t := r.tok()
	switch t.kind {
	case end, hole:
		return true
	case word:
		return followers[t.upper]
	case symbol:
		return t.upper == "," || t.upper == ")" || t.upper == ";"
	}
	return false
}

// followers are the words that may follow a table, and so are no aliases.
var followers = set("AS CROSS EXCEPT FETCH FOR FULL GROUP HAVING INNER INTERSECT INTO JOIN LEFT LIMIT LOCK LOOP MINUS NATURAL OFFSET ON ORDER RETURNING RIGHT SET STRAIGHT_JOIN TABLESAMPLE UNION USE USING VALUES WHEN WHERE WINDOW WITH NOT INDEXED FORCE IGNORE DEFAULT SELECT THEN DO")

// into reads the target of SELECT … INTO: a new table or, in the body of a
// function, variables.
func (r *reader) into() {
	if r.procedural {
		r.take("STRICT")
		for {
			if _, ok := r.name(); !ok || !r.takeSymbol(",") {
				return
			}
		}
	}
	temporary := r.takeAll("TEMP", "TEMPORARY")
	r.takeAll("UNLOGGED", "TABLE")
	if r.is("OUTFILE", "DUMPFILE") {
		return
	}
	before := len(r.uses)
	r.table(Create)
	r.temporary(before, temporary)
}

// temporary marks what was recorded since.
func (r *reader) temporary(since int, temporary bool) {
	for i := since; i < len(r.uses); i++ {
		r.uses[i].Temporary = temporary && r.uses[i].Access == Create
	}
}
