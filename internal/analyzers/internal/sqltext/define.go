package sqltext

// create reads CREATE ….
func (r *reader) create(sc *scope) {
	if r.take("OR") {
		r.take("REPLACE")
	}
	r.takeAll("GLOBAL", "LOCAL")
	temporary := r.takeAll("TEMP", "TEMPORARY")
	r.takeAll("UNLOGGED", "UNIQUE", "VIRTUAL", "MATERIALIZED", "RECURSIVE", "FOREIGN", "CONSTRAINT", "TRUSTED", "PROCEDURAL", "DEFAULT")
	switch {
	case r.take("TABLE"):
		r.createTable(sc, temporary)
	case r.take("VIEW"):
		r.createView(sc, temporary)
	case r.take("INDEX"):
		r.createIndex(sc)
	case r.take("TRIGGER"):
		r.createTrigger(sc)
	case r.take("SCHEMA"):
		r.createSchema(sc)
	case r.take("FUNCTION", "PROCEDURE"):
		r.createFunction(sc)
	case r.take("POLICY"):
		r.on(Alter)
		r.clauses(sc)
	case r.take("RULE"):
		if r.skipTo(sc, "TO") {
			r.next()
			r.table(Alter)
		}
		r.rest()
	case r.is("TYPE", "DOMAIN", "SEQUENCE", "AGGREGATE", "OPERATOR", "COLLATION", "STATISTICS", "TEXT"):
		r.next()
		r.ifExists()
		r.inSchema(Create)
		r.rest()
	case r.is("EXTENSION", "ROLE", "USER", "DATABASE", "GROUP", "SERVER", "PUBLICATION", "SUBSCRIPTION", "CAST", "LANGUAGE", "EVENT", "TABLESPACE", "ACCESS", "DATA"), r.script:
		r.rest()
	default:
		r.wrong()
	}
}

// ifExists reads IF EXISTS and IF NOT EXISTS.
func (r *reader) ifExists() {
	if r.take("IF") {
		r.take("NOT")
		r.take("EXISTS")
	}
}

// createTable reads a table's definition: the tables that its keys, its parents
// and the query that fills it name.
func (r *reader) createTable(sc *scope, temporary bool) {
	r.ifExists()
	before := len(r.uses)
	if _, ok := r.table(Create); !ok {
		return
	}
	r.temporary(before, temporary)
	defined := r.is("PARTITION")
	if r.take("PARTITION") {
		r.take("OF")
		r.table(Refer)
	}
	if r.symbol("(") {
		defined = true
		r.definition(sc)
	}
	if !defined && !r.at(hole) && !r.is("AS", "USING", "SELECT", "OF") {
		r.sentence()
	}
	for !r.at(end) && !r.symbol(";") && !r.symbol(")") {
		switch {
		case r.take("INHERITS"):
			if r.takeSymbol("(") {
				r.tables(Refer)
				r.takeSymbol(")")
			}
		case r.is("AS"):
			r.next()
			if r.startsQuery() {
				r.query(sc)
				return
			}
			r.take("EXECUTE")
		case r.startsQuery() && !r.symbol("("):
			r.query(sc) // MySQL, and SQLite's STRICT tables have none
			return
		case r.symbol("("):
			r.definition(sc)
		case r.take("ON"): // ON COMMIT DROP
			r.takeAll("COMMIT", "DROP", "DELETE", "PRESERVE", "ROWS")
		default:
			r.next()
		}
	}
}

// definition reads a parenthesis of columns and constraints, in which
// REFERENCES and LIKE name tables.
func (r *reader) definition(sc *scope) {
	if !r.enter() {
		return
	}
	defer r.leave()
	r.next()
	first := true
	for !r.symbol(")") {
		switch {
		case r.at(end), r.symbol(";"):
			r.wrong()
			return
		case r.take("REFERENCES"):
			r.table(Refer)
			first = false
		case first && r.take("LIKE"):
			r.table(Read)
			first = false
		case r.symbol("("):
			r.definition(sc)
			first = false
		case r.is("SELECT"):
			r.selects(sc)
		default:
			first = r.symbol(",")
			r.next()
		}
	}
	r.next()
}

// createView reads a view: it is a name like a table's.
func (r *reader) createView(sc *scope, temporary bool) {
	r.ifExists()
	r.take("CONCURRENTLY")
	before := len(r.uses)
	if _, ok := r.table(Create); !ok {
		return
	}
	r.temporary(before, temporary)
	if !r.skipTo(sc, "AS") {
		r.wrong()
		return
	}
	r.next()
	r.query(sc)
	r.rest()
}

// createIndex reads the table that an index is on.
func (r *reader) createIndex(sc *scope) {
	r.take("CONCURRENTLY")
	r.ifExists()
	if !r.is("ON") {
		r.name()
	}
	if !r.take("ON") {
		r.wrong()
		return
	}
	r.take("ONLY")
	r.table(Alter)
	if r.take("USING") {
		r.next()
	}
	r.clauses(sc)
}

