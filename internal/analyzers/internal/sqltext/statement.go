package sqltext

// statement reads one statement, as far as it names tables; what follows it up
// to its semicolon is left where it can name none.
func (r *reader) statement(sc *scope) {
	if !r.enter() {
		return
	}
	defer r.leave()
	switch {
	case r.is("SELECT", "WITH", "VALUES", "TABLE"), r.symbol("("):
		r.query(sc)
	case r.is("INSERT", "REPLACE"):
		r.insert(sc)
	case r.is("UPDATE"):
		r.update(sc)
	case r.is("DELETE"):
		r.delete(sc)
	case r.is("MERGE"):
		r.merge(sc)
	case r.take("CREATE"):
		r.create(sc)
	case r.take("ALTER"):
		r.alter(sc)
	case r.take("DROP"):
		r.drop()
	case r.take("TRUNCATE"):
		r.take("TABLE")
		r.tables(Write)
		r.ends("RESTART", "CONTINUE", "CASCADE", "RESTRICT")
	case r.take("LOCK"):
		sure := r.take("TABLE")
		r.tables(Write)
		if !sure && !r.is("IN") {
			r.sentence()
		}
		r.ends("IN", "NOWAIT")
	case r.take("COPY"):
		r.copies(sc)
	case r.take("GRANT", "REVOKE"):
		r.grant(sc)
	case r.take("COMMENT"):
		r.comment()
	case r.take("REFRESH"):
		r.takeAll("MATERIALIZED", "VIEW", "CONCURRENTLY")
		r.table(Write)
		r.rest()
	case r.take("EXPLAIN"):
		r.explain(sc)
	case r.take("PREPARE"):
		if r.skipTo(sc, "AS") {
			r.next()
			r.statement(sc)
		}
	case r.take("DECLARE"):
		if r.skipTo(sc, "FOR") {
			r.next()
			r.query(sc)
		}
	case r.take("SET"):
		r.set()
	case r.take("DO"):
		r.takeAll("LANGUAGE", "PLPGSQL", "SQL")
		r.body()
		r.rest()
	case r.is("PRAGMA", "ANALYZE", "VACUUM", "REINDEX", "CLUSTER", "BEGIN", "COMMIT", "START", "SAVEPOINT", "RELEASE"), r.script:
		r.rest()
	default:
		r.wrong()
	}
}

// ends goes on to the end of a statement that may only go on with these words.
func (r *reader) ends(words ...string) {
	if !r.at(end) && !r.symbol(";") && !r.symbol(")") && !r.at(hole) && !r.is(words...) {
		r.sentence()
	}
	r.rest()
}

// sentence marks a text that may be anything as no SQL; a script is SQL, though
// perhaps of a dialect that says more.
func (r *reader) sentence() {
	if !r.script {
		r.wrong()
	}
}

// rest goes on to the end of the statement.
func (r *reader) rest() {
	for !r.at(end) && !r.symbol(";") {
		r.next()
	}
}

// tables reads a list of tables.
func (r *reader) tables(a Access) {
	for {
		r.take("ONLY")
		if _, ok := r.table(a); !ok {
			return
		}
		r.takeSymbol("*")
		if !r.takeSymbol(",") {
			return
		}
	}
}

// copies reads COPY t FROM …, COPY t TO … and COPY (query) TO ….
func (r *reader) copies(sc *scope) {
	if r.symbol("(") {
		r.parens(sc)
		r.rest()
		return
	}
	n, ok := r.name()
	if !ok {
		r.wrong()
		return
	}
	if r.symbol("(") {
		r.parens(sc)
	}
	switch {
	case r.take("FROM"):
		r.use(n, Write)
	case r.take("TO"):
		r.use(n, Read)
	default:
		r.wrong()
	}
	r.rest()
}

// grant reads what GRANT and REVOKE are about. Without ON it is about roles.
func (r *reader) grant(sc *scope) {
	if !r.is("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN", "ALL", "USAGE", "CREATE", "EXECUTE", "CONNECT", "TEMP", "TEMPORARY", "SET") {
		r.sentence()
	}
	if !r.skipTo(sc, "ON") {
		return
	}
	r.next()
	switch {
	case r.take("ALL"): // ALL TABLES IN SCHEMA …
		if r.skipTo(sc, "SCHEMA") {
			r.next()
			r.schemas(Alter)
		}
	case r.take("SCHEMA"):
		r.schemas(Alter)
	case r.take("TABLE"):
		r.tables(Alter)
	case r.is("SEQUENCE", "FUNCTION", "PROCEDURE", "ROUTINE", "TYPE", "DOMAIN"):
		r.next()
		r.inSchema(Alter)
	case r.is("DATABASE", "LANGUAGE", "TABLESPACE", "PARAMETER", "LARGE", "FOREIGN"):
	default:
		r.tables(Alter)
	}
	r.rest()
}

// schemas reads a list of schemas.
func (r *reader) schemas(a Access) {
	for {
		n, ok := r.name()
		if !ok {
			return
		}
		r.useSchema(n.Table, n, a)
		if !r.takeSymbol(",") {
			return
		}
	}
}

// inSchema reads the name of what is neither table nor view (a type, a
// sequence, a function): it is its schema's.
func (r *reader) inSchema(a Access) {
	if n, ok := r.name(); ok {
		r.useSchema(n.Schema, n, a)
	}
}

// comment reads COMMENT ON ….
func (r *reader) comment() {
	if !r.take("ON") {
		r.wrong()
		return
	}
	switch {
	case r.take("TABLE", "VIEW"):
		r.table(Alter)
	case r.is("MATERIALIZED", "FOREIGN"):
		r.takeAll("MATERIALIZED", "FOREIGN", "VIEW", "TABLE")
		r.table(Alter)
	case r.take("SCHEMA"):
		r.schemas(Alter)
	case r.take("COLUMN"):
		r.columnOf(Alter)
	case r.is("TRIGGER", "POLICY", "RULE", "CONSTRAINT"):
		r.on(Alter)
	}
	r.rest()
}

// columnOf reads table.column or schema.table.column.
func (r *reader) columnOf(a Access) {
	start, depth := r.i, 0
	for i := r.i; i < len(r.toks) && (r.toks[i].kind == word || r.toks[i].kind == quoted || isSymbol(r.toks[i], ".")); i++ {
		if isSymbol(r.toks[i], ".") {
			depth++
		}
		if depth == 0 && i > start {
			break
		}
	}
	n, ok := r.name()
	if !ok || depth == 0 || n.Schema == "" {
		return
	}
	// The last part is the column, the one before it the table.
	table := n
	table.Table, table.Schema = n.Schema, ""
	if depth >= 2 {
		t := r.toks[start]
		table.Schema = folded(r.src, t)
	}
	r.use(table, a)
}

// on goes on to ON and reads the table behind it.
func (r *reader) on(a Access) {
	if !r.skipTo(nil, "ON") {
		return
	}
	r.next()
	r.take("ONLY")
	r.table(a)
}

// explain reads EXPLAIN and what it explains.
func (r *reader) explain(sc *scope) {
	if r.symbol("(") {
		r.parens(sc)
	}
	r.takeAll("ANALYZE", "VERBOSE", "QUERY", "PLAN")
	r.statement(sc)
}

// set reads SET; of all settings only the search path says where tables are.
func (r *reader) set() {
	r.takeAll("SESSION", "LOCAL")
	if r.is("SEARCH_PATH", "SCHEMA") {
		r.next()
		r.take("TO")
		r.takeSymbol("=")
		switch t := r.tok(); t.kind {
		case word:
			r.path = folded(r.src, t)
		case quoted:
			r.path = t.upper
		case text:
			r.path = unquote(r.src[t.start:t.end])
		case hole, param:
			r.path = unknown
		}
		if r.path == "default" {
			r.path = ""
		}
	}
	r.rest()
}