// createTrigger reads the table that a trigger is on, and SQLite's body.
func (r *reader) createTrigger(sc *scope) {
	r.ifExists()
	r.name()
	// UPDATE OF a, b ON t: no column is called ON.
	r.on(Alter)
	if r.take("FROM") {
		r.table(Refer)
	}
	if !r.skipTo(sc, "BEGIN", "EXECUTE") {
		return
	}
	if r.take("BEGIN") {
		r.block(sc)
	}
	r.rest()
}

// createSchema reads CREATE SCHEMA with what may be made in it.
func (r *reader) createSchema(sc *scope) {
	r.ifExists()
	if r.take("AUTHORIZATION") {
		r.rest() // named as the role
		return
	}
	n, ok := r.name()
	if !ok {
		r.wrong()
		return
	}
	r.useSchema(n.Table, n, Create)
	if r.take("AUTHORIZATION") {
		r.next()
	}
	outer := r.path
	r.path = n.Table
	for r.is("CREATE", "GRANT") {
		r.statement(sc)
	}
	r.path = outer
	r.rest()
}

// alter reads ALTER ….
func (r *reader) alter(sc *scope) {
	r.takeAll("MATERIALIZED", "FOREIGN")
	switch {
	case r.take("TABLE", "VIEW"):
		r.alterTable(sc)
	case r.take("SCHEMA"):
		r.schemas(Alter)
		if r.take("RENAME") && r.take("TO") {
			r.schemas(Create)
		}
		r.rest()
	case r.is("TRIGGER", "POLICY", "RULE"):
		r.on(Alter)
		r.rest()
	case r.take("DEFAULT"):
		if r.skipTo(sc, "SCHEMA") {
			r.next()
			r.schemas(Alter)
		}
		r.rest()
	case r.is("TYPE", "DOMAIN", "SEQUENCE", "INDEX", "FUNCTION", "PROCEDURE", "ROUTINE", "AGGREGATE"):
		r.next()
		r.ifExists()
		r.inSchema(Alter)
		r.rest()
	case r.script, r.is("ROLE", "USER", "DATABASE", "SYSTEM", "EXTENSION", "GROUP", "PUBLICATION", "SUBSCRIPTION", "SERVER", "LANGUAGE"):
		r.rest()
	default:
		r.wrong()
	}
}

// alterTable reads what is done to a table, and the tables that it is tied to.
func (r *reader) alterTable(sc *scope) {
	r.ifExists()
	r.take("ONLY")
	n, ok := r.table(Alter)
	if !ok {
		return
	}
	r.takeSymbol("*")
	for !r.at(end) && !r.symbol(";") && !r.symbol(")") {
		switch {
		case r.take("REFERENCES"), r.take("PARTITION") && !r.is("OF"):
			r.table(Refer)
		case r.take("INHERIT"):
			r.table(Refer)
		case r.take("RENAME"):
			if !r.take("TO") {
				r.rest() // of a column or a constraint
				return
			}
			if renamed, ok := r.name(); ok {
				renamed.Schema = n.Schema
				r.use(renamed, Create)
			}
		case r.is("SET") && isWord(r.ahead(1), "SCHEMA"):
			r.i += 2
			if s, ok := r.name(); ok && s.known && n.known {
				s.Schema, s.Table = s.Table, n.Table
				r.use(s, Create)
			}
		case r.symbol("("):
			r.definition(sc)
		default:
			r.next()
		}
	}
}

// drop reads DROP ….
func (r *reader) drop() {
	r.takeAll("MATERIALIZED", "FOREIGN")
	switch {
	case r.take("TABLE", "VIEW"):
		r.ifExists()
		r.tables(Drop)
		r.ends("CASCADE", "RESTRICT")
	case r.take("SCHEMA"):
		r.ifExists()
		r.schemas(Drop)
		r.ends("CASCADE", "RESTRICT")
	case r.is("TRIGGER", "POLICY", "RULE"):
		r.next()
		r.ifExists()
		n, _ := r.name()
		if r.is("ON") {
			r.on(Alter)
		} else {
			r.useSchema(n.Schema, n, Alter) // SQLite
		}
	case r.is("INDEX", "TYPE", "DOMAIN", "SEQUENCE", "FUNCTION", "PROCEDURE", "ROUTINE", "AGGREGATE"):
		r.next()
		r.take("CONCURRENTLY")
		r.ifExists()
		r.inSchema(Drop)
	case r.script, r.is("ROLE", "USER", "DATABASE", "EXTENSION", "OWNED", "GROUP", "PUBLICATION", "SUBSCRIPTION", "SERVER", "LANGUAGE", "CAST"):
	default:
		r.wrong()
	}
	r.rest()
}
